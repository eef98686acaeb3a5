"""Is this machine ready? Each check says what it found and, when it is not well, the way out.

Required is what `./wmbench run` cannot do without. Mosquitto is not: runs with `--endpoint memory` need none, but say
what they leave out. What only some tests or drivers use is optional.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import json
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.run_directory import ROOT

if TYPE_CHECKING:
    from sim.endpoint.registry import EndpointKind

OLDEST_PYTHON = (3, 11)
SPACE_BYTES = 1_000_000_000  # a default run leaves some 100 MB, .venv is 500 MB
_STAMP = ROOT / ".venv" / "wmbench-stamp.json"

# Import name and whose package it is. The second line is needed by ./wmbench test only.
_NEEDED = {
    "cryptography": "cryptography",
    "jinja2": "jinja2",
    "matplotlib": "matplotlib",
    "numba": "numba",
    "numpy": "numpy",
    "paho.mqtt.client": "paho-mqtt",
    "pytest": "pytest",
    "rich": "rich",
    "scapy": "scapy",
    "simpy": "simpy",
}
_FOR_TESTS = {
    "Crypto": "pycryptodome",
    "hypothesis": "hypothesis",
    "importlinter": "import-linter",
    "mypy": "mypy",
    "pymbusparser": "pymbusparser",
    "pytest_benchmark": "pytest-benchmark",
    "ruff": "ruff",
    "tox": "tox",
    "xdist": "pytest-xdist",
}


@dataclass(frozen=True, slots=True)
class Check:
    """`way_out` is empty when there is nothing to do."""

    name: str
    ok: bool
    detail: str
    way_out: str = ""
    required: bool = True


def run_doctor() -> list[Check]:
    """All checks, in the order of first need. A check that breaks is a check that failed; none raises."""
    return list(_checks())


def main(*, as_json: bool = False) -> int:
    """Print the checks; 0 when all that is required is well, else 1."""
    checks = run_doctor()
    if as_json:
        print(json.dumps([asdict(check) for check in checks], indent=1))
    else:
        print_checks(checks)
    return 0 if all(check.ok for check in checks if check.required) else 1


def print_checks(checks: list[Check]) -> None:
    """A line for each check."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for check in checks:
        if check.ok:
            state = Text("ok", style="green")
        else:
            state = Text("missing", style="bold red") if check.required else Text("absent", style="yellow")
        detail = Text(check.detail)
        if not check.ok and check.way_out:
            detail.append(f"\n{check.way_out}", style="bold")
        table.add_row(state, Text(check.name if check.required else f"{check.name} (optional)"), detail)
    console.print(table)
    bad = [check.name for check in checks if check.required and not check.ok]
    console.print(Text(f"not ready: {', '.join(bad)}" if bad else "ready", style="bold red" if bad else "bold green"))


# --- the checks ------------------------------------------------------------------------------------------------


def _checks() -> Iterator[Check]:
    yield _python()
    yield _environment()
    for module, package in _NEEDED.items():
        yield _import(module, package)
    for module, package in _FOR_TESTS.items():
        yield _import(module, package, required=False, used="for ./wmbench test only; ")
    yield _compiled()
    yield from _endpoints()
    yield _program("tshark", "apt install tshark", "reads air.pcapng with our dissector in a test")
    yield _program("rtl_433", "apt install rtl-433", "an independent receiver in tests", option="-V")
    yield _program("wmbusmeters", "see its own page", "an independent reader of telegrams")
    yield _loopback()
    yield _space(ROOT)
    yield _writable(ROOT / "runs")


def _python() -> Check:
    ok = sys.version_info >= OLDEST_PYTHON
    detail = f"{platform.python_version()}, {sys.executable}"
    return Check("Python", ok, detail, "" if ok else "install Python 3.11 or later and run ./wmbench with it")


def _environment() -> Check:
    """Whether what runs us is the .venv with the pinned versions, whole."""
    name, again = "environment", f"./wmbench makes it anew after: rm -r {_STAMP.parent}"
    if Path(sys.prefix).resolve() != _STAMP.parent.resolve():
        return Check(name, False, f"{sys.prefix} is not our .venv: versions may differ", "start with ./wmbench", False)
    try:
        made_for = json.loads(_STAMP.read_text(encoding="utf-8"))
        return Check(name, True, f"{_STAMP.parent}, requirements {made_for['requirements'][:12]}")
    except FileNotFoundError:
        detail = f"{_STAMP.parent} was not filled by ./wmbench: versions may differ"
        return Check(name, False, detail, "start with ./wmbench", False)
    except (OSError, ValueError, KeyError, TypeError):
        return Check(name, False, f"{_STAMP.parent} is half made", again)


def _import(module: str, package: str, *, required: bool = True, used: str = "") -> Check:
    way_out = f"run ./wmbench setup; if that does not help, rm -r {_STAMP.parent} and again"
    try:
        importlib.import_module(module)
        return Check(package, True, importlib.metadata.version(package), "", required)
    except ModuleNotFoundError:
        return Check(package, False, f"{used}not installed", way_out, required)
    except Exception as error:  # a package that is there and broken may raise anything
        return Check(package, False, f"{used}cannot be imported: {type(error).__name__}: {error}", way_out, required)


def _compiled() -> Check:
    """Whether set-up has compiled all there is, and by what telegrams are encrypted here."""
    from arrays import cache_folder, ciphers

    name, place = "compiled code", cache_folder.base()
    try:
        engine = {"aes-ni": "the processor's AES instructions", "tables": "tables: it has no AES instructions"}
        detail = f"{place}; telegrams are encrypted by {engine[ciphers.engine()]}"
    except ImportError as error:
        return Check(name, False, str(error), "unset NUMBA_DISABLE_JIT")
    if cache_folder.mark().exists():
        return Check(name, True, detail)
    return Check(name, False, f"{detail}; some is compiled when it is called first", "run ./wmbench setup", False)


def _endpoints() -> Iterator[Check]:
    """Each kind of endpoint: what it needs of this machine, and whether it starts and takes a client."""
    from sim.endpoint.registry import ENDPOINTS

    others = "take another --endpoint until this is mended"
    for kind in ENDPOINTS.parts().values():
        try:
            ready = kind.readiness()
        except Exception as error:  # as in `_try`
            yield Check(f"endpoint {kind.id}", False, _said(error), others, False)
            continue
        way_out = "" if ready.ok else f"{ready.way_out} Or {others}"
        yield Check(f"endpoint {kind.id}", ready.ok, ready.detail, way_out, False)
        if ready.ok:
            yield _try(f"endpoint {kind.id} starts", functools.partial(_start, kind), others)


def _start(kind: EndpointKind[Any]) -> str:
    with tempfile.TemporaryDirectory(prefix="wmbench-doctor-") as temporary:
        endpoint = kind.open(kind.spec(), Path(temporary))
        try:
            endpoint.start()
            session = endpoint.connect(endpoint.identity("doctor"))
            if not endpoint.settle(lambda: session.connected, 10.0):
                raise RuntimeError(f"no session within 10 s: {session.log[-1][1] if session.log else 'no answer'}")
            session.close()
            where = f" on {endpoint.address.host}:{endpoint.address.port}" if endpoint.address else ""
            return f"started{where}, took a client" + (" with a certificate" if "tls" in kind.features else "")
        finally:
            endpoint.stop()


def _try(name: str, attempt: Callable[[], str], way_out: str, *, required: bool = False) -> Check:
    try:
        return Check(name, True, attempt(), "", required)
    except Exception as error:  # whatever it is, the doctor reports it and goes on
        return Check(name, False, _said(error), way_out, required)


def _said(error: Exception) -> str:
    from sim.core.part_errors import place_in_part, told

    return told(error) if place_in_part(error) is not None else str(error) or type(error).__name__


def _program(name: str, way_out: str, what_for: str, *, option: str = "--version") -> Check:
    place = shutil.which(name)
    if place is None:
        return Check(name, False, f"not on the PATH; {what_for}", way_out, False)
    try:
        done = subprocess.run([place, option], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, False, f"{place} does not run: {error}", way_out, False)
    version = re.search(r"\d+(\.\d+)+|\b\d{2}\.\d{2}\b", done.stdout + done.stderr)
    return Check(name, True, f"{version[0] if version else 'version unknown'}, {place}", "", False)


def _loopback() -> Check:
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = int(server.getsockname()[1])
            with socket.create_connection(("127.0.0.1", port), timeout=2):
                return Check("loopback", True, f"127.0.0.1:{port} can be listened on and reached")
    except OSError as error:
        return Check("loopback", False, f"127.0.0.1: {error.strerror or error}", "bring the interface lo up")


def _space(place: Path) -> Check:
    free = shutil.disk_usage(place).free
    detail = f"{free / 1e9:.1f} GB free for {place}"
    return Check("disk space", free >= SPACE_BYTES, detail, "free some: old runs can be deleted from runs/")


def _writable(folder: Path) -> Check:
    """By writing, since rights alone do not show it (a read-only mount, a full quota). Leaves nothing behind."""
    there = folder if folder.exists() else folder.parent
    try:
        with tempfile.TemporaryFile(dir=there) as probe:
            probe.write(b"x" * 4096)
            probe.flush()
    except OSError as error:
        return Check("runs/", False, f"cannot write in {there}: {error.strerror}", f"make {there} yours: chown, chmod")
    return Check("runs/", True, f"{folder} can be written")
