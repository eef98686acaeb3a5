"""Work for jobs that dies over its shard: the process is killed in the middle of a window, as the kernel would."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

from bench.sweep.worker_pool import Tile, Work
from sim.city.conduct import ShardResult, play
from sim.city.plan import CityPlan
from sim.city.shard import Shard


def dying(marks: Path, times: int, victim: Tile) -> Work:
    """`play`, but whoever works on `victim` is killed, the first so many times; `marks` counts them."""
    return partial(_play, marks, times, victim)


def _play(marks: Path, times: int, victim: Tile, plan: CityPlan, tile: Tile) -> ShardResult:
    if tile != victim:
        return play(plan, tile)
    window = Shard.window

    def fatal(shard: Shard, until_ns: int, **options: Any) -> Any:
        result = window(shard, until_ns, **options)
        deaths = len(list(marks.iterdir()))
        if until_ns > plan.window_ns and deaths < times:
            (marks / str(deaths)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    Shard.window = fatal  # type: ignore[method-assign]
    try:
        return play(plan, tile)
    finally:
        Shard.window = window  # type: ignore[method-assign]
