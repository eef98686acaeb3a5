"""What each block sent and what was heard of it: exact in any cut and window, and the whole is the sum."""

from __future__ import annotations

import dataclasses

import numpy as np

from sim.city.conduct import run
from sim.city.plan import Blocks, CityPlan, Outages
from sim.city.shard import Shard
from sim.core.clock import NS_PER_S
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet_spec import FleetSpec
from sim.radio.site import Site
from sim.radio.site_spec import SiteSpec
from sim.world_spec import WorldSpec

FLEET = (FleetSpec("a", "vipa-c10", 1_900, interval_s=300.0), FleetSpec("b", "vipa-c10", 400, interval_s=120.0))
SPEC = WorldSpec("small", "A small city", FLEET, (GatewaySpec(count=4),), site=SiteSpec(path_loss_exponent=4.4))
PLAN = CityPlan(SPEC, 3, 1_800 * NS_PER_S, "radio", outages=Outages(1.0, 900.0), shards=1)


def test_blocks_are_counted_meter_by_meter() -> None:
    blocks, shard = Blocks.of(SPEC), Shard(PLAN, Blocks.of(SPEC).tiles(1)[0])
    due = shard.fleet.window(0, PLAN.duration_ns)
    heard = np.concatenate([shard.window(until_ns).meter.copy() for until_ns in PLAN.windows()])
    size = blocks.columns * blocks.rows
    told = run(PLAN).blocks
    assert (told["columns"], told["rows"]) == (blocks.columns, blocks.rows) == (3, 2)
    site = Site(SPEC.site, [group.count for group in FLEET], 0)
    column, row = np.rint(site.meters[:, :2] / site.pitch_m).astype(np.int64).T  # as the map has it
    block = row * blocks.columns + column
    assert told["sent"] == np.bincount(block[due.meter], minlength=size).tolist()
    assert told["heard"] == np.bincount(block[heard], minlength=size).tolist()
    assert 0 < min(told["heard"]) < max(told["heard"])


def test_neither_cut_nor_window_changes_them() -> None:
    whole = run(PLAN)
    assert sum(whole.blocks["sent"]) == whole.frames_sent
    assert sum(whole.blocks["heard"]) == whole.frames_heard
    for changes in ({"shards": 4}, {"shards": 6, "window_ns": 7 * NS_PER_S}):
        assert run(dataclasses.replace(PLAN, **changes)).blocks == whole.blocks  # type: ignore[arg-type]
