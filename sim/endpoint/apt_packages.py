"""Packages of a Debian or Ubuntu, unpacked into a folder of our own: no root, nothing installed, nothing changed.

apt itself fetches, so its sources, proxies and signatures hold. Where the machine has no package lists (a container
from a registry), lists of our own are made below the cache. Imports nothing but the standard library: the launcher
uses this before there is any environment.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

_TOOLS = ("apt-get", "apt-cache", "dpkg", "dpkg-query")
_DEADLINE_S = 300.0

Say = Callable[[str], None]


class CannotFetch(Exception):
    """A package cannot be had this way; the message is the reason."""


def cache_directory() -> Path:
    """$XDG_CACHE_HOME/wmbench, or ~/.cache/wmbench. Not made here."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "wmbench"


class AptPackages:
    """apt with the machine's own lists, or with ours below `cache` when it has none for a package we ask for."""

    def __init__(self, cache: Path, say: Say) -> None:
        missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
        if missing:
            raise CannotFetch(f"this system has no {missing[0]}")
        self._say = say
        self._own = cache / "apt"
        self._options: list[str] = []

    def unpack(self, package: str, into: Path) -> str:
        """Download the package and unpack it into the folder `into`; returns its version. Raises CannotFetch."""
        try:
            archive = self._download(package, into)
        except CannotFetch:
            if self._options:
                raise
            self._make_own_lists()
            archive = self._download(package, into)
        _run(["dpkg", "-x", str(archive), str(into)])
        archive.unlink()
        return archive.name.split("_")[1].replace("%3a", ":")

    def depends(self, package: str) -> list[str]:
        """The packages it needs directly. Of alternatives the first, which the distribution prefers."""
        lines = _run(["apt-cache", *self._options, "depends", "--important", package]).splitlines()
        found, alternative = [], False
        for line in lines:
            match = re.fullmatch(r"\s*(\|?)(?:Pre)?Depends: ([a-z0-9][a-z0-9+.-]+)(?::\w+)?", line)
            if match and not alternative:
                found.append(match[2])
            alternative = bool(match and match[1])
        return found

    def has(self, package: str) -> bool:
        """Is it installed on this machine?"""
        try:
            return _run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package]).startswith("installed")
        except CannotFetch:
            return False

    def _download(self, package: str, into: Path) -> Path:
        _run(["apt-get", *self._options, "download", package], directory=into)
        archives = list(into.glob(f"{package}_*.deb"))
        if not archives:
            raise CannotFetch(f"apt-get downloaded no package {package}")
        return archives[0]

    def _make_own_lists(self) -> None:
        """Some sources may fail (a vendor's server that is down); whether it was enough, the next download shows."""
        self._say("this machine has no package lists: fetching them into the cache (some seconds)")
        try:
            for folder in ("lists/partial", "cache/archives/partial"):
                (self._own / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotFetch(f"cannot write in {self._own}: {error.strerror}") from None
        self._options = ["-o", f"Dir::State::Lists={self._own}/lists", "-o", f"Dir::Cache={self._own}/cache"]
        _run(["apt-get", *self._options, "-o", "Acquire::Languages=none", "update"], may_fail=True)


def _run(command: list[str], directory: Path | None = None, *, may_fail: bool = False) -> str:
    """Standard output. Raises CannotFetch with the program's own last error line."""
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, cwd=directory, env=environment, capture_output=True, text=True, timeout=_DEADLINE_S
        )
    except subprocess.TimeoutExpired:
        raise CannotFetch(f"{command[0]} took longer than {_DEADLINE_S:.0f} s") from None
    except OSError as error:
        raise CannotFetch(f"cannot run {command[0]}: {error.strerror}") from None
    if done.returncode and not may_fail:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line.removeprefix("E: ") for line in said if line.startswith("E: ")] or said[-1:]
        raise CannotFetch(f"{command[0]}: {errors[0] if errors else f'ended with {done.returncode}'}")
    return done.stdout
