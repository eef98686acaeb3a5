"""A gateway that sleeps hears at its hours alone, and takes one telegram a meter and period."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.city.plan import CityLimit, CityPlan
from sim.core.clock import NS_PER_HOUR, NS_PER_S, ns
from sim.core.events import Event, Fate
from sim.core.settings import changed
from sim.endpoint.kinds.memory import Memory, MemorySpec
from sim.gateway.kinds.sleeping import SleepingSpec
from sim.gateway.port import Waking, Wiring
from sim.gateway.registry import GATEWAYS
from sim.gateway.thinning import Thinning
from sim.meters.fleet_spec import FleetSpec
from sim.radio.air import ENGINES
from sim.world import World
from sim.world_spec import WorldSpec

MINUTE_NS = 60 * NS_PER_S


def world_of(**gateway: float) -> WorldSpec:
    return WorldSpec(
        "sleepy", "Sleepy", (FleetSpec("heat cost", "qundis-q-caloric", 6, security="mode5", interval_s=120.0),),
        (SleepingSpec(bundle_age_s=120.0, **gateway),), window_s=300.0, endpoint=MemorySpec(),  # type: ignore[arg-type]
    )  # fmt: skip


@given(
    first=st.integers(0, 50), every=st.integers(1, 50), awake=st.integers(1, 50), now=st.integers(0, 500),
)  # fmt: skip
def test_its_hours_are_what_they_say_instant_by_instant(first: int, every: int, awake: int, now: int) -> None:
    waking = Waking(first, every, min(awake, every))

    def listens(at: int) -> bool:
        return at >= first and (at - first) % every < awake

    is_awake, left = waking.at(now)
    assert is_awake == listens(now) and left >= 1
    assert all(listens(at) == is_awake for at in range(now, now + left))
    if awake < every:
        assert listens(now + left) != is_awake


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 25)), max_size=60), st.integers(1, 12))
def test_of_each_sender_the_first_of_a_period_goes_on(heard: list[tuple[int, int]], period: int) -> None:
    thinning, gone = Thinning(period), set()
    for meter, at in sorted(heard, key=lambda one: one[1]):
        telegram = bytes([20, 0x44]) + meter.to_bytes(8, "little") + bytes([at]) * 10
        assert thinning.takes(telegram, at) == ((meter, at // period) not in gone)
        gone.add((meter, at // period))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_world_gets_one_telegram_a_meter_and_hour_of_its_ten_minutes(tmp_path: Path, engine: str) -> None:
    spec = world_of(awake_s=600.0, every_s=3_600.0, first_s=1_800.0)
    with World(spec, 1, tmp_path / "world", engine=engine) as world:
        world.run(4 * NS_PER_HOUR)
        world.finish()
        truth = world.truth
        heard = [one.start_ns // MINUTE_NS for one in truth.sent()]
        assert heard and all(30 <= minute % 60 < 40 for minute in heard)
        by_meter = sorted((one.meter, one.start_ns // NS_PER_HOUR) for one in truth.sent())
        assert by_meter == [(meter, hour) for meter in range(6) for hour in range(4)]
        assert world.stored.count_readings() == 24
        assert truth.missing() == [] and truth.altered_readings == 0
        assert world.history.fates[Fate.GATEWAY_DOWN.label] > 5 * world.history.fates[Fate.RECEIVED.label] / 2
        assert not truth.alarms(["gap", "freshness"])


def test_a_gateway_that_drops_more_than_its_rule_is_found_out(tmp_path: Path) -> None:
    """The referee works out by the rule what must arrive."""
    with World(world_of(awake_s=3_600.0, thin_s=600.0), 1, tmp_path / "world") as world:
        for gateway in world.gateways:
            gateway.thinning.period_ns = 2 * gateway.thinning.period_ns  # type: ignore[union-attr]
            world.truth.tap._thinning[0] = Thinning(ns(600.0))
        world.run(2 * NS_PER_HOUR)
        world.finish()
        assert len(world.truth.missing()) == 36


def test_without_thinning_everything_that_it_hears_goes_on(tmp_path: Path) -> None:
    events: list[Event] = []
    endpoint = Memory()
    spec = SleepingSpec(thin_s=0.0)
    wiring = Wiring(tmp_path, lambda: endpoint.connect(endpoint.identity("gw1")), events.append, b"")
    gateway = GATEWAYS.find("sleeping").open("gw1", spec, wiring)
    for n in range(3):
        gateway.receive(bytes(40), n, -70.0)
    assert len(gateway.open_bundle) == 3
    gateway.close()


def test_after_a_power_cut_it_takes_the_hour_s_telegram_again(tmp_path: Path) -> None:
    endpoint = Memory()
    wiring = Wiring(tmp_path, lambda: endpoint.connect(endpoint.identity("gw1")), lambda _: None, b"")
    gateway = GATEWAYS.find("sleeping").open("gw1", SleepingSpec(), wiring)
    gateway.receive(bytes(40), 0, -70.0)
    gateway.receive(bytes(40), 1, -70.0)
    assert len(gateway.open_bundle) == 1
    gateway.power_cut(2)
    gateway.power_on(3)
    gateway.receive(bytes(40), 4, -70.0)
    assert len(gateway.open_bundle) == 1
    gateway.close()


@pytest.mark.parametrize("depth", ["radio", "readings"])
def test_a_city_refuses_it_by_name(depth: str) -> None:
    with pytest.raises(CityLimit, match="gateways of kind 'sleeping' sleep or thin"):
        CityPlan(world_of(), 1, NS_PER_HOUR, depth=depth).refuse()  # type: ignore[arg-type]


def test_a_world_may_change_to_it_with_one_setting() -> None:
    spec = changed(changed(world_of(), "gateway.kind", "virtual"), "gateway.kind", "sleeping")
    assert spec.gateway[0] == SleepingSpec(bundle_age_s=120.0)
