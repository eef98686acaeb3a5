"""What a whole city costs: scenarios/worlds/city-1m.toml from the schedule to encrypted bytes, with outages.

Seconds are the wall's, since that is what a planner waits for; so they are worse on a machine that is shared.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import cache
from statistics import median

from bench import run_directory
from bench.perf.recorded import COUNTRY
from bench.perf.shard import shard_cost
from sim.city.conduct import CityResult, play, run
from sim.city.plan import Blocks, CityPlan, Depth, Outages
from sim.city.shard import Shard
from sim.city.workers import pool
from sim.core.clock import NS_PER_HOUR
from sim.world_spec import WorldSpec, load

_EVEN = 409_600  # meters: 32 whole rows of 32 blocks, so that both shards have as many


def world(meters: int) -> WorldSpec:
    """The city with so many meters, 500 to a gateway."""
    spec = load(run_directory.ROOT / "scenarios" / "worlds" / "city-1m.toml")
    return spec.with_setting("fleet.count", meters).with_setting("gateway.count", max(1, meters // 500))


@cache
def million() -> CityResult:
    """1 M meters, 2 000 gateways, a day, on two workers."""
    return run(CityPlan(world(1_000_000), 1, 24 * NS_PER_HOUR, workers=2, outages=Outages(0.05)))


def efficiency(meters: int, hours: int, rounds: int = 3) -> float:
    """The processor time of two shards one after the other, against twice that of the slower one when they run side by
    side; the median of either. So it says what two workers take from each other (memory, caches), whatever else shares
    the machine: that makes both slower. Each shard has a process of its own either way, since memory that a process
    has touched before costs it less. Processes that start are not counted."""
    run(CityPlan(world(2_000), 1, NS_PER_HOUR))  # so that workers are forked with compiled code loaded
    plan = CityPlan(world(meters), 1, hours * NS_PER_HOUR, workers=2, shards=2)
    tiles = Blocks.of(plan.spec).tiles(2)

    def took_s(some: list[tuple[slice, slice]]) -> list[float]:
        with pool(len(some)) as begin:
            return [job.result().processor_s for job in [begin(play, plan, tile) for tile in some]]

    one_by_one, together = list[float](), list[float]()
    for _ in range(rounds):
        one_by_one.append(sum(sum(took_s([tile])) for tile in tiles))
        together.append(2 * max(took_s(tiles)))
    return median(one_by_one) / median(together)


def telegram_rate(meters: int, depth: Depth, windows: int = 4) -> float:
    """Frames sent a second of processor time, of a city in one shard that is running."""
    plan = CityPlan(world(meters), 1, 2 * NS_PER_HOUR, depth)
    shard, sent, begin = Shard(plan, Blocks.of(plan.spec).tiles(1)[0]), 0, 0.0
    for window in range(windows + 2):  # the first begins at midnight, the second compiles
        heard = shard.window((window + 1) * plan.window_ns)
        if depth == "bytes":
            shard.fleet.telegrams(heard.meter, heard.k, crcs=True)
        if window < 2:
            begin = time.process_time()
        else:
            sent += heard.sent
    return sent / (time.process_time() - begin)


def stored_rate(quick: bool) -> float:
    """Telegrams a second from reception to stored readings."""
    from bench.perf.readings import rates

    return rates(windows=4 if quick else 12).path


FIGURES: dict[str, Callable[[bool], float]] = {
    "stored": stored_rate,
    "million_s": lambda quick: math.nan if quick else million().wall_s,
    "million_gb": lambda quick: math.nan if quick else 2 * million().peak_bytes_a_worker / 1e9,
    "country_s": lambda quick: COUNTRY.wall_s,
    "country_gb": lambda quick: COUNTRY.peak_gb,
    "shard": lambda quick: shard_cost(quick).ratio,
    "workers": lambda quick: math.nan if quick else efficiency(_EVEN, 12),
}
NOTES: dict[str, str] = {"country_s": COUNTRY.note, "country_gb": COUNTRY.note}
