"""Wired meters in a world of the system smgw: each value is what the house counted, whatever was cut, and the checks
that say so go red for each defect; what leaves is no finer than allowed."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bench.rig import checks
from bench.rig.checks import of_the_system
from sim.core.clock import NS_PER_S
from sim.core.settings import SpecError
from sim.faults.gateway_power_cut import PowerCut
from sim.faults.port import CannotInject
from sim.faults.wired_bus_cut import WiredBusCut
from sim.smart_metering.han import export
from sim.smart_metering.han.bill_check import AGREES, DIFFERS
from sim.smart_metering.han.dialects.emh import ORIGIN
from sim.smart_metering.han.han_client import HanClient
from sim.smart_metering.han.household import amount
from sim.smart_metering.lmn import wired_side
from sim.smart_metering.lmn.wired_bus import WiredBus
from sim.smart_metering.lmn.wired_meter import DRAWN
from sim.smart_metering.lmn.wired_plan import meter_name
from sim.smart_metering.smart_gateway import SmartGateway
from sim.systems._smgw_invariants import delivered_true, leaves_as_allowed, wired_true
from sim.systems._smgw_running import smgw
from sim.truth.delivered_values import expected, wrong_values
from sim.truth.released_values import finer_than_allowed
from sim.truth.wired_values import last_met_s
from sim.world import World
from tests.small_worlds import another_number, smart, smart_world

HOUR = 3_600 * NS_PER_S
COUNT = 2


def run(folder: Path, hours: int = 2, **settings: object) -> World:
    return smart_world(folder, hours, **{"system__wired": COUNT, **settings})


@pytest.fixture(scope="module")
def two_hours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with run(tmp_path_factory.mktemp("wired")) as world:
        yield world


def wired_rows(world: World) -> list[Any]:
    return [one for one in world.system.delivered() if one.meter.startswith("1WMB")]


def test_every_check_holds_and_every_value_is_there(two_hours: World) -> None:
    assert checks.apply(two_hours, attacked=False) == []
    rows = wired_rows(two_hours)
    assert len(rows) == len(two_hours.gateways) * COUNT * 2 * 3 * 2, "gateways, meters, registers, zones, hours"
    assert {one.meter for one in rows} == {meter_name(n) for n in range(len(two_hours.gateways) * COUNT)}
    assert sum(one.amount or 0 for one in rows) > 0
    assert all(one.amount == 0 for one in rows if one.tariff == 63)


def test_equal_worlds_have_one_history_whatever_tls_drew(two_hours: World, tmp_path: Path) -> None:
    with run(tmp_path) as again:
        assert again.history.digest == two_hours.history.digest
        relayed = [[one.payload for one in smgw(world.system).administrator.relayed] for world in (again, two_hours)]
        assert relayed[0] == relayed[1]


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"system__wired_tls": False}, marks=pytest.mark.night),
        {"system__wired_pairing": "meter key"},
        {"start": datetime(2026, 1, 12, 10, 50)},  # noqa: DTZ001  beside the quarter hours
        {"gateway__clock_offset_s": 28.0},
        pytest.param({"gateway__clock_offset_s": 28.0, "system__flag_clock": False}, marks=pytest.mark.night),
        pytest.param({"gateway__clock_offset_s": -20.0}, marks=pytest.mark.night),
    ],
)  # fmt: skip
def test_truth_and_gateway_agree_in_every_kind_of_world(tmp_path: Path, settings: dict[str, object]) -> None:
    with run(tmp_path, gateway__count=1, **settings) as world:
        assert wired_true(world) == []
        assert delivered_true(world) == []
        has = bool(wired_rows(world))
        assert has == (settings != {"gateway__clock_offset_s": 28.0})


def test_cuts_of_wire_and_power_cost_no_value(tmp_path: Path) -> None:
    with run(tmp_path, hours=1, system__taf=7) as world:
        world.fault(WiredBusCut(duration_s=5_000.0))
        world.fault(PowerCut(gateway=1, duration_s=4_000.0))
        world.run(HOUR)
        assert last_met_s(world, 0) == int(world.calendar.start.timestamp()) + 3_600
        late = len(wired_rows(world))
        world.run(2 * HOUR)
        assert checks.apply(world, attacked=False) == []
        assert len(wired_rows(world)) == len(world.gateways) * COUNT * 2 * 4 * 5 > late


def test_a_world_without_a_bus_cannot_have_it_cut(tmp_path: Path) -> None:
    with run(tmp_path, hours=0, system__wired=0) as world, pytest.raises(CannotInject, match="needs wired bus"):
        world.fault(WiredBusCut())
    with pytest.raises(SpecError, match="wired"):
        smart(tmp_path, system__wired=61)


# --- whose they are -------------------------------------------------------------------------------------------------


def test_a_household_sees_its_own_wired_meter_and_not_the_neighbours(two_hours: World) -> None:
    """Over TLS, with a login each; bills of wired meters are worked out again from what the gateway signs."""
    system = smgw(two_hours.system)
    homes, gateway = system.homes, system.gateways[0]
    home = homes.at(0)
    wired = {gateway.owner_of(meter_name(n)): meter_name(n) for n in range(COUNT)}
    assert len(wired) == COUNT and set(wired) <= set(home.users)
    bills = {owner: [one.value for one in system.portal.stored() if one.value.meter == meter]
             for owner, meter in wired.items()}  # fmt: skip
    with home.serving() as port:
        for owner, meter in wired.items():
            household = homes.household(home, owner)
            shown = [one for one in household.display(port) if ".1wmb" in one.register]
            codes = [export.logical_name(meter, code) for code in ("1-0:1.8.0*255", "1-0:2.8.0*255")]
            assert [one.register for one in shown] == codes
            drawn = next(one for one in home.source.holding().meters if (one.name, one.obis[4]) == (meter, "1"))
            row = gateway.wired.store.of(meter, DRAWN)[-1]  # type: ignore[union-attr]
            assert drawn.captured[-1].at_s == row.at_s and amount(shown[0]) == Decimal(row.entry.value) / 10
            checked = household.check(port, bills[owner])
            assert {one.outcome for one in checked} == {AGREES} and len(checked) == 2 * 2 * 3
            others = household.check(port, [v for who, bill in bills.items() if who != owner for v in bill])
            assert {one.why for one in others} == {"no reading of this meter"}
            higher = [one._replace(amount=(one.amount or 0) + 1) for one in bills[owner]]
            assert {one.outcome for one in household.check(port, higher)} == {DIFFERS}
            with household.dial(port) as client:
                neighbour = next(one for who, one in wired.items() if who != owner)
                there = client.ask("GET", f"{ORIGIN}/{export.device_id(neighbour)}.sm/extended")
                page = client.ask("GET", "/display").body.decode()
                assert there.status == 403 and neighbour not in page
                assert f"{meter}, fed in" in page and "not what the readings give" not in page
        technician = HanClient(port, "technician", home.pins["technician"], trusted=home.certificate,
                               draw=lambda n: bytes(n))  # fmt: skip
        with technician as client:
            page = client.ask("GET", "/display").body.decode()
            paired = len(gateway.registry) + COUNT
            assert f">{paired}<" in page and "1WMB" not in page


def test_meters_behind_the_last_flat_are_households_of_their_own(tmp_path: Path) -> None:
    with run(tmp_path, hours=0, system__wired=9) as world:
        gateway = smgw(world.system).gateways[0]
        owners = [gateway.owner_of(meter_name(n)) for n in range(9)]
        flats = sorted({entry.flat for entry in gateway.registry})
        assert owners == [*flats, *(meter_name(n) for n in range(len(flats), 9))]
        assert gateway.owners() == sorted(owners)


def test_who_sees_wired_meters_and_what_they_cost_is_said(two_hours: World, tmp_path: Path) -> None:
    meters = COUNT * len(two_hours.gateways)
    seen = {one.party: one for one in two_hours.system.sights()}
    days = (len(two_hours.system.registry) + meters) * 2 / 24
    clips = seen["whoever has clips on a wired bus"]
    assert clips.values == 0 and clips.metadata * days == pytest.approx(meters * 9)
    stored = two_hours.stored.count_readings()
    rows = sum(len(one.wired.store.after(0, 10**6)) for one in smgw(two_hours.system).gateways if one.wired)
    assert seen["gateway in the house"].values * days == pytest.approx(stored + rows)
    costs = {one.name: one.amount for one in two_hours.system.costs()}
    assert costs["values taken of wired meters"] == rows > meters * 2 * 9
    pairs = "key pairs with certificates for sessions with wired meters, the gateways' own too"
    assert costs[pairs] == meters + len(two_hours.gateways)
    assert not any("two-way radio" in name or "makers'" in name for name in costs)
    with run(tmp_path, hours=0, system__wired_tls=False, system__wired_pairing="meter key") as world:
        world.run(HOUR // 4)
        seen = {one.party: one for one in world.system.sights()}
        clips = seen["whoever has clips on a wired bus"]
        assert 0 < clips.values < seen["gateway in the house"].values and "every quarter hour" in clips.habits
        costs = {one.name: one.amount for one in world.system.costs()}
        assert costs["makers' keys of wired meters, for a first key alone"] == meters


# --- defects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["value", "scaler", "unit", "meter_word", "word"])
def test_each_column_of_a_stored_row_is_held_against_the_house(two_hours: World, column: str) -> None:
    """Also of the registers that nobody delivers."""
    with sqlite3.connect(smgw(two_hours.system).gateways[1].wired.path) as database:  # type: ignore[union-attr]
        for obis in ("1-0:1.8.0*255", "1-0:1.8.1*255", "1-0:1.8.2*255", "1-0:2.8.0*255"):
            where = f"place = (SELECT min(place) FROM wired WHERE obis = '{obis}')"
            for change in ("+", "-"):
                database.execute(f"UPDATE wired SET {column} = {column} {change} 1 WHERE {where}")
                database.commit()
                assert bool(wired_true(two_hours)) == (change == "+"), (column, obis)


def _nothing_is_fetched(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(WiredBus, "_fetch", lambda *_: None)


def _feed_in_is_billed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(wired_side, "_BILLED", (wired_side.FED_IN,))


def _a_period_does_not_wait(patch: pytest.MonkeyPatch) -> None:
    genuine = wired_side.WiredSide.values

    def instead(side: Any, number: int, taf: int, ends_s: Any, now_s: int) -> Any:
        for register in side.registers:
            last = register.got[-1]
            register.got.append(last._replace(received_ns=(now_s - side._epoch_s) * NS_PER_S))
        yield from genuine(side, number, taf, ends_s, now_s)

    patch.setattr(wired_side.WiredSide, "values", instead)


@pytest.mark.parametrize(
    ("defect", "checked"),
    [
        (another_number, wired_true), (_nothing_is_fetched, wired_true), (_feed_in_is_billed, delivered_true),
        (_a_period_does_not_wait, delivered_true),
    ],
)  # fmt: skip
def test_a_defect_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defect: Callable[[pytest.MonkeyPatch], None], checked: Any
) -> None:
    defect(monkeypatch)
    with run(tmp_path, hours=1, gateway__count=1, system__taf=7) as world:
        cut = world.fault(WiredBusCut())
        world.run(HOUR)
        cut.heal()
        world.run(HOUR)
        assert checked(world) != []


# --- what leaves ----------------------------------------------------------------------------------------------------


def test_what_is_finer_than_allowed_is_named_with_its_bytes(tmp_path: Path) -> None:
    """A gateway that obeys a rule set that no contract has; periods that are shorter; and too many snapshots."""
    with run(tmp_path, hours=1, gateway__count=1) as world:
        assert finer_than_allowed(world) == []
        gateway: SmartGateway = smgw(world.system).gateways[0]
        gateway.obey("supplier", 7, world.now_ns)
        world.run(HOUR)
        found = finer_than_allowed(world)
        assert found and all("under TAF 7, the contract is under TAF 2" in one.why for one in found)
        assert '<value taf="7"' in found[0].content and len(found[0].container) == 16
        assert leaves_as_allowed(world) != []
        assert of_the_system.check(world, attacked=True) == []
    with run(tmp_path / "two", hours=0, gateway__count=1) as world:
        gateway = smgw(world.system).gateways[0]
        contracts = gateway._setup.contracts
        halves = dataclasses.replace(contracts[0], ends_s=lambda a, b: list(range((a // 1800 + 1) * 1800, b + 1, 1800)))
        gateway._setup = dataclasses.replace(gateway._setup, contracts=(halves,))
        world.run(HOUR)
        assert {one.why for one in finer_than_allowed(world)} == {
            "a register of 1800 s, which is no period of the contract"
        }


@pytest.mark.parametrize("limited", [True, False])
def test_snapshots_are_limited_and_counted(tmp_path: Path, limited: bool) -> None:
    with run(tmp_path, hours=0, gateway__count=1, system__limit_snapshots=limited) as world:
        gateway: SmartGateway = smgw(world.system).gateways[0]
        start_s = int(world.calendar.start.timestamp())
        taken = [gateway.snapshots.ask("supplier", start_s + 900 * n, world.now_ns) for n in range(1, 9)]
        world.run(3 * HOUR)
        assert taken.count(True) == (6 if limited else 8)
        found = finer_than_allowed(world)
        assert bool(found) is not limited
        assert all("7 values on demand" in one.why or "8 values on demand" in one.why for one in found)
        assert wrong_values(world.truth) and not set(expected(world.truth)) - {
            (one.meter, one.taf, one.obis, one.from_s, one.until_s) for one in world.system.delivered()
        }
