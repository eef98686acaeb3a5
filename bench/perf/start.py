"""From the start of Python to the end of the first window of a small city with one batch of telegrams, as `./wmbench
city` begins one: cold, with no compiled code on the disk, and warm. Wall time of a process of its own.

Cold, numpy plays the first window while compiled code is being made beside it (arrays/compiling.py); how long that
takes is a figure too, so that nobody mistakes one for the other.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile

from arrays.compiling import BESIDE, SETTING
from bench.run_directory import ROOT
from sim.core.clock import wall_s

_FIRST_WINDOW = """
import numpy
from bench.perf.air import City
from bench.perf.bytes import fleet_of
City(1_000, 2).window()
fleet_of(1_000, "mode5").telegrams(numpy.arange(1_000), numpy.full(1_000, 48), crcs=True)
print("first window", flush=True)
"""
_COMPILED = """
from sim import compiling
compiling.wait()
print("compiled", flush=True)
"""


def seconds(script: str, around: dict[str, str]) -> list[float]:
    """When a script that runs in a process of its own has printed each of its lines, after its start. Raises OSError
    where it fails."""
    begin, at = wall_s(), []
    environment = os.environ | {"PYTHONPATH": str(ROOT), SETTING: BESIDE} | around
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in process.stdout:
            at.append(wall_s() - begin)
    if process.returncode:
        raise OSError(f"the first window's process ended with {process.returncode}")
    return at


def cold_compiled_warm_s(warm_rounds: int, *, patient: bool) -> tuple[float, float, float]:
    """Cold and warm, and between them when compiled code was there; that only for the `patient`, else NaN."""
    warm = {} if patient else {SETTING: "first"}
    with tempfile.TemporaryDirectory() as cache:
        own = {"NUMBA_CACHE_DIR": cache}
        cold, *compiled = seconds(_FIRST_WINDOW + (_COMPILED if patient else ""), own)
        if patient:
            warm |= own
        rounds = [seconds(_FIRST_WINDOW, warm)[0] for _ in range(warm_rounds)]
    return cold, compiled[0] if compiled else math.nan, min(rounds)
