"""The yardstick: rows as the portal stores them are clean for every meter type and security, and each column that is
damaged is named, alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.rig.checks import values_true
from sim.core.clock import NS_PER_S
from sim.endpoint.kinds.memory import MemorySpec
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import TAMPERS, kinds
from sim.portal import interpret
from sim.portal.portal_spec import PortalSpec
from sim.portal.reading_columns import SAID
from sim.portal.store import Reading
from sim.truth.differs import Yardstick, expected, numbers
from sim.truth.stored_rows import columns_of
from sim.world import World
from sim.world_spec import WorldSpec
from tests.small_worlds import keyless

START = datetime(2026, 1, 12, 8)  # noqa: DTZ001  local time of the site
EACH = 1 + len(TAMPERS)


class Stored(NamedTuple):
    """Rows of a world's portal, and which telegram each is."""

    world: World
    rows: list[Reading]
    meter: NDArray[np.int64]
    k: NDArray[np.int64]

    def differs(self, rows: list[Reading] | None = None) -> dict[str, NDArray[np.bool_]]:
        fleet = self.world.fleet
        known = {str(fleet.address(m)): number for m, number in enumerate(numbers(fleet).tolist())}
        columns = columns_of(self.rows if rows is None else rows, known)
        return Yardstick(fleet).differs(columns, self.meter, self.k)


def spec(fleet: tuple[FleetSpec, ...]) -> WorldSpec:
    return WorldSpec(
        "types", "Types", fleet, (GatewaySpec(count=1, bundle_age_s=60.0),), start=START, window_s=60.0,
        endpoint=MemorySpec(), portal=PortalSpec(checks=()),
    )  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """Every type in every security it sends: one meter that is well, one tampered with in each way."""
    fleet = tuple(
        FleetSpec(f"{name} {security}", name, EACH, security=security, interval_s=120.0)
        for name, kind in kinds().items()
        for security in kind.securities
    )
    with World(spec(fleet), 1, tmp_path_factory.mktemp("types") / "world") as world:
        for meter in range(world.fleet.n):
            if meter % EACH:
                world.tamper(meter, TAMPERS[meter % EACH - 1])
        world.run(200 * NS_PER_S)
        for meter in range(EACH - 1, world.fleet.n, EACH):
            world.fleet.reset(meter, world.now_ns)  # what was stored of it until now stays true
        world.run(200 * NS_PER_S)
        rows = world.truth.readings
        sent = [world.truth.known(row.fingerprint) for row in rows]
        meter, k = (np.array([getattr(one, name) for one in sent]) for name in ("meter", "k"))
        yield Stored(world, rows, meter, k)


def test_every_type_security_and_fault_is_there(stored: Stored) -> None:
    assert set(stored.meter.tolist()) == set(range(stored.world.fleet.n))
    assert {row.tamper for row in stored.rows} == {0, 1}
    for column in SAID:
        least = 1 if column == "set_date" else 2  # whatever they say, all types mean one day
        assert len({getattr(row, column) for row in stored.rows} - {None}) >= least, column


def test_a_meter_that_was_tampered_with_says_so_where_it_has_a_status_byte(stored: Stored) -> None:
    shown = {row.meter for row in stored.rows if row.tamper}
    tampered = set(stored.world.truth.tampered())
    silent = {kind.id for kind in kinds().values() if kind.tpl_for("none") != kind.tpl_for("mode5")}
    assert shown <= tampered
    hidden = {stored.world.fleet.find(address) for address in tampered - shown}
    assert {stored.world.fleet.kind(meter).id for meter in hidden} <= silent
    assert {stored.world.fleet.security(meter) for meter in hidden} <= {"none"}


def test_what_was_sent_is_clean(stored: Stored) -> None:
    assert not [column for column, where in stored.differs().items() if where.any()]
    assert stored.world.truth.altered() == []


def later(text: str | None, **step: int) -> str:
    moment = START if text is None else datetime.fromisoformat(text)
    return (moment + timedelta(**step)).isoformat(timespec="minutes")


def day_after(text: str | None) -> str:
    return ((START.date() if text is None else date.fromisoformat(text)) + timedelta(days=1)).isoformat()


Damage = Callable[[Any], Any]
NUMBER: dict[str, Damage] = {
    "one more": lambda value: 0 if value is None else value + 1,
    "one less": lambda value: -1 if value is None else value - 1,
    "no integer": lambda value: 0.5 if value is None else value + 0.5,
    "text": lambda _value: "x",
    "far": lambda value: (value or 0) + (1 << 40),
}
REAL: dict[str, Damage] = {
    "a thousandth more": lambda value: 0.001 if value is None else value + 0.001,
    "a little more": lambda value: 1e-9 if value is None else value + 1e-6,
    "infinite": lambda _value: float("inf"),
    "text": lambda _value: "x",
}
DAMAGES: dict[str, dict[str, Damage]] = {
    "meter": {"another": lambda _value: "QDS 00000001 36 08", "none": lambda _value: ""},
    "meter_time": {
        "a minute later": lambda text: later(text, minutes=1), "a day later": lambda text: later(text, days=1),
        "a century later": lambda text: later(text, days=36_525), "garbage": lambda _text: "today",
    },
    "set_date": {"a day later": day_after, "garbage": lambda _text: "x"},
    "security": {"another": lambda text: "mode7" if text != "mode7" else "none", "unknown": lambda _text: "mode9"},
    "tamper": {"the other": lambda value: 1 - value, "two": lambda _value: 2},
    **dict.fromkeys(("units", "set_date_units", "acc", "counter", "status"), NUMBER),
    **dict.fromkeys(("volume_m3", "energy_kwh"), REAL),
}  # fmt: skip


@pytest.mark.parametrize(
    ("column", "damage"), [(column, damage) for column, damages in DAMAGES.items() for damage in damages]
)
def test_each_damaged_column_is_named_for_every_type(stored: Stored, column: str, damage: str) -> None:
    assert set(DAMAGES) == set(SAID)
    change = DAMAGES[column][damage]
    damaged = [row._replace(**{column: change(getattr(row, column))}) for row in stored.rows]
    differs = stored.differs(damaged)
    assert differs.pop(column).all()
    assert not [other for other, where in differs.items() if where.any()]


@pytest.mark.parametrize("column", [column for column in SAID if column not in ("meter", "security", "status")])
def test_a_column_left_out_is_named(stored: Stored, column: str) -> None:
    had = np.array([getattr(row, column) is not None for row in stored.rows])
    left = stored.differs([row._replace(**{column: None}) for row in stored.rows])
    assert had.any()
    assert (left[column] == had).all()


def test_the_telegram_before_is_another_one(stored: Stored) -> None:
    before = stored._replace(k=stored.k - 1)
    differs = before.differs()
    headed = np.array([row.acc is not None for row in stored.rows])
    assert (differs["acc"] == headed).all()
    assert not differs["meter"].any()


def test_each_type_is_known_to_tell_a_consumption() -> None:
    for kind in kinds().values():
        assert {"units", "volume_m3", "energy_kwh"} & set(expected(kind)), kind.id


# --- a portal that is wrong -----------------------------------------------------------------------------------------


@pytest.fixture
def three(tmp_path: Path) -> Iterator[World]:
    """Heat cost, water and heat."""
    fleet = tuple(
        FleetSpec(name, name, 3, security="mode5", interval_s=60.0)
        for name in ("qundis-q-caloric", "qundis-q-water", "engelmann-sensostar")
    )
    with World(spec(fleet), 1, tmp_path / "world") as made:
        yield made


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Most comes too late."""
    fleet = tuple(FleetSpec(name, name, 3, security="mode5", interval_s=120.0) for name in ("vipa-c10", "sontex-868"))
    portal = PortalSpec(checks=("age",), age_max_s=1.0, ts_tolerance_s=60.0)
    made = replace(spec(fleet), portal=portal, gateway=(GatewaySpec(count=1, bundle_age_s=900.0),), window_s=1_800.0)
    with World(made, 1, tmp_path_factory.mktemp("late") / "world") as world:
        world.run(1_800 * NS_PER_S)
        yield world


def assert_noticed(world: World, column: str) -> None:
    world.run(300 * NS_PER_S)
    altered = world.truth.altered()
    scaled = [row.fingerprint for row in world.truth.readings if getattr(row, column)]
    assert [one.row.fingerprint for one in altered] == scaled
    assert len(scaled) >= 10
    assert {(one.how, one.columns) for one in altered} == {("wrong", (column,))}
    (problem,) = values_true.check(world, False)
    assert f"differ from what was sent in {column}" in problem


@pytest.mark.parametrize("column", ["units", "set_date_units", "volume_m3", "energy_kwh"])
def test_a_portal_that_doubles_a_quantity_is_noticed(three: World, column: str) -> None:
    keyless(three).portal.store.connection.execute(
        f"CREATE TRIGGER doubled AFTER INSERT ON readings BEGIN UPDATE readings SET {column} = 2 * {column} "
        "WHERE rowid = new.rowid; END"
    )
    assert_noticed(three, column)


@pytest.fixture
def no_meaning_kept() -> Iterator[None]:
    """Of a table that a test changes."""
    interpret.meaning.cache_clear()
    yield
    interpret.meaning.cache_clear()


@pytest.mark.parametrize("column", ["volume_m3", "energy_kwh"])
def test_a_portal_that_divides_wrongly_is_noticed(
    three: World, no_meaning_kept: None, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    """The one table says it to both of the portal's ways of reading, and not to the truth."""
    for key, one in list(interpret._MEANINGS.items()):
        if one.column == column:
            monkeypatch.setitem(interpret._MEANINGS, key, one._replace(divisor=2 * one.divisor))
    assert_noticed(three, column)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("meter_time", "'2026-01-12T03:00'"), ("units", "units + 1"), ("set_date", "'2020-12-31'"),
        ("set_date_units", "set_date_units + 1"), ("security", "'mode7'"), ("security", "NULL"),
        ("meter", "'QDS 00000001 36 08'"), ("units", "'x'"),
    ],
)  # fmt: skip
def test_values_of_late_telegrams_are_held_against_what_was_sent(late: World, column: str, value: str) -> None:
    """Bills use them as they use readings."""
    store = keyless(late).portal.store
    assert len(late.stored.refusals("late")) >= 10
    assert values_true.check(late, False) == []
    where = "rowid = (SELECT min(rowid) FROM refusals WHERE units IS NOT NULL)"
    ((before, row),) = store.connection.execute(f"SELECT {column}, rowid FROM refusals WHERE {where}").fetchall()
    store.connection.execute(f"UPDATE refusals SET {column} = {value} WHERE {where}")
    problems = values_true.check(late, True)
    store.connection.execute(f"UPDATE refusals SET {column} = ? WHERE rowid = {row}", (before,))
    assert len(problems) == 1 and problems[0].startswith(f"1 late telegrams differ from what was sent in {column},")


def test_eight_columns_rewritten_by_hand_are_noticed(three: World) -> None:
    three.run(300 * NS_PER_S)
    for row, change in enumerate((
        "set_date_units = set_date_units + 1", "meter_time = '2026-01-12T03:00'", "volume_m3 = 1.5",
        "energy_kwh = 2.5", "tamper = 1", "counter = 7", "security = 'mode7'", "set_date = '2020-12-31'",
    )):  # fmt: skip
        which = f"SELECT rowid FROM readings WHERE units IS NOT NULL ORDER BY rowid LIMIT 1 OFFSET {row}"
        done = keyless(three).portal.store.connection.execute(f"UPDATE readings SET {change} WHERE rowid = ({which})")
        assert done.rowcount == 1
    assert [one.columns for one in three.truth.altered()] == [
        ("set_date_units",), ("meter_time",), ("volume_m3",), ("energy_kwh",), ("tamper",), ("counter",),
        ("security",), ("set_date",),
    ]  # fmt: skip
