"""The BSI's system in a world of a dozen meters: what is delivered is what meters counted, nobody between reads it, and
the check that says so goes red for each defect."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from bench.rig import checks
from bench.rig.checks import no_key_on_disk, of_the_system
from sim.core.clock import NS_PER_S
from sim.core.settings import SpecError
from sim.faults.administrator_lost import AdministratorLost
from sim.faults.gateway_power_cut import PowerCut
from sim.faults.portal_restarted import PortalRestarted
from sim.portal.alarm import ALARMS
from sim.smart_metering import tariffing
from sim.smart_metering.smart_gateway import SmartGateway
from sim.smgw.obis_codes import ERROR_TARIFF
from sim.systems._smgw_running import Smgw, smgw
from sim.truth.delivered_values import expected, wrong_values
from sim.world import World
from tests.small_worlds import smart

HOUR = 3_600 * NS_PER_S


@pytest.fixture(scope="module")
def two_hours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("smgw")
    with World(smart(folder), 1, folder / "world") as world:
        world.run(2 * HOUR)
        yield world


def of(world: World) -> Smgw:
    return smgw(world.system)


def test_every_check_holds_and_every_value_is_there(two_hours: World) -> None:
    assert checks.apply(two_hours, attacked=False) == []
    rows = two_hours.system.delivered()
    must = expected(two_hours.truth)
    assert len(rows) == len(must) == 4 + 4 * 3 * 2, "a set date a meter, and three registers a meter and hour"
    assert sum(row.amount or Decimal(0) for row in rows if row.taf == 2) > 0, "somebody heated"
    assert {row.until_s - (row.from_s or 0) for row in rows if row.taf == 2} == {3_600}


def test_only_meters_that_can_be_authenticated_are_attached(two_hours: World) -> None:
    attached = {meter for meter, own in enumerate(of(two_hours).attached.tolist()) if own >= 0}
    assert attached == {meter for meter in range(12) if two_hours.fleet.security(meter) == "mode7"}
    assert {row.security for row in two_hours.stored.readings()} == {"mode7"}
    assert all(gateway.counts["foreign"] > 50 for gateway in of(two_hours).gateways)
    assert {entry.gateways for entry in of(two_hours).registry} <= {frozenset({g.id}) for g in of(two_hours).gateways}


def test_nobody_between_house_and_supplier_reads_a_value(two_hours: World) -> None:
    system = of(two_hours)
    relayed = [one.payload for one in system.administrator.relayed]
    assert len(relayed) >= 3
    for row in two_hours.system.delivered():
        number = row.meter.split()[1].encode()
        assert not any(number in payload or b"<value" in payload for payload in relayed)
    by_party = {one.party: one for one in system.sights()}
    assert by_party["administrator"].values == 0 < by_party["administrator"].metadata
    assert by_party["supplier"].values < by_party["gateway in the house"].values
    assert all(cost.amount > 0 for cost in system.costs())


def test_keys_lie_where_the_system_says(two_hours: World) -> None:
    system = of(two_hours)
    assert no_key_on_disk.check(two_hours, attacked=False) == []
    private = system.private_values["the key ENC of supplier"]
    files = [p for p in two_hours.directory.rglob("*") if p.is_file()]
    assert not any(private in p.read_bytes() for p in files)
    keys = (system.gateways[1].disk / "keys.csv").read_text("utf-8")
    assert oct((system.gateways[1].disk / "keys.csv").stat().st_mode)[-3:] == "600"
    assert any(two_hours.fleet.key(m).hex() in keys.lower() for m in range(8, 12))  # type: ignore[union-attr]


def test_equal_worlds_have_one_history(two_hours: World, tmp_path: Path) -> None:
    with World(smart(tmp_path), 1, tmp_path / "world") as again:
        again.run(2 * HOUR)
        assert again.history.digest == two_hours.history.digest
        assert [one.payload for one in of(again).administrator.relayed] == [
            one.payload for one in of(two_hours).administrator.relayed
        ]


def test_a_new_alarm_is_on_in_gateways_too(
    two_hours: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts that gateways do without say so themselves; one that says nothing is on."""
    judged_by = of(two_hours).gateways[0].intake.spec
    assert (judged_by.checks, set(judged_by.alarms)) == (("mcr",), {"tamper", "gap", "freshness", "jam"})
    monkeypatch.setitem(ALARMS.parts(), "twin", dataclasses.replace(ALARMS.find("twin"), portal_only=False))  # type: ignore[arg-type]
    with World(smart(tmp_path), 1, tmp_path / "world") as world:
        assert set(of(world).gateways[0].intake.spec.alarms) == {*judged_by.alarms, "twin"}


def _another_zone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sim.smart_metering.contract.DAY_ZONE", (10, 21))


def _no_gap_is_seen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tariffing.Register, "last", lambda self, at_ns: self.got[0] if self.got else None)


def _doubled(patch: pytest.MonkeyPatch) -> None:
    genuine = tariffing.evaluate
    patch.setattr(
        tariffing, "evaluate", lambda rule, lists: [dataclasses.replace(one, amount=one.amount and 2 * one.amount) for
        one in genuine(rule, lists)],
    )  # fmt: skip


def _no_error_register(patch: pytest.MonkeyPatch) -> None:
    genuine = tariffing.evaluate
    patch.setattr(
        tariffing, "evaluate", lambda rule, lists: [one for one in genuine(rule, lists) if one.tariff != ERROR_TARIFF]
    )


def _no_set_dates(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SmartGateway, "_at_set_dates", lambda self: [])


@pytest.mark.parametrize("defect", [_another_zone, _no_gap_is_seen, _doubled, _no_error_register, _no_set_dates])
def test_a_defect_of_the_tariffs_is_seen(
    defect: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The truth works registers out by the rule in words, so no defect of the engine can hide in it."""
    from sim.smart_metering.contract import rule_of

    rule_of.cache_clear()
    defect(monkeypatch)
    try:
        with World(smart(tmp_path), 1, tmp_path / "world") as world:
            world.run(HOUR)
            [said] = of_the_system.check(world, attacked=False)
            assert said.startswith("delivered values are what the meters counted: ")
    finally:
        rule_of.cache_clear()


def test_a_changed_row_at_the_supplier_is_seen(tmp_path: Path) -> None:
    with World(smart(tmp_path), 1, tmp_path / "world") as world:
        world.run(HOUR)
        assert wrong_values(world.truth) == []
        database = sqlite3.connect(of(world).disk / "values.sqlite")
        database.execute("UPDATE delivered SET amount = '99' WHERE rowid = 1")
        database.commit()
        database.close()
        assert [one.has for one in wrong_values(world.truth)] == ["99"]


def test_faults_cost_no_value(tmp_path: Path) -> None:
    """A gateway without power, an administrator that nobody reaches, a supplier that is restarted."""
    with World(smart(tmp_path), 2, tmp_path / "world") as world:
        world.fault(PowerCut(gateway=1, after_s=1_200.0, duration_s=600.0))
        world.fault(AdministratorLost(after_s=3_000.0, duration_s=1_200.0))
        world.run(HOUR)
        world.fault(PortalRestarted())
        world.run(HOUR)
        assert checks.apply(world, attacked=False) == []
        assert all(injection.evidence for injection in world.injections)
        assert len(world.system.delivered()) >= len(expected(world.truth)) > 20
        assert any(row.obis.endswith("63*255") for row in world.system.delivered())


def test_after_a_power_cut_counters_are_those_that_were_saved(tmp_path: Path) -> None:
    for saved_s, taken in ((43_200.0, True), (0.0, False)):
        folder = tmp_path / str(saved_s)
        folder.mkdir()
        with World(smart(folder, system__counter_saved_s=saved_s), 1, folder / "world") as world:
            world.run(HOUR)
            gateway = next(one for one in of(world).gateways if len(one.registry))
            row = gateway.intake.store.readings()[-1]
            sent = world.truth.known(row.fingerprint)
            assert sent is not None
            telegram = world.fleet.telegram(sent.meter, sent.k)
            gateway.power_cut(world.now_ns)
            gateway.power_on(world.now_ns)
            gateway.receive(telegram, world.now_ns, -60.0)
            before = gateway.intake.store.count_readings()
            gateway.deliver(world.now_ns)
            assert (gateway.intake.store.count_readings() > before) is taken


def test_what_it_cannot_be_is_said_before_it_runs(tmp_path: Path) -> None:
    for key, value, says in (
        ("system__delivery_s", 1_000.0, "no multiple of 900 s"),
        ("portal__store", "postgresql://127.0.0.1/x", "own disk"),
    ):
        with pytest.raises(SpecError, match=says):
            World(smart(tmp_path, **{key: value}), 1, tmp_path / key)
    with World(smart(tmp_path), 1, tmp_path / "world") as world:
        with pytest.raises(SpecError, match="before it starts"):
            world.enrol([])
        with pytest.raises(ValueError, match="no phase 'deliver'"):
            world.system.at_phase("deliver", lambda: None)
