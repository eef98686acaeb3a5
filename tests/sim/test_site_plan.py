"""What a world's spec alone decides: at its bounds, and one function for the world, for shards and for the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim import site_plan
from sim.city.plan import CityPlan
from sim.city.shard import Shard
from sim.city.shard_bundles import Bundles
from sim.city.stored_readings import _meter_table
from sim.core.clock import NS_PER_HOUR, ns
from sim.core.seeds import Seeds
from sim.endpoint.kinds.memory import MemorySpec
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.portal.meter_registry import MeterEntry
from sim.radio.site_spec import SiteSpec
from sim.site_plan import PLANNED_SILENCE_NS, can_ever_hear, gateway_ids, under_way_most_ns
from sim.world import World
from sim.world_spec import WorldSpec

MASKED = FleetSpec("m", "engelmann-sensostar", 40, interval_s=1_800.0, mask="workdays 08-18")
SPEC = WorldSpec(
    "plan", "Two groups, gateways out of order", (FleetSpec("a", "vipa-c10", 40, interval_s=1_800.0), MASKED),
    (GatewaySpec("z", count=2, bundle_age_s=100.0), GatewaySpec("a", bundle_age_s=300.0, sensitivity_dbm=-80.0)),
    site=SiteSpec(path_loss_exponent=3.6), endpoint=MemorySpec(), window_s=60.0,
)  # fmt: skip


def of_world(folder: Path) -> list[MeterEntry]:
    with World(SPEC, 1, folder) as world:
        return sorted(world.system.registry, key=lambda entry: str(entry.address))


def of_city() -> list[MeterEntry]:
    plan = CityPlan(SPEC, 1, NS_PER_HOUR, "readings", shards=1)
    shard = Shard(plan, (slice(0, 1), slice(0, 1)))
    air_ns = np.asarray(shard.engine.radios.duration_ns, dtype=np.int64)
    table = _meter_table(SPEC, shard, Bundles(SPEC, shard.receivers, shard.own, air_ns, [[] for _ in shard.receivers]))
    return sorted((table.entry(row) for row in range(len(table))), key=lambda entry: str(entry.address))


def facts(entries: list[MeterEntry]) -> list[tuple[str, frozenset[str], float, float]]:
    return [(str(one.address), one.gateways, one.planned_silence_s, one.interval_s) for one in entries]


def test_world_and_city_write_down_the_same(tmp_path: Path) -> None:
    assert facts(of_world(tmp_path)) == facts(of_city())


@pytest.mark.parametrize(("name", "value"), [("PLANNED_SILENCE_NS", 65 * NS_PER_HOUR), ("BIND_SIGMAS", 1)])
def test_an_edit_changes_both(name: str, value: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = facts(of_world(tmp_path / "before"))
    monkeypatch.setattr(site_plan, name, value)
    after = facts(of_world(tmp_path / "after"))
    assert after == facts(of_city()) and after != before


def test_a_margin_ends_at_its_last_hundredth() -> None:
    """Five sigmas: 15 dB below the sensitivity, where fading is 3 dB."""
    site = SiteSpec(fading_db=3.0)
    edge = -11_500
    levels = np.array([edge - 1, edge, edge + 1])
    assert can_ever_hear(site, levels, np.full(3, -10_000)).tolist() == [False, True, True]


def test_planned_silence_is_the_longest_pause_of_the_mask_and_two_hours() -> None:
    """Friday 18:00 to Monday 08:00, and what clocks and intervals may add. An hour more or less is noticed."""
    fleet = Fleet([MASKED], Seeds(1), start=SPEC.start)
    starts = np.sort(fleet.window(0, 14 * 24 * NS_PER_HOUR).start_ns)
    pause_ns = int(np.diff(starts).max())
    assert abs(PLANNED_SILENCE_NS - pause_ns - 2 * NS_PER_HOUR) < NS_PER_HOUR // 2
    assert [site_plan.planned_silence_ns(group) for group in SPEC.fleet] == [0, PLANNED_SILENCE_NS]


def test_under_way_is_the_longest_age_two_windows_and_the_transport() -> None:
    assert under_way_most_ns(SPEC) == ns(300.0 + 2 * 60.0 + 60.0)
    assert under_way_most_ns(SPEC, 10.0) == under_way_most_ns(SPEC) + ns(20.0)


def test_gateways_are_numbered_within_their_group() -> None:
    assert gateway_ids(SPEC) == ["z-0001", "z-0002", "a-0001"]
    receivers = site_plan.gateway_receivers(SPEC)
    assert receivers.sensitivity_cdbm.tolist() == [-10_000, -10_000, -8_000]
