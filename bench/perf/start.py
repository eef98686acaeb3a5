"""What a user waits for before a first window: set-up's compiling, once, into an empty folder; and after it, from the
start of Python to the end of the first window of a small city with one batch of telegrams, as `./wmbench city` begins
one. Wall time of processes of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from bench.run_directory import ROOT
from sim.core.clock import wall_s

_FIRST_WINDOW = """
import numpy
from bench.perf.air import City
from bench.perf.bytes import fleet_of
City(1_000, 2).window()
fleet_of(1_000, "mode5").telegrams(numpy.arange(1_000), numpy.full(1_000, 48), crcs=True)
"""


def _seconds(*words: str, **around: str) -> float:
    """How long Python takes with these words. Raises OSError where it fails."""
    begin_s = wall_s()
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)} | around)
    if done.returncode:
        raise OSError(f"{' '.join(words)[:40]!r} ended with {done.returncode}")
    return wall_s() - begin_s


def setup_s() -> float:
    """Everything compiled, where nothing was."""
    with tempfile.TemporaryDirectory() as cache:
        return _seconds("-m", "sim.city.warm_up", NUMBA_CACHE_DIR=cache)


def warm_s(rounds: int) -> float:
    """To the first window, best of the rounds; a round before them finds compiled what is new."""
    return min([_seconds("-c", _FIRST_WINDOW) for _ in range(rounds + 1)][1:])
