"""From the start of Python to the end of the first window of a small city with one batch of telegrams: cold, with no
compiled code on the disk, and warm. Wall time of a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from bench.rundir import ROOT
from sim.clock import wall_s

_FIRST_WINDOW = """
import numpy
from bench.perf.air import City
from bench.perf.bytes import fleet_of
City(1_000, 2).window()
fleet_of(1_000, "mode5").telegrams(numpy.arange(1_000), numpy.full(1_000, 48), crcs=True)
"""


def first_window_s(cache: str) -> float:
    """With numba's cache in this folder."""
    around = os.environ | {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": str(ROOT)}
    begin = wall_s()
    subprocess.run([sys.executable, "-c", _FIRST_WINDOW], cwd=ROOT, env=around, check=True, capture_output=True)
    return wall_s() - begin


def cold_and_warm_s(warm_rounds: int = 3) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as cache:
        cold = first_window_s(cache)
        return cold, min(first_window_s(cache) for _ in range(warm_rounds))
