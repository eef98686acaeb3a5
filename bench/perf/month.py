"""What a month adds to memory: a thousand meters at 900 s, embedded broker, captures and history as in any run.

    python -m bench.perf.month DAYS

A month takes as long as thirty days, so what some days add after the first is measured and multiplied. All meters are
there: with fewer the caches, whose size is bounded, still fill when the first day is over. Memory is what Python and
numpy have asked for (tracemalloc), which is exact; the process has more by what its allocator and SQLite's caches keep.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import tracemalloc
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.rig import checks
from bench.rig.scenario import Stage, load_world

DAYS = 30
METERS = 1_000


@dataclass(frozen=True, slots=True)
class Held:
    """MB, at the end of the first and of the last day: what the run holds, and what checking the invariants takes
    beside that."""

    run: tuple[float, float]
    judging: tuple[float, float]


def held(days: int) -> Held:
    """`days`: two or more."""
    spec = load_world("day-1000").with_setting("endpoint.kind", "memory")
    spec = spec.with_setting("fleet.count", METERS // len(spec.fleet))
    with tempfile.TemporaryDirectory(prefix="wmbench-month-") as folder:
        stage = Stage(spec, 1, Path(folder), "on")
        tracemalloc.start()
        try:
            stage.run(days=1)
            first = _now_mb(), _judging_mb(stage)
            stage.run(days=days - 1)
            last = _now_mb(), _judging_mb(stage)
            return Held((first[0], last[0]), (first[1], last[1]))
        finally:
            tracemalloc.stop()
            stage.close()


def _now_mb() -> float:
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1e6


def _judging_mb(stage: Stage) -> float:
    """Of the whole run so far."""
    before_mb = _now_mb()
    tracemalloc.reset_peak()
    stage.truth.look_again()
    assert checks.apply(stage.inner, attacked=False) == []
    return tracemalloc.get_traced_memory()[1] / 1e6 - before_mb


@cache
def month_mb(days: int) -> tuple[float, float]:
    """What the 29 days after the first add, and what checking the whole month then takes beside it, as it grew over
    `days` days."""
    found, times = held(days), (DAYS - 1) / (days - 1)
    added, checking = (last - first for first, last in (found.run, found.judging))
    return times * added, found.judging[0] + times * checking


if __name__ == "__main__":
    added_mb, judging_mb = month_mb(int(sys.argv[1]))
    print(f"a month adds {added_mb:.0f} MB after its first day; checking it takes {judging_mb:.0f} MB")
