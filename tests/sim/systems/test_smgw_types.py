"""Smart meter gateways with one meter of every type, over a set date: what is delivered of each is its own register,
with the amounts that its telegrams said, and a wrong amount of any medium is seen."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bench.rig import checks
from sim.core.clock import NS_PER_HOUR
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds
from sim.smart_metering import smart_gateway
from sim.smart_metering.periods import period_ends
from sim.smart_metering.said_registers import Said, said
from sim.systems._smgw_invariants import delivered_true, leaves_as_allowed
from sim.systems._smgw_running import smgw
from sim.systems.port import Delivered
from sim.world import World
from sim.world_spec import WorldSpec
from tests.small_worlds import smart, smart_world

OBIS = {0x02: "1-0:1.8", 0x04: "6-0:1.0", 0x07: "8-0:1.0", 0x08: "4-0:1.0"}
BEGINS_ANEW_UNSAID = "ram-euris-2"
MIDNIGHT_S = int(datetime.fromisoformat("2025-12-31T23:00+00:00").timestamp())
"""Of German time, at which 2026 begins."""


def every_type(folder: Path) -> WorldSpec:
    """From two hours before the set date; each type in the best security that it has."""
    spec = smart(folder, system__attach=["none", "mode5", "mode7"])
    fleet = tuple(
        FleetSpec(name, name, 1, security=max(kind.securities), interval_s=120.0) for name, kind in kinds().items()
    )
    return replace(spec, fleet=fleet, start=datetime(2025, 12, 31, 22))  # noqa: DTZ001  local time of the site


@pytest.fixture(scope="module")
def new_year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("types")
    with World(every_type(folder), 1, folder / "world") as world:
        world.run(4 * NS_PER_HOUR)
        yield world


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Load profiles, whose values are signed one by one, and what a grid operator gets under pseudonyms."""
    folder = tmp_path_factory.mktemp("profile")
    with smart_world(folder, 1, system__taf=7, system__wired=1, system__feed_in=True) as world:
        yield world


def rows_of(world: World, type_id: str) -> list[Delivered]:
    (meter,) = [meter for meter in range(world.fleet.n) if world.fleet.kind(meter).id == type_id]
    return [row for row in world.system.delivered() if row.meter == str(world.fleet.address(meter))]


def test_every_value_of_every_type_is_as_it_must_be(new_year: World) -> None:
    assert checks.apply(new_year, attacked=False) == []


@pytest.mark.parametrize("type_id", kinds())
def test_each_type_has_the_register_of_its_medium(new_year: World, type_id: str) -> None:
    rows = rows_of(new_year, type_id)
    medium = OBIS[kinds()[type_id].device_type]
    assert {row.obis.rpartition(".")[0] for row in rows} == {medium}
    hours = {row.until_s for row in rows if row.taf == 2}
    assert len(hours) == 4 - (type_id == BEGINS_ANEW_UNSAID), "a period an hour, but where a register went back"


@pytest.mark.parametrize("type_id", [name for name, kind in kinds().items() if kind.device_type == 0x08])
def test_a_value_at_the_set_date_is_of_the_midnight_that_ends_it(new_year: World, type_id: str) -> None:
    """Be it that the meter says 31 December or 1 January; one that dates nothing has no such value."""
    until_s = {row.until_s for row in rows_of(new_year, type_id) if row.taf == 6}
    dated = {slot.label for slot in kinds()[type_id].slots} & {"set_date", "set_day_after"}
    assert MIDNIGHT_S in until_s or not dated
    assert len(until_s) == (2 if dated else 0), "the year before's, too"


def test_a_wrong_amount_of_any_medium_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_more(row: object) -> Said | None:
        told = said(row)  # type: ignore[arg-type]
        return None if told is None else told._replace(value=told.value * 2 + Decimal("0.001"))

    monkeypatch.setattr(smart_gateway, "said", one_more)
    with World(every_type(tmp_path), 1, tmp_path / "world") as world:
        world.run(NS_PER_HOUR)
        (complaint,) = delivered_true(world)
        complained = int(complaint.split()[0])
        drawn = {row.meter for row in world.system.delivered() if row.taf == 2 and row.amount}
        assert complained >= len(drawn) >= 3


def test_periods_that_the_gateway_makes_finer_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever its rule is used: what a period is, the truth says in its own words."""

    def twice_as_often(taf: int, delivery_s: int, start_s: int, until_s: int) -> list[int]:
        step_s = delivery_s // 2
        return [number * step_s for number in range(start_s // step_s + 1, until_s // step_s + 1)]

    monkeypatch.setattr(period_ends, "__code__", twice_as_often.__code__)
    with smart_world(tmp_path, 1) as world:
        assert "no period of the contract" in "".join(leaves_as_allowed(world))
        assert delivered_true(world) != []


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("tariff", "tariff + 1", "tariff 1, must be tariff 0"), ("gateway", "'gw-9999'", "by gw-9999, must be by gw-0"),
        ("stored_ns", "stored_ns + 5", "must be when a container came"), ("signature", "NULL", "no signature over it"),
        ("signature", "(SELECT max(signature) FROM delivered WHERE taf = 7)", "no signature over it"),
    ],
)  # fmt: skip
def test_what_stands_beside_an_amount_is_held_against_the_truth(
    profile: World, column: str, value: str, said: str
) -> None:
    with sqlite3.connect(smgw(profile.system).disk / "values.sqlite") as database:
        where = "rowid = (SELECT min(rowid) FROM delivered WHERE taf = 7 AND amount IS NOT NULL)"
        (before,) = database.execute(f"SELECT {column} FROM delivered WHERE {where}").fetchone()
        database.execute(f"UPDATE delivered SET {column} = {value} WHERE {where}")
        database.commit()
        complaint = delivered_true(profile)
        database.execute(f"UPDATE delivered SET {column} = ? WHERE {where}", (before,))
        database.commit()
    assert said in "".join(complaint)
    assert delivered_true(profile) == []
