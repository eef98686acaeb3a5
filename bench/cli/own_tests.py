"""`./wmbench test`: the project's own tests, by tox; its options pass through.

Without a word all but acceptance, night and referee: what a change is tried with while it is made. Unit, scenarios and
lint then run side by side, since unit tests and scenarios wait for sockets and for the wall's clock much of the time;
the unit tests are seen at work, what the others print comes behind them. The benchmarks run alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Final

from bench.run_directory import ROOT
from sim.core import own

ENVIRONMENTS: Final = ("unit", "scenarios", "lint", "perf", "acceptance", "night", "referee")
_BESIDE: Final = {"lint": 10, "scenarios": 0}
"""What runs beside the unit tests, and its niceness."""


def command(words: Sequence[str]) -> int:
    """Names of tox's environments are short forms of `-e NAME`. The exit code is tox's, of the first that failed."""
    named = [word for word in words if word in ENVIRONMENTS]
    options = [word for word in words if word not in ENVIRONMENTS]
    if words:
        return subprocess.call(_tox(named, options), cwd=ROOT, env=_around())
    if code := _run("setup"):  # once, before anybody uses what it installs
        return code
    print(f"{' and '.join(_BESIDE)} run beside the unit tests; what they print comes behind", flush=True)
    codes: dict[str, int] = {}
    with contextlib.ExitStack() as stack:
        processes = {name: stack.enter_context(_beside(name, nice)) for name, nice in _BESIDE.items()}
        codes["unit"] = _run("unit")
        codes |= {name: process.wait() for name, process in processes.items()}
    codes["perf"] = _run("perf")
    print("; ".join(f"{name}: {'passed' if code == 0 else 'failed'}" for name, code in codes.items()))
    return next((code for code in codes.values() if code), 0)


def _run(environment: str) -> int:
    return subprocess.call(_tox([environment]), cwd=ROOT, env=_around())


@contextlib.contextmanager
def _beside(environment: str, nice: int) -> Iterator[subprocess.Popen[bytes]]:
    """An environment that runs meanwhile. It ends with the block, and what it printed comes then."""
    with tempfile.TemporaryFile() as told:
        words = ["nice", "-n", str(nice), *_tox([environment])]
        process = subprocess.Popen(words, cwd=ROOT, env=_around(), stdout=told, stderr=told, start_new_session=True)
        try:
            yield process
        finally:
            if process.poll() is None:  # SIGINT is what tox hands on to what it started; it has no terminal's
                process.send_signal(signal.SIGINT)
            process.wait()
            told.seek(0)
            sys.stdout.flush()
            sys.stdout.buffer.write(told.read())
            sys.stdout.flush()


def _tox(environments: Sequence[str], options: Sequence[str] = ()) -> list[str]:
    chosen = ["-e", ",".join(environments)] if environments else []
    return [sys.executable, "-m", "tox", "-c", str(ROOT / "tox.ini"), *chosen, *options]


def _around() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name not in (own.PLACE, own.HOME)}  # ours alone
