"""A grid operator in a world of the system smgw: it has what was agreed, under names that say nothing, and the checks
that say so go red for each defect."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.rig import checks
from bench.rig.checks import of_the_system
from sim.core.clock import NS_PER_S
from sim.core.events import ContainerRefused, RuleSetTaken
from sim.core.settings import SpecError
from sim.faults.gateway_power_cut import PowerCut
from sim.faults.wired_bus_cut import WiredBusCut
from sim.pki.party_certificates import ADMINISTRATOR
from sim.pki.signed_content import Signer
from sim.smart_metering import grid_values
from sim.smart_metering.grid_values import GridTerms, GridValues
from sim.smart_metering.han.bill_check import AGREES
from sim.smart_metering.han.grid_words import quantity
from sim.smart_metering.lmn.wired_plan import meter_name
from sim.smart_metering.pseudonyms import Resigning
from sim.smart_metering.signers import Signers
from sim.smart_metering.smart_gateway import SmartGateway
from sim.smgw.module.port import ModuleError
from sim.smgw.obis_codes import of_text
from sim.systems._smgw_grid import GRID_OPERATOR, GridOperator
from sim.systems._smgw_invariants import delivered_true, leaves_as_allowed
from sim.systems._smgw_lines import Order
from sim.systems._smgw_running import smgw
from sim.systems.smgw import SUPPLIER
from sim.truth.delivered_values import wrong_values
from sim.truth.grid_operator_values import expected_of_grid
from sim.truth.released_values import finer_than_allowed
from sim.world import World
from tests.small_worlds import smart_world

HOUR = 3_600 * NS_PER_S
COUNT = 2


def run(folder: Path, hours: int = 2, **settings: object) -> World:
    usual = {"system__feed_in": True, "system__grid_state": True, "system__wired": COUNT}
    return smart_world(folder, hours, **{**usual, **settings})


@pytest.fixture(scope="module")
def two_hours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with run(tmp_path_factory.mktemp("grid")) as world:
        yield world


def has(world: World) -> list[Any]:
    return [one for one in world.system.delivered() if one.receiver == GRID_OPERATOR]


# --- what it has ----------------------------------------------------------------------------------------------------


def test_every_check_holds_and_every_value_is_there(two_hours: World) -> None:
    assert checks.apply(two_hours, attacked=False) == []
    rows, meters = has(two_hours), COUNT * len(two_hours.gateways)
    assert len(rows) == meters * 8 * (2 + 11), "quarter hours; feed-in and its power; power, frequency, three phases"
    assert all(one.amount is not None and one.from_s is None for one in rows)
    assert {one.obis for one in rows if one.taf == 9} == {"1-0:2.8.0*255", "1-0:2.7.0*255"}
    assert not any(one.obis.startswith(("1-0:1.8", "1-0:2.8")) for one in rows if one.taf == 10)
    assert any(one.amount for one in rows if one.obis == "1-0:2.7.0*255"), "some house has panels, and it is day"


def test_no_name_stands_in_what_it_gets(two_hours: World) -> None:
    grid = smgw(two_hours.system).grid
    names = [box.id for box in two_hours.gateways] + [meter_name(n) for n in range(COUNT * len(two_hours.gateways))]
    assert len(set(grid.names.values())) == len(names)
    told = "".join(f"{one.gateway} {one.meter} " for one in has(two_hours)).encode()
    told += b"".join(one.payload + one.gateway.encode() for one in grid.arrived)
    assert not [name for name in names if name.encode() in told]


def test_a_household_reads_in_its_log_who_was_sent_what(two_hours: World) -> None:
    """Its own part alone, under the pseudonym that left; bills are checked as before; contracts are about its meter."""
    system = smgw(two_hours.system)
    gateway, homes = system.gateways[0], system.homes
    home = homes.at(0)
    meter = meter_name(0)
    owner, hidden = gateway.owner_of(meter), system.grid.named(meter)
    sent = [part for part in gateway.diary.parts(owner) if part.receiver == GRID_OPERATOR]
    assert len(sent) == 4 and all(hidden.encode() in part.content for part in sent)
    assert not any(system.grid.named(meter_name(1)).encode() in part.content for part in sent)
    contracts = {(one.owner, one.taf): one.meters for one in home.source.holding().contracts}
    assert contracts[owner, 9] == contracts[owner, 10] == (meter,)
    bill = [one.value for one in system.portal.stored() if one.value.meter == meter]
    with home.serving() as port:
        household = homes.household(home, owner)
        assert {one.outcome for one in household.check(port, bill)} == {AGREES}
        assert household.log(port).found == []
        with household.dial(port) as client:
            page = client.ask("GET", "/display").body.decode()
    assert f"TAF 9, to {GRID_OPERATOR}" in page and f"{hidden}, phase angle L1" in page and " °<" in page


def test_what_it_sees_and_costs_is_said(two_hours: World, tmp_path: Path) -> None:
    seen = {one.party: one for one in two_hours.system.sights()}
    days = (len(two_hours.system.registry) + COUNT * len(two_hours.gateways)) * 2 / 24
    assert seen[GRID_OPERATOR].values * days == pytest.approx(len(has(two_hours)))
    assert "does not know" in seen[GRID_OPERATOR].habits
    supplied = len(list(smgw(two_hours.system).portal.stored()))
    assert seen["supplier"].values * days == pytest.approx(supplied)
    costs = {one.name: one.amount for one in two_hours.system.costs()}
    assert costs["containers that the administrator signed anew, under a pseudonym"] == 4 * len(two_hours.gateways)
    with run(tmp_path, hours=0, system__feed_in=False, system__grid_state=False) as world:
        assert GRID_OPERATOR not in {one.party for one in world.system.sights()}


@pytest.mark.parametrize(
    "settings",
    [
        {"system__grid_beside_v": 4.0, "system__feed_in": False},
        {"gateway__clock_offset_s": -20.0, "system__grid_every_s": 1_800.0},
        pytest.param({"gateway__clock_offset_s": 28.0}, marks=pytest.mark.night),
        pytest.param({"gateway__clock_offset_s": 28.0, "system__flag_clock": False}, marks=pytest.mark.night),
        pytest.param({"system__pseudonymise": False, "system__taf": 7}, marks=pytest.mark.night),
        pytest.param({"system__taf": 1, "system__delivery_s": 7_200.0}, marks=pytest.mark.night),
        pytest.param({"system__seal_content": False, "system__verify_content": False}, marks=pytest.mark.night),
    ],
)  # fmt: skip
def test_truth_and_gateway_agree_in_every_kind_of_world(tmp_path: Path, settings: dict[str, object]) -> None:
    with run(tmp_path, **settings, gateway__count=1) as world:
        assert delivered_true(world) == []
        assert leaves_as_allowed(world) == []
        assert has(world)


def test_a_cut_bus_costs_grid_values_and_no_feed_in(tmp_path: Path) -> None:
    with run(tmp_path, hours=1) as world:
        world.fault(WiredBusCut(duration_s=5_000.0))
        world.fault(PowerCut(gateway=1, duration_s=4_000.0))
        world.run(3 * HOUR)
        assert checks.apply(world, attacked=False) == []
        gaps = {one.obis for one in has(world) if one.amount is None}
        assert "1-0:32.7.0*255" in gaps and "1-0:2.8.0*255" not in gaps


def test_what_cannot_be_is_refused_with_the_way_out(tmp_path: Path) -> None:
    for settings, said in (
        ({"system__wired": 0}, r"system\.feed_in: .*set system\.wired"),
        ({"system__grid_every_s": 1_000.0}, r"system\.grid_every_s: 1000 is no multiple of 900 s"),
    ):
        with pytest.raises(SpecError, match=said):
            run(tmp_path, hours=0, **settings)


def test_a_rule_set_for_bills_does_not_reach_the_grid_operator(tmp_path: Path) -> None:
    """Nor does one for a receiver without a contract: it is refused, and told."""
    with run(tmp_path, hours=0, gateway__count=1) as world:
        system = smgw(world.system)
        for receiver in (GRID_OPERATOR, "nobody", SUPPLIER):
            system.send_rules(0, Order(receiver, 7))
        world.run(HOUR)
        told = [(one.receiver, one.taken) for one in world.history.of(RuleSetTaken)]
        assert told == [(GRID_OPERATOR, False), ("nobody", False), (SUPPLIER, True)]
        assert sorted(one.taf for one in system.gateways[0].setup.contracts) == [7, 9, 10]
        assert {one.taf for one in has(world)} == {9, 10}


def test_a_module_that_fails_for_one_receiver_costs_no_value_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be sealed for one receiver stays due, though another's was sealed in the same turn."""
    with run(tmp_path, hours=0, gateway__count=1) as world:
        genuine = SmartGateway._seal

        def fails_for_the_supplier(gateway: SmartGateway, contract: Any, *given: Any) -> None:
            if contract.receiver == SUPPLIER and world.now_ns <= HOUR:
                raise ModuleError("silent", "it does not answer")
            genuine(gateway, contract, *given)

        monkeypatch.setattr(SmartGateway, "_seal", fails_for_the_supplier)
        world.run(2 * HOUR)
        assert wrong_values(world.truth) == []


def test_what_the_gateway_did_not_sign_goes_no_further(two_hours: World) -> None:
    system, now_ns = smgw(two_hours.system), two_hours.now_ns
    mine = next(one for one in system.administrator.relayed if one.receiver == GRID_OPERATOR)
    refused: list[Any] = []
    handed: list[bytes] = []
    triple = system.root.registration.triples[ADMINISTRATOR]
    own = Signer(triple.certificates["SIG"], system.root.key_of(triple, "SIG"))

    def hand(_: str, container: bytes, __: int) -> bool:
        handed.append(container)
        return True

    known = Signers(system.signers, {}, system.root.trust, two_hours.calendar.at)
    made = Resigning(own, known, system.grid.names, hand, refused.append)
    assert made(mine.gateway, mine.payload, now_ns) and len(handed) == 1 and not refused
    changed = bytearray(mine.payload)
    changed[-1] ^= 1
    other = next(box.id for box in system.gateways if box.id != mine.gateway)
    wrong = [(mine.gateway, bytes(changed)), (other, mine.payload), (mine.gateway, b"")]
    assert all(made(who, said, now_ns) for who, said in wrong)
    assert len(handed) == 1
    assert refused == [ContainerRefused(now_ns, ADMINISTRATOR, who, why) for who, why in
                       ((mine.gateway, "signature"), (other, "signer"), (mine.gateway, "not-cms"))]  # fmt: skip


# --- defects --------------------------------------------------------------------------------------------------------


def _names_in_clear(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(GridTerms, "named", lambda _, name: name)


def _to_the_supplier(patch: pytest.MonkeyPatch) -> None:
    genuine = GridOperator.contracts

    def instead(grid: GridOperator, *given: Any) -> Any:
        certificate = grid._system.receiver_certificate
        swapped = (dataclasses.replace(one, receiver=SUPPLIER, certificate=certificate, sender="")
                   for one in genuine(grid, *given))  # fmt: skip
        return tuple(swapped)

    patch.setattr(GridOperator, "contracts", instead)


def _sealed_for_the_supplier(patch: pytest.MonkeyPatch) -> None:
    genuine = GridOperator.contracts
    patch.setattr(
        GridOperator, "contracts",
        lambda grid, *given: tuple(dataclasses.replace(one, certificate=grid._system.receiver_certificate)
                                   for one in genuine(grid, *given)),
    )  # fmt: skip


def _each_quarter_hour(patch: pytest.MonkeyPatch) -> None:
    genuine = GridTerms.__init__
    patch.setattr(GridTerms, "__init__", lambda terms, every_s, *rest: genuine(terms, 900, *rest))


def _a_value_is_dropped(patch: pytest.MonkeyPatch) -> None:
    genuine = GridValues.values
    patch.setattr(GridValues, "values", lambda *given: list(genuine(*given))[1:])


def _drawn_leaves_too(patch: pytest.MonkeyPatch) -> None:
    genuine = grid_values.evaluate

    def instead(rule: Any, lists: Any) -> Any:
        return genuine(dataclasses.replace(rule, taf=7) if rule.taf == 9 else rule, lists)

    patch.setattr(grid_values, "evaluate", instead)


def _gateways_signature_stays(patch: pytest.MonkeyPatch) -> None:
    genuine = Resigning.__call__

    def instead(one: Resigning, gateway: str, container: bytes, now_ns: int) -> bool:
        one._hand(one._names[gateway], container, now_ns)
        return genuine(one, gateway, container, now_ns)

    patch.setattr(Resigning, "__call__", instead)


@pytest.mark.parametrize(
    ("defect", "checked", "said"),
    [
        (_names_in_clear, leaves_as_allowed, "of a meter, where a pseudonym was agreed"),
        (_to_the_supplier, delivered_true, "must be nothing"),
        (_to_the_supplier, leaves_as_allowed, "a value under TAF 9, the contract is under TAF 2"),
        (_sealed_for_the_supplier, leaves_as_allowed, "sealed for supplier, and sent to grid-operator"),
        (_each_quarter_hour, leaves_as_allowed, "beside the cycle of 1800 s"),
        (_a_value_is_dropped, delivered_true, "missing, must be"),
        (_drawn_leaves_too, leaves_as_allowed, "1-0:1.8.0*255, which TAF 9 is not about"),
        (_gateways_signature_stays, leaves_as_allowed, "the gateway's own signature, with a pseudonym"),
    ],
)  # fmt: skip
def test_a_defect_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defect: Callable[[pytest.MonkeyPatch], None], checked: Any,
    said: str,
) -> None:  # fmt: skip
    defect(monkeypatch)
    with run(tmp_path, hours=1, gateway__count=1, system__grid_every_s=1_800.0) as world:
        assert said in "".join(checked(world))
        assert of_the_system.check(world, attacked=True) == []


def test_a_value_within_bounds_is_finer_than_an_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = GridTerms.__init__
    monkeypatch.setattr(GridTerms, "__init__", lambda terms, every_s, beside_v, names: genuine(terms, 900, 0.0, names))
    with run(tmp_path, hours=1, gateway__count=1, system__grid_beside_v=4.0, system__feed_in=False) as world:
        assert "which left no bounds" in str(leaves_as_allowed(world))
        assert delivered_true(world) != []


def test_nothing_is_expected_where_nobody_has_a_contract(tmp_path: Path) -> None:
    with run(tmp_path, hours=1, gateway__count=1, system__feed_in=False, system__grid_state=False) as world:
        assert expected_of_grid(world) == {} and has(world) == [] and finer_than_allowed(world) == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1-0:16.7.0*255", ("power", "W")), ("1-0:2.7.0*255", ("power fed in", "W")),
        ("1-0:14.7.0*255", ("frequency", "Hz")), ("1-0:31.7.0*255", ("current L1", "A")),
        ("1-0:52.7.0*255", ("voltage L2", "V")), ("1-0:72.7.0*255", ("voltage L3", "V")),
        ("1-0:81.7.26*255", ("phase angle L3", "°")), ("1-0:91.7.0*255", ("", "")), ("1-0:81.7.5*255", ("", "")),
        ("1-0:2.8.0*255", ("", "")), ("4-0:1.0.0*255", ("", "")),
    ],
)  # fmt: skip
def test_grid_values_have_names_that_people_read(code: str, said: tuple[str, str]) -> None:
    assert quantity(of_text(code)) == said
