"""A backhaul as a way in a world's virtual time: its times against the backhaul's file and against real sockets through
a path with that rate and delay; what is on it is in custody; a world without one is what it was."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from bench.rig.checks import custody, nothing_altered
from sim.core.clock import NS_PER_S
from sim.core.events import BundleCarried, BundleClosed
from sim.core.seeds import Seeds
from sim.core.settings import SpecError
from sim.faults.gateway_power_cut import PowerCut
from sim.gateway.kinds.virtual import VirtualGateway
from sim.network import uplink as room
from sim.network.backhaul import Backhaul, backhaul, backhauls
from sim.network.uplink import NONE, Uplink, UplinkSpec
from sim.world import World
from tests.sim.network.slow_publishing import TOPIC, needs_mosquitto, published
from tests.small_worlds import dozen

MINUTES = 10


def way(spec: UplinkSpec, gateway: int = 0, seed: int = 1) -> Uplink:
    return Uplink(spec, gateway, len(TOPIC), Seeds(seed))


def took_s(path: Uplink, size: int, now_s: float = 0.0) -> float:
    """Of one message on a way that is idle, in world time."""
    path.send(round(now_s * NS_PER_S), 1, bytes(size))
    (one,) = path.arrived(1 << 62)
    return (one.arrives_ns - one.sent_ns) / NS_PER_S


# --- the times -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", backhauls())
@pytest.mark.parametrize("size", [1, 3_000, 60_000])
def test_without_spread_and_loss_it_takes_what_the_file_says(
    kind: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = way(UplinkSpec(kind, spread=0.0))
    path.loss = 0.0
    assert took_s(path, size) == pytest.approx(backhaul(kind).arrives_s(size, len(TOPIC)), abs=0.6, rel=0.02)
    lossless = dataclasses.replace(backhaul(kind), loss=0.0)
    assert took_s(path, size, 1e4) == pytest.approx(lossless.arrives_s(size, len(TOPIC)), abs=2e-6)


def test_gateways_are_spread_by_the_seed_around_the_file() -> None:
    told = backhaul("nb-iot")
    some = [way(UplinkSpec("nb-iot", spread=0.25), gateway) for gateway in range(400)]
    slower = np.log([one.path.latency_ms / told.latency_ms for one in some])
    rates = np.log([told.up_bit_s / one.path.up_bit_s for one in some])
    for drawn in (slower, rates):
        assert abs(drawn.mean()) < 4 * 0.25 / 20 and drawn.std() == pytest.approx(0.25, rel=0.15)
    assert abs(np.corrcoef(slower, rates)[0, 1]) < 0.2
    again = way(UplinkSpec("nb-iot"), 7)
    assert again.path == some[7].path and way(UplinkSpec("nb-iot"), 7, seed=2).path != again.path


def test_what_is_lost_is_sent_again_as_often_as_the_file_says() -> None:
    path = way(UplinkSpec("nb-iot", spread=0.0))
    path.loss = 0.05
    late = 0
    first_s = path.path.arrives_s(100, len(TOPIC))
    for at in range(4_000):
        more_s = took_s(path, 100, 1_000.0 * at) - first_s
        late += more_s > 1e-3
        assert more_s < 1e-3 or more_s > 3 * path.path.round_trip_s - 1e-3  # one segment: nothing tells of it sooner
    assert late / 4_000 == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 4_000))


def test_messages_queue_behind_each_other_and_come_in_order() -> None:
    path = way(UplinkSpec("nb-iot", spread=0.0))
    path.loss = 0.0
    for sequence in range(1, 6):
        path.send(0, sequence, bytes(30_000))
    assert path.under_way == (1, 2, 3, 4, 5) and path.arrived(0) == []
    came = path.arrived(1 << 62)
    gaps = np.diff([one.arrives_ns for one in came]) / NS_PER_S
    assert [one.sequence for one in came] == [1, 2, 3, 4, 5] and path.under_way == ()
    assert gaps == pytest.approx(path._clear_s(30_000), rel=1e-4)
    assert 8 * 30_000 / path.path.up_bit_s < gaps[0]


def test_outages_are_drawn_as_often_and_break_off_what_is_under_way() -> None:
    spec = UplinkSpec("ethernet", spread=0.0, outages_a_week=7.0, outage_s=600.0)
    path = way(spec)
    begins = [path._outage(at) for at in range(700)]
    assert begins[-1] / 700 == pytest.approx(room.WEEK_S / 7 + 600, rel=0.15)
    inside_s = begins[3] + 100
    arrived_s = inside_s + took_s(path, 1_000, inside_s)
    assert begins[3] + 600 < arrived_s < begins[3] + 601
    broken = way(dataclasses.replace(spec, kind="nb-iot"))
    begin_s = broken._outage(3)
    assert begin_s - 0.5 + took_s(broken, 1_000, begin_s - 0.5) > begin_s + 600


@needs_mosquitto
def test_real_sockets_through_such_a_path_take_as_much_longer(tmp_path: Path) -> None:
    """LTE-M's file with its loss taken out, since a relay's losses are not the world's: real MQTT over TLS."""
    told: Backhaul = dataclasses.replace(backhaul("lte-m"), loss=0.0)
    (_, small_s), (_, large_s) = published(told, tmp_path, (1, 30_000)).values()
    world = way(UplinkSpec("lte-m", spread=0.0))
    world.loss = 0.0
    longer_s = took_s(world, 30_000) - took_s(world, 1, 1e4)
    assert large_s - small_s == pytest.approx(longer_s, rel=0.1)


# --- in a world ------------------------------------------------------------------------------------------------


def played(folder: Path, seed: int = 1, **settings: object) -> World:
    world = World(dozen(folder, **settings), seed, folder / "run")
    world.run(MINUTES * 60 * NS_PER_S)
    return world


def ages_s(world: World) -> np.ndarray:
    rows = [row for _, row in world.stored.readings_after(0, 1_000_000)]
    return np.array([row.stored_ns - row.received_ns for row in rows]) / NS_PER_S


def test_readings_are_older_by_the_way_and_none_is_lost(tmp_path: Path) -> None:
    plain, slow, away = (tmp_path / name for name in ("plain", "slow", "away"))
    for one in (plain, slow, away):
        one.mkdir()
    with played(plain) as world:
        assert list(world.history.each(BundleCarried)) == []
        before_s = ages_s(world)
    with played(slow, backhaul__kind="nb-iot") as world:
        carried = list(world.history.each(BundleCarried))
        on_way = sum(len(world.paths.under_way(one.id)) for one in world.gateways)
        assert len(carried) + on_way == len(list(world.history.each(BundleClosed))) > 30
        least_s = min(world.paths._uplinks[one.id].path.latency_ms for one in world.gateways) / 1000
        assert all(one.arrived_ns - one.sent_ns >= least_s * NS_PER_S for one in carried)
        after_s = ages_s(world)
        assert custody.check(world, False) == nothing_altered.check(world, False) == []
    assert after_s.mean() > before_s.mean() and len(after_s) <= len(before_s)
    often = {"backhaul__outages_a_week": 1_000.0, "backhaul__outage_s": 300.0}
    with played(away, 2, backhaul__kind="lte-m", **often) as world:
        begins = [world.paths._uplinks[one.id]._outage(0) for one in world.gateways]
        assert max(begins) + 100 < min(begins) + 300 < 600  # both are away at once: neither delivers for the other
        assert ages_s(world).max() > before_s.max() + 100
        assert custody.check(world, False) == nothing_altered.check(world, False) == []


def test_a_seed_repeats_it_and_a_world_without_it_is_what_it_was(tmp_path: Path) -> None:
    digests = {}
    for name, settings in (
        ("none", {}),
        ("told none", {"backhaul__kind": NONE}),
        ("nb-iot", {"backhaul__kind": "nb-iot"}),
        ("again", {"backhaul__kind": "nb-iot"}),
    ):
        folder = tmp_path / name
        folder.mkdir()
        with played(folder, **settings) as world:
            world.finish()
            digests[name] = world.spec.digest, world.history.digest
    assert digests["none"] == digests["told none"] and digests["nb-iot"] == digests["again"]
    assert digests["none"][0] != digests["nb-iot"][0] and digests["none"][1] != digests["nb-iot"][1]


def test_a_power_cut_takes_nothing_that_is_on_its_way(tmp_path: Path) -> None:
    spec = dozen(tmp_path, backhaul__kind="lte-m", backhaul__outages_a_week=1_000.0, backhaul__outage_s=600.0)
    with World(spec, 3, tmp_path / "run") as world:
        world.fault(PowerCut(gateway=0, after_s=400.0, duration_s=120.0))
        world.run(MINUTES * 60 * NS_PER_S)
        assert any(world.paths.under_way(one.id) for one in world.gateways) or len(
            list(world.history.each(BundleCarried))
        )
        assert custody.check(world, False) == nothing_altered.check(world, False) == []


def test_a_gateway_that_forgets_what_is_on_its_way_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = VirtualGateway.custody
    monkeypatch.setattr(VirtualGateway, "custody", lambda self: frozenset(self.waiting) if self.up else original(self))
    with played(
        tmp_path, backhaul__kind="ethernet", backhaul__outages_a_week=1_000.0, backhaul__outage_s=86_400.0
    ) as world:
        world.run(MINUTES * 60 * NS_PER_S)
        assert any("is nowhere" in one for one in custody.check(world, False))


def test_where_there_is_no_such_way_one_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"backhaul\.kind"):
        dozen(tmp_path, backhaul__kind="nbiot")
    with pytest.raises(SpecError, match="'nb-iot' is a way of bundles in virtual time: leave it out"):
        dozen(tmp_path, backhaul__kind="nb-iot", clock__kind="wall").refuse_contradictions()
