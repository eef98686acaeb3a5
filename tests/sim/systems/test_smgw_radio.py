"""Radio meters of security profile C in a world of the system smgw: each value that reached the gateway is what the
house counted, over lost frames and power cuts, and the checks that say so go red for each defect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.rig import checks
from sim.core.clock import NS_PER_S
from sim.core.settings import SpecError
from sim.faults.gateway_power_cut import PowerCut
from sim.smart_metering.lmn import radio_side
from sim.smart_metering.lmn.radio_link import RadioLink
from sim.smart_metering.lmn.radio_plan import address_of
from sim.smart_metering.lmn.wired_meter import FED_IN
from sim.smart_metering.smart_gateway import SmartGateway
from sim.systems._smgw_invariants import delivered_true, radio_true
from sim.systems._smgw_running import smgw
from sim.world import World
from tests.oracles.mode13_in_words import message_in_words
from tests.small_worlds import another_number, smart, smart_world

HOUR = 3_600 * NS_PER_S
COUNT = 2


def run(folder: Path, hours: int = 1, **settings: object) -> World:
    return smart_world(folder, hours, **{"system__wireless": COUNT, **settings})


@pytest.fixture(scope="module")
def one_hour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with run(tmp_path_factory.mktemp("radio"), system__taf=7) as world:
        yield world


def radio_rows(world: World) -> list[Any]:
    return [one for one in world.system.delivered() if one.meter.startswith("WMB ")]


def boxes(world: World) -> list[SmartGateway]:
    return smgw(world.system).gateways


def test_every_check_holds_and_every_value_is_there(one_hour: World) -> None:
    assert checks.apply(one_hour, attacked=False) == []
    rows = radio_rows(one_hour)
    assert {one.meter for one in rows} == {str(address_of(n)) for n in range(len(one_hour.gateways) * COUNT)}
    assert sum(one.amount is not None for one in rows) == len(one_hour.gateways) * COUNT * 2 * 4, "quarter hours"
    for box in boxes(one_hour):
        assert box.radio is not None
        for link in box.radio.links.values():
            assert link.counts["values"] == 12 and link.sessions.counts == {"full": 1}
            assert link.sessions.live is not None and link.sessions.live.agreed[0] == "TLSv1.2"


def test_equal_worlds_have_one_history_whatever_tls_drew(one_hour: World, tmp_path: Path) -> None:
    with run(tmp_path, system__taf=7) as again:
        assert again.history.digest == one_hour.history.digest
        relayed = [[one.payload for one in smgw(world.system).administrator.relayed] for world in (again, one_hour)]
        assert relayed[0] == relayed[1]


@pytest.mark.parametrize(
    "settings",
    [
        {"gateway__clock_offset_s": -20.0},
        pytest.param({"system__wireless_tls": False}, marks=pytest.mark.night),
        pytest.param({"gateway__clock_offset_s": 28.0}, marks=pytest.mark.night),
        pytest.param({"gateway__clock_offset_s": 28.0, "system__flag_clock": False}, marks=pytest.mark.night),
    ],
)
def test_truth_and_gateway_agree_in_every_kind_of_world(tmp_path: Path, settings: dict[str, object]) -> None:
    with run(tmp_path, **settings) as world:
        assert radio_true(world) == []
        assert delivered_true(world) == []
        flagged = settings == {"gateway__clock_offset_s": 28.0}
        assert any(one.amount for one in radio_rows(world)) is not flagged


def test_a_power_cut_costs_a_handshake_and_no_value_that_was_taken(tmp_path: Path) -> None:
    with run(tmp_path) as world:
        before = len(radio_rows(world))
        world.fault(PowerCut(gateway=1, duration_s=1_500.0))
        world.run(HOUR)
        assert checks.apply(world, attacked=False) == []
        first, second = (box.radio for box in boxes(world))
        assert first is not None and second is not None
        assert {link.counts["values"] for link in first.links.values()} == {24}
        assert {link.sessions.counts["full"] for link in second.links.values()} == {1}, "since it has power again"
        meters = smgw(world.system).radio_meters.meters[1]
        assert [meter.sessions.counts["full"] for meter in meters] == [2, 2]
        rows = {one.at_s for _, one in second.store.after(0, 1_000)}
        assert 12 < len(rows) < 48 and len(radio_rows(world)) > before


def test_who_sees_them_what_they_cost_and_whose_they_are(one_hour: World, tmp_path: Path) -> None:
    meters = COUNT * len(one_hour.gateways)
    costs = {one.name: one.amount for one in one_hour.system.costs()}
    assert costs["values taken of two-way radio meters"] == meters * 2 * 12
    pairs = "key pairs with certificates for sessions with two-way radio meters, the gateways' own too"
    assert costs[pairs] == meters + len(one_hour.gateways)
    seen = {one.party: one for one in one_hour.system.sights()}
    days = (len(one_hour.system.registry) + meters) / 24
    listens, box = seen["whoever listens by radio"], seen["gateway in the house"]
    assert listens.values == 0 and "whoever has clips on a wired bus" not in seen
    assert listens.metadata * days == pytest.approx(one_hour.stored.count_readings() + meters * 12)
    assert box.values * days == pytest.approx(one_hour.stored.count_readings() + meters * 2 * 12)
    home = smgw(one_hour.system).homes.at(1)
    mine = {one.owner: one.name for one in home.source.holding().meters if one.name.startswith("WMB ")}
    assert set(mine.values()) == {str(address_of(n)) for n in (COUNT, COUNT + 1)} and set(mine) <= set(home.users)
    with run(tmp_path, hours=0, system__wireless_tls=False) as world:
        world.run(HOUR // 4)
        seen = {one.party: one for one in world.system.sights()}
        assert seen["whoever listens by radio"].values > 0


def test_frames_of_the_air_are_read_by_a_parser_of_other_words(tmp_path: Path) -> None:
    heard: list[bytes] = []
    with run(tmp_path, hours=0) as world:
        world.air.taps.append(lambda emission, *_: heard.append(emission.frame or b""))
        world.run(HOUR // 4)
    wire = address_of(0).wire()
    said = [frame for frame in heard if frame[2:10] == wire and frame[1] == 0x08 and frame[13:15] == b"\x90\x05"]
    whole = [message_in_words([frame]) for frame in said if frame[15:17] == b"\x00\x30"]
    assert whole and {23} <= {kind for one in whole for kind, _ in one["records"]}


def test_too_many_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="wireless"):
        smart(tmp_path, system__wireless=21)


# --- defects --------------------------------------------------------------------------------------------------------


def _taken_and_not_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RadioLink, "_kept", lambda *_: None)


def _feed_in_alone_is_billed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(radio_side.RadioSide, "is_billed", lambda _, obis: obis == FED_IN)


def _old_values_stand_for_hours(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(radio_side, "INTERVAL_S", 3_000.0)


@pytest.mark.parametrize(
    ("defect", "checked"),
    [
        pytest.param(another_number, radio_true, marks=pytest.mark.night), (_taken_and_not_kept, radio_true),
        pytest.param(_feed_in_alone_is_billed, delivered_true, marks=pytest.mark.night),
        (_old_values_stand_for_hours, delivered_true),
    ],
)  # fmt: skip
def test_a_defect_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defect: Callable[[pytest.MonkeyPatch], None], checked: Any
) -> None:
    defect(monkeypatch)
    with run(tmp_path, hours=0, system__taf=7) as world:
        world.run(HOUR // 2)
        world.fault(PowerCut(gateway=0, duration_s=2_400.0))
        world.run(3 * HOUR // 2)
        assert checked(world) != []
