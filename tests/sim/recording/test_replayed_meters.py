"""A recording on a world's air: its levels, its rhythm, its meters in the portal's books, and an outcome for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from sim.core.clock import NS_PER_S
from sim.endpoint.kinds.memory import MemorySpec
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet_spec import FleetSpec
from sim.portal.portal_spec import PortalSpec
from sim.portal.store import fingerprint
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.site_spec import SiteSpec
from sim.recording.log import Played
from sim.recording.replayed_meters import POWER_MAX_DBM, AlreadyThere, Antenna, announced
from sim.world import World
from sim.world_spec import WorldSpec
from tests.small_worlds import keyless
from wmbus.link import Address
from wmbus.telegram import build

MINE = Address("ABC", "12345678", 1, 8)
KEY = bytes(range(16))
UNITS = bytes.fromhex("0b6e660100")


def clear(acc: int = 1) -> bytes:
    return build(MINE, acc, 0, UNITS, security="none")


def mode_5(acc: int = 1) -> bytes:
    return build(MINE, acc, 0, UNITS, security="mode5", key=KEY)


def played(telegram: bytes, at_s: float = 0.0, rssi_dbm: float = -70.0, mode: str = "T1") -> Played:
    return Played(1, round(at_s * NS_PER_S), rssi_dbm, telegram, mode)  # type: ignore[arg-type]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two gateways and one meter that hardly ever speaks, on an air without luck."""
    spec = WorldSpec(
        name="quiet",
        title="Quiet",
        fleet=(FleetSpec(name="far", type="vipa-c10", count=1, interval_s=86_400.0),),
        gateway=(GatewaySpec(count=2, sensitivity_dbm=-100.0, bundle_age_s=60.0),),
        site=SiteSpec(fading_db=0.0),
        portal=PortalSpec(checks=("acc", "mcr", "bind")),
        endpoint=MemorySpec(),
    )
    with World(spec, 1, tmp_path / "world") as made:
        yield made


def run(world: World) -> None:
    world.run(300 * NS_PER_S)


@pytest.mark.parametrize("rssi_dbm", [-45.0, -71.5, -99.0])
@pytest.mark.parametrize("gateway", [0, 1])
def test_the_level_at_the_gateway_is_the_recorded_one(world: World, rssi_dbm: float, gateway: int) -> None:
    playing = world.play([played(clear(), rssi_dbm=rssi_dbm)], antenna=Antenna(gateway, 9.0))
    playing.enrol({})
    run(world)
    found = keyless(world).portal.store.sightings()
    levels = {one.gateway: one.rssi_dbm for one in found if one.meter == str(MINE)}
    assert levels[world.gateways[gateway].id] == pytest.approx(rssi_dbm)
    assert not playing.sendings[0].limited


@pytest.mark.parametrize(
    ("rssi_dbm", "words"),
    [
        (20.0, r"20 dBm would take a power of \d+\.\d; sent at -[\d.]+"),
        (-150.0, r"-150 dBm is below .*; sent at -100\.0"),
    ],
)
def test_a_level_that_cannot_be_is_limited_and_said(world: World, rssi_dbm: float, words: str) -> None:
    playing = world.play([played(clear(), rssi_dbm=rssi_dbm)])
    playing.enrol({})
    run(world)
    (sending,) = playing.sendings
    assert re.fullmatch(words, sending.limited), sending.limited
    assert sending.power_cdbm <= POWER_MAX_DBM * 100
    assert playing.outcomes()[0].came == "stored"


def test_the_rhythm_is_the_recorded_one_and_nothing_overlaps(world: World) -> None:
    """Stamps of whole seconds let telegrams coincide that cannot have: one receiver wrote them all down."""
    log = [played(clear(1), 0.0), played(clear(2), 0.0, mode="S1"), played(clear(3), 0.0), played(clear(4), 30.0)]
    playing = world.play(log, delay_s=20.0)
    playing.enrol({})
    starts = [one.start_ns for one in playing.sendings]
    assert (starts[0], starts[3]) == (20 * NS_PER_S, 50 * NS_PER_S)
    for one, other in pairwise(playing.sendings):
        assert other.start_ns > one.end_ns
    assert playing.sendings[1].end_ns - starts[1] == air_time_ns(Mode.S1, len(clear()))
    run(world)
    assert [one.came for one in playing.outcomes()] == ["stored"] * 4


def test_the_strongest_security_announced_is_pinned(world: World) -> None:
    playing = world.play([played(clear(1), 0), played(mode_5(2), 20), played(clear(3), 60)])
    (entry,) = playing.entries()
    assert (entry.address, entry.security, entry.interval_s) == (MINE, "mode5", 30.0)
    playing.enrol({MINE: KEY})
    run(world)
    assert [(one.came, one.why) for one in playing.outcomes()] == [
        ("refused", "profile"), ("stored", ""), ("refused", "profile"),
    ]  # fmt: skip


def test_the_portal_lists_them_among_its_meters(world: World) -> None:
    """The roles' views read the registry from the portal's tables, not from the portal's memory."""
    playing = world.play([played(mode_5())])
    playing.enrol({MINE: KEY})
    rows = keyless(world).portal.store.meters()
    listed = [(m.meter, m.security, m.house) for m in rows if m.meter == str(MINE)]
    assert listed == [(str(MINE), "mode5", "recording")]


def test_without_and_with_a_wrong_key_it_is_refused(world: World) -> None:
    playing = world.play([played(mode_5())])
    playing.enrol({})
    run(world)
    assert playing.outcomes()[0].why == "no key"
    keyless(world).keyring.add(MINE, bytes(16))
    again = world.play([played(mode_5(9))])
    run(world)
    assert (again.outcomes()[0].came, again.outcomes()[0].why) == ("refused", "bad cipher")


def test_what_is_not_enrolled_is_an_unknown_meter(world: World) -> None:
    playing = world.play([played(clear())])
    run(world)
    assert playing.outcomes()[0].why == "unknown meter"


def test_what_no_gateway_received_is_lost_with_its_fate(world: World) -> None:
    playing = world.play([played(clear())], delay_s=30.0)
    playing.enrol({})
    for receiver in world.air.receivers:
        receiver.up = False
    run(world)
    (outcome,) = playing.outcomes()
    assert (outcome.came, outcome.why) == ("lost", "gateway down")


def test_a_meter_of_the_world_is_not_enrolled_a_second_time(world: World) -> None:
    playing = world.play([played(world.fleet.telegram(0, 0))])
    with pytest.raises(AlreadyThere, match="is a meter of world 'quiet' already"):
        playing.enrol({})


def test_the_truth_knows_them_as_foreign(world: World) -> None:
    playing = world.play([played(clear())])
    playing.enrol({})
    run(world)
    assert world.truth.foreign == {fingerprint(clear())}
    assert world.truth.altered() == []


def test_a_gateway_that_is_not_there(world: World) -> None:
    with pytest.raises(ValueError, match="there is no gateway 2 to play beside, of 2"):
        world.play([played(clear())], antenna=Antenna(gateway=2))


def test_what_announces_nothing_is_played_all_the_same(world: World) -> None:
    """A frame whose CI nobody knows has no layers to be read; the portal says why it will not have it."""
    odd = bytes([10]) + clear()[1:10] + b"\x01"
    assert announced(odd) == (None, "unreadable")
    playing = world.play([played(odd)])
    playing.enrol({})
    assert playing.addresses == []
    run(world)
    assert (playing.outcomes()[0].came, playing.outcomes()[0].why) == ("refused", "malformed")
