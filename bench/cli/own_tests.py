"""`./wmbench test`: the project's own tests, by tox; its options pass through.

Without a word all but acceptance, night and referee: what a change is tried with while it is made. Lint then runs
beside the scenarios, which wait for sockets and for the wall's clock much of the time, with the lower priority, and is
told when they have ended. The benchmarks run alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Final

from bench.run_directory import ROOT
from sim.core import own

ENVIRONMENTS: Final = ("unit", "scenarios", "lint", "perf", "acceptance", "night", "referee")
_NICE: Final = 10


def command(words: Sequence[str]) -> int:
    """Names of tox's environments are short forms of `-e NAME`. The exit code is tox's, of the first that failed."""
    named = [word for word in words if word in ENVIRONMENTS]
    options = [word for word in words if word not in ENVIRONMENTS]
    if words:
        return subprocess.call(_tox(named, options), cwd=ROOT, env=_around())
    codes = {"unit": _run("unit")}  # which installs what the others are not to see half installed
    with tempfile.TemporaryFile() as told:
        beside = subprocess.Popen(
            ["nice", "-n", str(_NICE), *_tox(["lint"])], cwd=ROOT, env=_around(), stdout=told, stderr=told
        )
        try:
            codes["scenarios"] = _run("scenarios")
            codes["lint"] = beside.wait()
        finally:
            beside.terminate()
            beside.wait()
            told.seek(0)
            sys.stdout.flush()
            sys.stdout.buffer.write(told.read())
            sys.stdout.flush()
    codes["perf"] = _run("perf")
    print("; ".join(f"{name}: {'passed' if code == 0 else 'failed'}" for name, code in codes.items()))
    return next((code for code in codes.values() if code), 0)


def _run(environment: str) -> int:
    return subprocess.call(_tox([environment]), cwd=ROOT, env=_around())


def _tox(environments: Sequence[str], options: Sequence[str] = ()) -> list[str]:
    chosen = ["-e", ",".join(environments)] if environments else []
    return [sys.executable, "-m", "tox", "-c", str(ROOT / "tox.ini"), *chosen, *options]


def _around() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name not in (own.PLACE, own.HOME)}  # ours alone
