"""A city's results know neither window, shard nor worker, and are those of the event-by-event reference."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import simpy

from arrays import cache_folder
from sim.city.conduct import run
from sim.city.digest import of_telegrams
from sim.city.plan import Blocks, CityLimit, CityPlan, Outages, available_bytes
from sim.city.shard import Shard, outages
from sim.core.clock import NS_PER_S
from sim.core.seeds import Seeds
from sim.core.settings import SpecError, changed
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.radio.air import Air
from sim.radio.emissions import Schedule
from sim.radio.fleet_frames import FleetFrames
from sim.radio.propagation import Propagation
from sim.radio.receiver_profile import profiles
from sim.radio.site_spec import SiteSpec
from sim.site_plan import receiver_of, site_of
from sim.world_spec import WorldSpec

HOUR = 3_600 * NS_PER_S
ROOT = Path(__file__).resolve().parents[3]


def world(meters: int = 4_300, gateways: int = 9, mask: str = "always", exponent: float = 4.4) -> WorldSpec:
    fleet = (
        FleetSpec("a", "vipa-c10", meters - 300, interval_s=600.0, mask=mask),  # type: ignore[arg-type]
        FleetSpec("b", "techem-radio-4", 200, security="mode7", link="C1", interval_s=300.0),
        FleetSpec("c", "vipa-c10", 100, security="none", link="S1", interval_s=120.0),
    )
    site = SiteSpec(floors=2, path_loss_exponent=exponent)
    return WorldSpec("small", "A small city", fleet, (GatewaySpec(count=gateways),), site=site)


def plan(spec: WorldSpec | None = None, **changes: object) -> CityPlan:
    one = CityPlan(spec or world(), 3, HOUR, "bytes", outages=Outages(1.0, 1_800.0))
    return dataclasses.replace(one, **changes)  # type: ignore[arg-type]


def told(one: CityPlan) -> tuple[object, ...]:
    result = run(one)
    return (result.frames_sent, result.frames_heard, result.telegram_bytes, result.fates, result.received_digest)


@pytest.fixture(scope="module")
def whole() -> tuple[object, ...]:
    return told(plan(shards=1))


@pytest.mark.parametrize("shards", [2, 4, 9, 27])
def test_the_cut_changes_nothing(whole: tuple[object, ...], shards: int) -> None:
    assert told(plan(shards=shards)) == whole


@pytest.mark.parametrize("window_s", [37, 600, 1_000])
def test_the_window_changes_nothing(whole: tuple[object, ...], window_s: int) -> None:
    assert told(plan(shards=2, window_ns=window_s * NS_PER_S)) == whole


def test_workers_change_nothing(whole: tuple[object, ...]) -> None:
    assert told(plan(workers=2, shards=3)) == whole


def test_a_mask_is_kept_in_any_cut() -> None:
    spec = dataclasses.replace(world(mask="workdays 08-18"))
    one, other = plan(spec, shards=1, duration_ns=9 * HOUR), plan(spec, shards=4, duration_ns=9 * HOUR)
    assert told(one) == told(other)


@pytest.mark.parametrize("receiver", profiles())
def test_it_is_the_reference_to_the_last_telegram(receiver: str) -> None:
    spec = changed(world(1_200, 4), "gateway.receiver", receiver)
    one = plan(spec, shards=3, outages=Outages())
    result = run(one)
    env, seeds = simpy.Environment(), Seeds(one.seed)
    fleet = Fleet(spec.fleet, seeds, start=spec.start)
    site = site_of(spec)
    air = Air(env, Propagation.of(spec.site, seeds))
    shard = Shard(dataclasses.replace(one, shards=1), Blocks.of(spec).tiles(1)[0])
    air.add_fleet(site.meters, shard.engine.radios, FleetFrames(lambda meter, k: b"%d %d" % (meter, k)))
    heard: set[tuple[int, int]] = set()

    def hear(telegram: bytes, end_ns: int, level_cdbm: int) -> None:
        meter, k = telegram.split()
        heard.add((int(meter), int(k)))

    for r in range(spec.gateways):
        sensitivity_cdbm, links, profile = receiver_of(spec.gateway[0])
        air.add_receiver(f"gw{r}", site.gateways[r], sensitivity_cdbm, links, hear, profile=profile)
    due = fleet.window(0, one.duration_ns)
    air.play(Schedule(due.start_ns, due.meter, due.k))
    env.run(until=one.duration_ns)
    fates = air.end_window().fates
    rows = np.array(sorted(heard), dtype=np.int64)
    assert len(rows) > 1_000
    assert result.frames_heard == len(rows)
    assert result.received_digest == f"{of_telegrams(rows[:, 0], rows[:, 1]):016x}"
    assert result.fates == fates


def test_the_telegrams_of_a_shard_are_those_of_the_fleet() -> None:
    one = plan(shards=4)
    fleet = Fleet(one.spec.fleet, Seeds(one.seed), start=one.spec.start)
    owned = 0
    for tile in Blocks.of(one.spec).tiles(4):
        shard = Shard(one, tile)
        owned += int(shard.own.sum())
        heard = shard.window(900 * NS_PER_S)
        made = shard.fleet.telegrams(heard.meter, heard.k)
        for row in range(0, len(heard.meter), 41):
            meter = int(shard.names[heard.meter[row]])
            assert made[row] == fleet.telegram(meter, int(heard.k[row]))
    assert owned == one.spec.meters


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("fleet.count", 0, "0 is not between 1 and 10000000"),
        ("fleet.interval_s", -900.0, "-900.0 is not between 2.0 and 604800.0"),
        ("fleet.interval_s", 0.0, "0.0 is not between 2.0"),
        ("gateway.count", 1_000_001, "1000001 is not between 1 and 1000000"),
    ],
)
def test_a_world_that_cannot_be_is_refused_where_it_is_read(setting: str, value: float, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        world().with_setting(setting, value)


def test_a_world_larger_than_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = plan(workers=2, shards=2)
    monkeypatch.setattr("sim.city.plan.available_bytes", lambda: one.memory_bytes() - 1)
    with pytest.raises(CityLimit, match=r"4300 meters in 2 shards on 2 workers need about 0.4 GiB .* use more shards"):
        run(one)
    monkeypatch.setattr("sim.city.plan.available_bytes", lambda: one.memory_bytes())
    one.refuse()


def test_free_memory_is_what_caches_would_give_up_within_the_control_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.city.plan._GROUP", tmp_path)
    monkeypatch.setattr("sim.city.plan._MEMINFO", tmp_path / "meminfo")
    (tmp_path / "meminfo").write_text("MemTotal:  9000 kB\nMemFree:  100 kB\nMemAvailable:    7000 kB\nBuffers: 1 kB\n")
    assert available_bytes() == 7_000 << 10
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1024\n")
    assert available_bytes() == 7_000 << 10
    (tmp_path / "memory.max").write_text("4096\n")
    assert available_bytes() == 3_072


@pytest.mark.acceptance  # a whole city in a process of its own
def test_what_a_run_takes_is_what_was_said() -> None:
    """Of a process of its own: what this one has touched before would count too, and so would the compiler."""
    pytest.importorskip("numba")
    if not cache_folder.mark().exists():
        subprocess.run([sys.executable, "-m", "sim.city.warm_up"], cwd=ROOT, check=True)
    code = """
import sys, dataclasses
from bench.perf.city import world
from sim.city.plan import CityPlan
from sim.city.conduct import run
plan = CityPlan(world(150_000), 1, 1_800 * 10**9)
print(run(plan).peak_bytes_a_worker, plan.memory_bytes())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    took, said = map(int, done.stdout.split())
    assert 0.5 * said < took < said


def test_outages_are_in_order_and_as_many_as_asked_for() -> None:
    what, seeds = Outages(0.25, 80_000.0), Seeds(1)
    for receiver in range(40):
        pairs = outages(what, seeds, receiver, 100 * 24 * HOUR)
        flat = [t for pair in pairs for t in pair]
        assert flat == sorted(set(flat))
    days = sum(len(outages(Outages(0.25, 60.0), seeds, r, 100 * 24 * HOUR)) for r in range(40))
    assert 900 < days < 1_100


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"duration_ns": 0}, "longer than 0"),
        ({"duration_ns": 1 << 62}, "73 years"),
        ({"window_ns": 1 << 41}, "at most 1100 s"),
        ({"workers": 0}, "from 1"),
        ({"outages": Outages(1.5)}, "share of days"),
        ({"spec": WorldSpec("x", "x", tuple(FleetSpec(str(i), "vipa-c10", 10_000_000) for i in range(500)),
                            (GatewaySpec(),))}, "32 bits"),
        ({"spec": WorldSpec("x", "x", tuple(FleetSpec(str(i), "vipa-c10", 10_000_000) for i in range(400)),
                            (GatewaySpec(),)), "shards": 1}, "GiB are free"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_at_once(changes: dict[str, object], said: str) -> None:
    with pytest.raises(CityLimit, match=said):
        run(plan(**changes))


def test_one_more_gateway_never_delivers_less() -> None:
    fleet = (FleetSpec("a", "vipa-c10", 700, interval_s=300.0), FleetSpec("b", "vipa-c10", 300, interval_s=120.0))
    heard = []
    for count in (1, 2, 3, 5, 8, 13, 19, 20, 21, 30, 31):
        spec = WorldSpec("more", "More", fleet, (GatewaySpec(count=count),), site=SiteSpec(path_loss_exponent=4.4))
        heard.append(run(CityPlan(spec, 5, 900 * NS_PER_S, "radio")).frames_heard)
    assert heard == sorted(heard) and len(set(heard)) > 8, heard
