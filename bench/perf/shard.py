"""What a country's shard costs beside what its parts cost by themselves, measured in one process and one run.

    processor time of the shard / (frames sent / air's rate + telegrams received / bytes' rate)

The air's rate is that of a city of strong links (bench/perf/air.py), the bytes' rate that of a fleet in order
(bench/perf/bytes.py). A shard pays besides for its links, its guard, fading, weak links, outages, counting and digests.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from bench import run_directory
from bench.perf import air
from bench.perf.bytes import telegram_rate
from sim.city.conduct import play
from sim.city.plan import METERS_A_SHARD, Blocks, CityPlan, Outages
from sim.world_spec import load

_HOUR_NS: Final = 3_600 * 10**9


@dataclass(frozen=True, slots=True)
class ShardCost:
    """Seconds of processor time, and what they bought; rates a second of processor time."""

    processor_s: float
    sent: int
    received: int
    air_rate: float
    bytes_rate: float

    @property
    def ratio(self) -> float:
        return self.processor_s / (self.sent / self.air_rate + self.received / self.bytes_rate)


def shard_cost(quick: bool) -> ShardCost:
    """One shard from the middle of country-60m: 2 M meters for 24 h at 900 s with outages, encrypted bytes. `quick`: a
    twentieth of the meters, for 12 h."""
    spec = load(run_directory.ROOT / "scenarios" / "worlds" / "country-60m.toml")
    shards = -(-spec.meters // (METERS_A_SHARD // 20 if quick else METERS_A_SHARD))
    plan = CityPlan(spec, 1, (12 if quick else 24) * _HOUR_NS, "bytes", shards=shards, outages=Outages(0.05))
    city = air.City(100_000, 200)
    city.window()
    air_rate = air.rate(city.window, lambda: city.sent, 30 if quick else 100)
    bytes_rate = telegram_rate("mode5", rounds=6 if quick else 20)
    tiles = Blocks.of(spec).tiles(plan.shard_count())
    begin = time.process_time()
    shard = play(plan, tiles[len(tiles) // 2])
    return ShardCost(time.process_time() - begin, shard.sent, shard.heard, air_rate, bytes_rate)
