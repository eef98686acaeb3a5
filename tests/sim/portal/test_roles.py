"""Role by object: nobody sees a foreign row, and no two sums differ by one flat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bed import INTERVAL_S, Bed, telegram

from sim.core.clock import NS_PER_S, ns
from sim.portal.meter_registry import MeterEntry, Tenancy
from sim.portal.roles import Denied, Views
from wmbus.link import Address

WEEK_NS = ns(7 * 86_400)
MOVE_NS = ns(20 * INTERVAL_S)


def meter(flat: int, room: int) -> Address:
    return Address("QDS", f"6{flat:03d}{room:04d}", 0x36, 0x08)


@pytest.fixture
def b(tmp_path: Path) -> Bed:
    """Two houses: `big` with four flats of two rooms, `small` with two flats. Each meter counts (flat + 1) units a
    telegram, from 1 000. In flat 0 `anna` moved out and `ben` in at telegram 20."""
    entries = [
        MeterEntry(
            meter(flat, room), "mode5", INTERVAL_S, frozenset({"gw1"}), flat=f"flat {flat}",
            house="big" if flat < 4 else "small",
        )
        for flat in range(6)
        for room in range(2)
    ]  # fmt: skip
    tenancies = [
        Tenancy("anna", "flat 0", 0, MOVE_NS), Tenancy("ben", "flat 0", MOVE_NS),
        *(Tenancy(f"tenant {flat}", f"flat {flat}") for flat in range(1, 6)),
    ]  # fmt: skip
    landlords = [("lord", "big"), ("lord", "small"), ("lady", "small")]
    bed = Bed(tmp_path, entries=entries, tenancies=tenancies, landlords=landlords)
    for k in range(1, 41):
        heard = [
            (telegram(k, meter=meter(flat, room), units=1_000 + k * (flat + 1)), k * INTERVAL_S)
            for flat in range(6)
            for room in range(2)
        ]
        bed.take(bed.message("gw1", heard), now_s=k * INTERVAL_S + 5)
    assert bed.portal.store.count_readings() == 480
    return bed


def test_tenants_see_their_own_and_nothing_else(b: Bed) -> None:
    views = Views(b.portal.store)
    for flat in range(1, 6):
        rows = views.tenant(f"tenant {flat}", WEEK_NS)
        assert {(row.meter, row.flat) for row in rows} == {(str(meter(flat, r)), f"flat {flat}") for r in (0, 1)}
        assert len(rows) == 80
        assert [row.units for row in rows[:40]] == [k * (flat + 1) for k in range(40)]


def test_a_change_of_tenant(b: Bed) -> None:
    views = Views(b.portal.store)
    before = views.tenant("anna", MOVE_NS - 1)
    assert before and all(row.at_ns < MOVE_NS for row in before)
    with pytest.raises(Denied, match="no tenant now"):
        views.tenant("anna", MOVE_NS)
    with pytest.raises(Denied, match="no tenant now"):
        views.tenant("ben", MOVE_NS - 1)
    after = views.tenant("ben", WEEK_NS)
    assert all(row.at_ns >= MOVE_NS for row in after)
    assert after[0].units == 0 and max(row.units for row in after) == 20  # not anna's total


def test_each_rule_holds_its_own(b: Bed) -> None:
    """Without one rule just what it stands against is told."""

    def told(*rules: str) -> tuple[bool, bool, bool, bool]:
        views, end_ns = Views(b.portal.store, rules), told_until.pop()
        return (
            _is_told(lambda: views.tenant("tenant 1", WEEK_NS, "flat 2")),
            _is_told(lambda: views.tenant("anna", WEEK_NS, "flat 0")),
            _is_told(lambda: views.landlord("lady", "small", 0, end_ns)),
            _is_told(lambda: (views.landlord("lord", "big", 0, end_ns), views.landlord("lord", "big", 1, end_ns))),
        )

    told_until = [WEEK_NS + step for step in range(5)]
    all_four = ("own flat", "own time", "three flats", "no overlap")
    without = [told(*(one for one in all_four if one != rule)) for rule in all_four]
    assert without == [tuple(place == which for place in range(4)) for which in range(4)]
    assert told() == (True, True, True, True)


def _is_told(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Denied:
        return False
    return True


@pytest.mark.parametrize("name", ["stranger", "lord", "", "tenant 1' OR '1'='1", "%"])
def test_strangers_see_nothing(b: Bed, name: str) -> None:
    with pytest.raises(Denied):
        Views(b.portal.store).tenant(name, WEEK_NS)


def test_landlord_gets_the_sum_and_the_same_sum_again(b: Bed) -> None:
    views = Views(b.portal.store)
    half_ns = ns(20 * INTERVAL_S + 100)
    first = views.landlord("lord", "big", 0, half_ns)
    second = views.landlord("lord", "big", half_ns, WEEK_NS)
    a_step = 2 * (1 + 2 + 3 + 4)  # units all meters of the house count from one telegram to the next
    assert (first.units, first.flats) == (19 * a_step, 4)
    assert second.units == 20 * a_step  # periods that touch lose nothing between them
    entry = meter(0, 0)
    b.take(b.message("gw1", [(telegram(41, meter=entry, units=9_999), 41 * INTERVAL_S)]), now_s=41 * INTERVAL_S + 5)
    assert views.landlord("lord", "big", half_ns, WEEK_NS) == second  # a later reading cannot be told by asking again


def test_landlord_is_denied_differences(b: Bed) -> None:
    views = Views(b.portal.store)
    views.landlord("lord", "big", 0, WEEK_NS)
    for from_ns, until_ns in ((0, WEEK_NS - NS_PER_S), (NS_PER_S, WEEK_NS), (WEEK_NS - 1, WEEK_NS + 1)):
        with pytest.raises(Denied, match="overlaps"):
            views.landlord("lord", "big", from_ns, until_ns)
    with pytest.raises(Denied, match="empty"):
        views.landlord("lord", "big", WEEK_NS, WEEK_NS)


@pytest.mark.parametrize(
    ("landlord", "house", "says"),
    [
        ("lord", "small", "2 flats"), ("lady", "small", "2 flats"), ("lady", "big", "not a house of"),
        ("tenant 1", "big", "not a house of"), ("lord", "none", "not a house of"),
    ],
)  # fmt: skip
def test_landlord_matrix(b: Bed, landlord: str, house: str, says: str) -> None:
    with pytest.raises(Denied, match=says):
        Views(b.portal.store).landlord(landlord, house, 0, WEEK_NS)


def test_operator_sees_devices_and_no_consumption(b: Bed) -> None:
    entry = meter(5, 1)
    b.take(b.message("gw1", [(telegram(41, meter=entry, sts=0x04), 41 * INTERVAL_S)]), now_s=41 * INTERVAL_S + 5)
    b.take(b.message("gw1", [(telegram(41, meter=entry), 42 * INTERVAL_S)]), now_s=42 * INTERVAL_S)
    rows = Views(b.portal.store).operator()
    assert len(rows) == 12
    assert not {"units", "set_date_units", "flat", "house", "tenant", "volume_m3"} & set(rows[0]._fields)
    last = rows[-1]
    assert (last.meter, last.taken, last.refused, last.rssi_dbm) == (str(entry), 41, 1, -70.0)
    assert [row.low_battery for row in rows] == [False] * 11 + [True]
    assert not last.fault


def test_a_reset_total_counts_from_zero(tmp_path: Path) -> None:
    """At the set date the meter begins again: what it then shows was counted since."""
    entry = MeterEntry(meter(1, 0), "mode5", INTERVAL_S, frozenset({"gw1"}), flat="f", house="h")
    bed = Bed(tmp_path, entries=[entry], tenancies=[Tenancy("t", "f")])
    for k, units in enumerate((500, 510, 4, 9), start=1):
        assert bed.hear(telegram(k, meter=entry.address, units=units), k * INTERVAL_S) is None
    assert [row.units for row in Views(bed.portal.store).tenant("t", WEEK_NS)] == [0, 10, 14, 19]
