"""What a month adds to memory: a thousand meters at 900 s, embedded broker, captures and history as in any run.

    python -m bench.perf.month DAYS METERS

A month takes as long as thirty days, so what some days add after the first is measured and multiplied, and what fewer
meters add likewise. Memory is what Python and numpy have asked for (tracemalloc), which is exact; the process has more
by what its allocator and SQLite's caches, whose size is bounded, keep.
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
    """MB: at the end of each day, and what checking the invariants takes beside that after the last."""

    by_day: list[float]
    judging: float


def held(days: int, meters: int) -> Held:
    """`meters`: a multiple of the world's groups."""
    spec = load_world("day-1000").with_setting("endpoint.kind", "memory")
    spec = spec.with_setting("fleet.count", meters // len(spec.fleet))
    by_day = []
    with tempfile.TemporaryDirectory(prefix="wmbench-month-") as folder:
        stage = Stage(spec, 1, Path(folder), "on")
        tracemalloc.start()
        try:
            for _ in range(days):
                stage.run(days=1)
                gc.collect()
                by_day.append(tracemalloc.get_traced_memory()[0] / 1e6)
            tracemalloc.reset_peak()
            assert checks.apply(stage.inner, attacked=False) == []
            return Held(by_day, tracemalloc.get_traced_memory()[1] / 1e6 - by_day[-1])
        finally:
            tracemalloc.stop()
            stage.close()


@cache
def month_mb(days: int, meters: int) -> tuple[float, float]:
    """What the 29 days after the first add for a thousand meters, and what checking the whole month then takes beside
    it, from `days` days of `meters`: what the days added, and for each of the others what the last did. (The second
    still fills caches of a bounded size.)"""
    found = held(days, meters)
    times = METERS / meters
    added = found.by_day[-1] - found.by_day[0] + (DAYS - days) * (found.by_day[-1] - found.by_day[-2])
    return times * added, times * found.judging * DAYS / days


if __name__ == "__main__":
    added_mb, judging_mb = month_mb(int(sys.argv[1]), int(sys.argv[2]))
    print(f"a month adds {added_mb:.0f} MB after its first day; checking it takes {judging_mb:.0f} MB more")
