"""How many of a city's telegrams its gateways hear, from an hour of one shard's air.

The bound on what stored readings take counts every telegram that is sent. Where that does not fit on the disk, what a
sample hears is counted instead: the bytes of a reading have a third to spare, and nothing is down or jammed in it, so
it is still more than will be taken.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sim.city.plan import Blocks, CityPlan, Outages
from sim.city.shard import Shard
from sim.city.workers import pool

WINDOWS: Final = 4


def heard_share(plan: CityPlan) -> float:
    """Of the telegrams sent, in a process of its own, whose memory is gone before the run begins. 1 where the sample
    sent nothing. Raises CityLimit."""
    with pool(1) as begin:
        share: float = begin(sampled, plan).result()
    return share


def sampled(plan: CityPlan) -> float:
    """Of the shard in the middle: one at an edge has fewer gateways around it."""
    calm = replace(plan, depth="radio", out=None, outages=Outages(), dead=(), jammers=())
    tiles = Blocks.of(plan.spec).tiles(plan.shard_count())
    shard = Shard(calm, tiles[len(tiles) // 2])
    sent = heard = 0
    for until_ns in calm.windows()[:WINDOWS]:
        found = shard.window(until_ns)
        sent, heard = sent + found.sent, heard + len(found.meter)
    return heard / sent if sent else 1.0
