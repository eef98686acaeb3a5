"""What a country's shard costs beside what its parts cost by themselves, on the same frames and telegrams, in one
process and one run.

    processor time of the shard / (the air alone + the bytes alone)

The air alone: the schedule and the engine, given the shard's links, on every frame of its meters and its guard, with
its fading, weak links and outages. The bytes alone: the fleet, given the telegrams that were heard in the order of
meters, built as on the air. A shard pays besides for finding its links and its guard, for making its fleet, for picking
out what its own meters sent, for counting and digests: the ratio bounds that.
See docs/decisions/a-shard-beside-its-parts.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench import run_directory
from sim.city import conduct
from sim.city.plan import METERS_A_SHARD, Blocks, CityPlan, Outages
from sim.city.shard import Shard
from sim.core.clock import NS_PER_HOUR
from sim.world_spec import load


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
    twentieth of the meters, for 12 h. The parts are timed where the shard calls them, so whole and parts share what
    else the machine does."""
    spec = load(run_directory.ROOT / "scenarios" / "worlds" / "country-60m.toml")
    shards = -(-spec.meters // (METERS_A_SHARD // 20 if quick else METERS_A_SHARD))
    plan = CityPlan(spec, 1, (12 if quick else 24) * NS_PER_HOUR, "bytes", shards=shards, outages=Outages(0.05))
    tiles = Blocks.of(spec).tiles(plan.shard_count())
    tile = tiles[len(tiles) // 2]
    if quick:
        conduct.play(plan, tile)  # what compiled code costs when it is loaded is no part of so short a run
    with _timed(Shard, "fly") as air_s, _timed(conduct, "built") as bytes_s:
        begin = time.process_time()
        shard = conduct.play(plan, tile)
        processor_s = time.process_time() - begin
    return ShardCost(processor_s, sum(air_s), sum(bytes_s), shard.sent, shard.heard)


@contextmanager
def _timed(owner: object, name: str) -> Iterator[list[float]]:
    """The processor seconds of each call of a function by this name, while it lasts."""
    took_s, original = list[float](), getattr(owner, name)

    def timed(*given: Any, **named: Any) -> Any:
        begin = time.process_time()
        try:
            return original(*given, **named)
        finally:
            took_s.append(time.process_time() - begin)

    setattr(owner, name, timed)
    try:
        yield took_s
    finally:
        setattr(owner, name, original)
