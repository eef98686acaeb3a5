"""What a seed means is pinned: exact figures of one small world and of five draws. Where one of these changes, every
seed that anybody wrote down means another run; say so in the changelog, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from sim.core.clock import NS_PER_HOUR
from sim.core.seeds import Seeds
from sim.endpoint.kinds.memory import MemorySpec
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet_spec import FleetSpec
from sim.world import World
from sim.world_spec import WorldSpec

SPEC = WorldSpec(
    "pinned", "Pinned",
    (
        FleetSpec("heat cost", "qundis-q-caloric", 4, security="mode7", interval_s=120.0),
        FleetSpec("water", "qundis-q-water", 3, security="mode5", link="C1", interval_s=120.0),
        FleetSpec("heat", "engelmann-sensostar", 2, security="none", link="S1", interval_s=300.0),
        FleetSpec("no time inside", "techem-radio-4", 3, security="mode5", interval_s=180.0),
    ),
    (GatewaySpec(count=2, bundle_age_s=120.0),), start=datetime(2026, 1, 12, 23),  # noqa: DTZ001  over midnight
    window_s=300.0, endpoint=MemorySpec(),
)  # fmt: skip


def test_the_history_of_a_small_world_is_what_it_was(tmp_path: Path) -> None:
    with World(SPEC, 1, tmp_path / "world") as world:
        world.run(2 * NS_PER_HOUR)
        world.finish()
        assert (world.frames_sent, world.stored.count_readings()) == PINNED_COUNTS
        assert world.history.digest == PINNED_DIGEST


PINNED_COUNTS = (594, 594)
PINNED_DIGEST = "1a01dbee9aa534a013046c1c6015aba1"


@pytest.mark.parametrize(
    ("draw", "drawn"),
    [
        (lambda seeds: seeds.one_u64("meter schedule", 2, 3, 4), 1_881_632_975_346_391_780),
        (lambda seeds: seeds.one_bytes16("meter key", 2).hex(), "8dab11f851a65f1946cba2e2da0e29dc"),
        (lambda seeds: seeds.one_normal_q16("meter clock", 2), 15_727),
        (lambda seeds: seeds.one_below("id step vipa-c10", 90_000_000, 0), 19_221_522),
        (lambda seeds: seeds.one_block("city outage", 5, 6), (3198714000, 3221613646, 3118350196, 2656024427)),
    ],
)
def test_a_draw_is_the_number_that_it_was(draw: Callable[[Seeds], object], drawn: object) -> None:
    assert draw(Seeds(1)) == drawn
