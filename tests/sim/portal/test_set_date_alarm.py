"""A set date whose value changes: told until the first value is back, and never of a fleet that is well."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from bed import INTERVAL_S, KEY, METER, Bed, bcd, telegram

from sim.core.clock import NS_PER_HOUR
from sim.core.events import AlarmRaised
from sim.endpoint.kinds.memory import MemorySpec
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds
from sim.portal.meter_registry import MeterEntry
from sim.portal.portal_spec import PortalSpec
from sim.world import World
from sim.world_spec import WorldSpec
from wmbus.link import Address
from wmbus.telegram import build


def told(bed: Bed) -> dict[str, str]:
    return bed.portal.alarms.open("set date")


def test_another_value_at_a_set_date_stands_until_the_first_is_back(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.run([1, 2], set_units=145)
    assert told(bed) == {}
    bed.run([3], set_units=9_145)
    assert told(bed) == {str(METER): "9145 units at a set date that had 145 before"}
    bed.restart()
    bed.run([4], set_units=9_145)
    assert list(told(bed)) == [str(METER)] and bed.kinds().count("set date") == 1
    bed.run([5], set_units=145)
    assert told(bed) == {}


def test_a_telegram_without_the_value_changes_nothing(tmp_path: Path) -> None:
    bed = Bed(tmp_path, PortalSpec(checks=()))
    bed.run([1], set_units=145)
    bare = build(METER, 2, 0, b"\x0b\x6e" + bcd(120, 3), security="mode5", key=KEY)
    bed.hear(bare, 2 * INTERVAL_S)
    bed.run([3], set_units=145)
    assert bed.kinds() == []


def test_an_exchanged_meter_has_a_memory_of_its_own(tmp_path: Path) -> None:
    other = Address("QDS", "10000002", 0x36, 0x08)
    entries = [MeterEntry(one, "mode5", INTERVAL_S, frozenset({"gw1"})) for one in (METER, other)]
    bed = Bed(tmp_path, entries=entries)
    bed.run([1], set_units=145)
    assert bed.hear(telegram(2, meter=other, set_units=3), 2 * INTERVAL_S) is None
    assert bed.kinds() == []


def test_no_meter_of_a_fleet_that_is_well_has_it_over_its_set_date(tmp_path: Path) -> None:
    """Every type in every security, over the midnight of 31 December, each of whose clocks is some seconds off."""
    groups = tuple(
        FleetSpec(f"{one.id} {security}", one.id, 2, security=security, link=one.links[0], interval_s=600.0)
        for one in kinds().values()
        for security in one.securities
    )
    start = datetime(2026, 12, 31, 22)  # noqa: DTZ001  the calendar makes it UTC
    spec = WorldSpec("new year", "New year", groups, (GatewaySpec(count=2, bundle_age_s=900.0),), start=start,
                     window_s=900.0, endpoint=MemorySpec())  # fmt: skip
    with World(spec, 1, tmp_path / "world") as world:
        world.run(4 * NS_PER_HOUR)
        dates = {row.set_date for row in world.stored.readings() if row.set_date_units is not None}
        assert {"2025-12-31", "2026-12-31"} <= dates
        assert [one for one in world.history.of(AlarmRaised) if one.kind == "set date"] == []
