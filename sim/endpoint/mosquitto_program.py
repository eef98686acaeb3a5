"""Where the Mosquitto program comes from: the PATH, else the distribution's package unpacked into the cache.

Asked at the first need of a broker, and not before. Nothing is installed and root is not needed: the package and those
of its libraries that the machine lacks are unpacked into <cache>/mosquitto-<version>, and the program is started with
LD_LIBRARY_PATH. The folder appears there whole or not at all. Imports nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sim.endpoint.apt_packages import AptPackages, CannotFetch, Say, cache_directory
from sim.endpoint.port import EndpointError

OLDEST = (2, 0)  # 1.x opens a port to the network by default and knows other options
_SBIN = ("/usr/local/sbin", "/usr/sbin", "/opt/homebrew/sbin")  # where packages put it, off most people's PATH
_WAY_OUT = "Install Mosquitto 2.0 or later (apt install mosquitto), so that the program is on the PATH."


@dataclass(frozen=True, slots=True)
class Found:
    """A program that ran and printed its version. `environment` is to be added to ours; None when it needs nothing."""

    program: Path
    environment: Mapping[str, str] | None
    version: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """There is none. Who goes on all the same and asks for the program gets the reason as an EndpointError."""

    reason: str
    way_out: str = _WAY_OUT

    @property
    def program(self) -> NoReturn:
        raise EndpointError(f"no Mosquitto: {self.reason}. {self.way_out} Or do without: --endpoint memory")

    environment = program


def find_mosquitto(*, path: str | None = None, cache: Path | None = None, say: Say | None = None) -> Found | NotFound:
    """Find a Mosquitto that runs, fetching the package when there is none. Remembered for the life of the process.

    `path` is searched instead of the PATH and the usual sbin folders; `cache` replaces the cache directory; `say` is
    called with a line before what takes long (default: on standard error)."""
    where = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SBIN]) if path is None else path
    return _find(where, cache or cache_directory(), say or _say)


@functools.cache
def _find(path: str, cache: Path, say: Say) -> Found | NotFound:
    on_path = shutil.which("mosquitto", path=path)
    found = _try(Path(on_path), None) if on_path else NotFound("there is no program mosquitto on the PATH")
    if isinstance(found, Found):
        return found
    for directory in sorted(cache.glob("mosquitto-*"), reverse=True):
        unpacked = _try_unpacked(directory)
        if isinstance(unpacked, Found):
            return unpacked
    fetched = _fetch(cache, say)
    if isinstance(fetched, Found):
        return fetched
    return NotFound(f"{found.reason}, and the distribution's package cannot be had ({fetched.reason})")


def _fetch(cache: Path, say: Say) -> Found | NotFound:
    """Unpack beside the final place, then rename: two at once both work, and the later one takes the earlier's."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=cache) as temporary:
            root = Path(temporary) / "root"
            root.mkdir()
            distribution = AptPackages(cache, say)
            say("no Mosquitto on the PATH: unpacking the distribution's package into the cache (first use only)")
            version = distribution.unpack("mosquitto", root)
            _add_libraries(distribution, root)
            found = _try_unpacked(root)
            if isinstance(found, NotFound):
                return found
            place = cache / f"mosquitto-{re.sub(r'[^A-Za-z0-9.+~-]', '_', version)}"
            if isinstance(_try_unpacked(place), NotFound):
                shutil.rmtree(place, ignore_errors=True)  # a damaged one
                with contextlib.suppress(OSError):  # another one was faster: then that is it
                    root.rename(place)
            return _try_unpacked(place)
    except CannotFetch as error:
        return NotFound(str(error))
    except OSError as error:
        return NotFound(f"cannot write in {cache}: {error.strerror or error}")


def _add_libraries(distribution: AptPackages, root: Path) -> None:
    """Level by level down the dependencies, until the loader finds every library. A package that the machine has is
    never unpacked: its own libraries come first."""
    level, seen = ["mosquitto"], {"mosquitto"}
    while level and _missing_libraries(root):
        needed = [name for package in level for name in distribution.depends(package)]
        level = []
        for name in needed:
            if name not in seen and name.startswith("lib") and not distribution.has(name):
                distribution.unpack(name, root)
                level.append(name)
            seen.add(name)


def _missing_libraries(root: Path) -> list[str]:
    try:
        said = subprocess.run(
            ["ldd", str(_program(root))], env={**os.environ, **_environment(root)}, capture_output=True, text=True
        ).stdout
    except OSError:
        return ["(no ldd to ask)"]
    return re.findall(r"(\S+) => not found", said)


def _program(root: Path) -> Path:
    return root / "usr/sbin/mosquitto"


def _environment(root: Path) -> dict[str, str]:
    folders = {str(library.parent) for library in root.glob("**/*.so*")}
    before = os.environ.get("LD_LIBRARY_PATH")
    return {"LD_LIBRARY_PATH": os.pathsep.join([*sorted(folders), *([before] if before else [])])}


def _try_unpacked(root: Path) -> Found | NotFound:
    return _try(_program(root), _environment(root)) if _program(root).exists() else NotFound(f"{root} holds none")


def _try(program: Path, environment: dict[str, str] | None) -> Found | NotFound:
    """Run it: a file that is there may still be damaged, too old or without its libraries."""
    try:
        done = subprocess.run(
            [str(program), "-h"], env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return NotFound(f"{program} cannot be run ({getattr(error, 'strerror', None) or error})")
    match = re.search(r"mosquitto version (\d+)\.(\d+)(\S*)", done.stdout + done.stderr)
    if match is None:
        said = (done.stderr or done.stdout).strip().splitlines()
        return NotFound(f"{program} does not print its version ({said[-1] if said else 'it says nothing'})")
    version = f"{match[1]}.{match[2]}{match[3]}"
    if (int(match[1]), int(match[2])) < OLDEST:
        return NotFound(f"{program} is version {version}, too old")
    return Found(program, environment, version)


def _say(text: str) -> None:
    print(f"wmbench: {text}", file=sys.stderr, flush=True)
