"""What a country's shard costs beside what its parts cost by themselves, on the same frames and telegrams, in one
process and one run.

    processor time of the shard / (the air alone + the bytes alone)

The air alone: the schedule and the engine, given the shard's links, on every frame of its meters and its guard, with
its fading, weak links and outages. The bytes alone: the fleet, given the telegrams that were heard in the order of
meters. A shard pays besides for finding its links and its guard, for making its fleet, for picking out what its own
meters sent, for counting and digests: the ratio bounds that. See docs/decisions/a-shard-beside-its-parts.md.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from bench import run_directory
from sim.city.conduct import built, play
from sim.city.plan import METERS_A_SHARD, Blocks, CityPlan, Outages
from sim.city.shard import Shard
from sim.world_spec import load

_HOUR_NS: Final = 3_600 * 10**9


@dataclass(frozen=True, slots=True)
class ShardCost:
    """Seconds of processor time, and what they bought."""

    processor_s: float
    air_s: float
    bytes_s: float
    sent: int
    received: int

    @property
    def ratio(self) -> float:
        return self.processor_s / (self.air_s + self.bytes_s)


def shard_cost(quick: bool) -> ShardCost:
    """One shard from the middle of country-60m: 2 M meters for 24 h at 900 s with outages, encrypted bytes. `quick`: a
    twentieth of the meters, for 12 h. Raises RuntimeError where the parts had other work than the whole."""
    spec = load(run_directory.ROOT / "scenarios" / "worlds" / "country-60m.toml")
    shards = -(-spec.meters // (METERS_A_SHARD // 20 if quick else METERS_A_SHARD))
    plan = CityPlan(spec, 1, (12 if quick else 24) * _HOUR_NS, "bytes", shards=shards, outages=Outages(0.05))
    tiles = Blocks.of(spec).tiles(plan.shard_count())
    tile = tiles[len(tiles) // 2]
    if quick:
        play(plan, tile)  # what compiled code costs when it is loaded is no part of so short a run
    begin = time.process_time()
    whole = play(plan, tile)
    processor_s = time.process_time() - begin
    cost = _parts(plan, Shard(plan, tile), processor_s)
    if (cost.sent, cost.received) != (whole.sent, whole.heard):
        raise RuntimeError(f"the parts played {cost.sent} frames and {cost.received} telegrams, the shard {whole.sent} "
                           f"and {whole.heard}")  # fmt: skip
    return cost


def _parts(plan: CityPlan, shard: Shard, processor_s: float) -> ShardCost:
    """The same windows; between the parts, what picks out the telegrams is not timed."""
    air_s = bytes_s = 0.0
    sent = received = 0
    for until_ns in plan.windows():
        begin = time.process_time()
        played = shard.fly(until_ns)
        flown = time.process_time()
        heard = shard.pick(played)
        picked = time.process_time()
        built(shard, heard, until_ns)
        air_s, bytes_s = air_s + flown - begin, bytes_s + time.process_time() - picked
        sent, received = sent + heard.sent, received + len(heard.meter)
    return ShardCost(processor_s, air_s, bytes_s, sent, received)
