"""A world whose gateway is a program outside of it: the reference gateway, started as any box is."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path

import pytest

from bench.rig import checks
from bench.rig.checks import real_at_work
from sim.core.clock import NS_PER_S
from sim.core.settings import SpecError
from sim.faults.gateway_power_cut import PowerCut
from sim.feeders.handed import Torn
from sim.gateway.kinds.box import BoxGateway, BoxSpec, _step_ns
from sim.gateway.registry import GATEWAYS
from sim.world import World
from sim.world_spec import WorldSpec
from tests.sim.desk.boxes import own_format
from tests.small_worlds import dozen


def boxed(folder: Path, *, rate: float = 20.0, late_most_s: float = 30.0, **more: object) -> WorldSpec:
    spec = dozen(folder, clock__kind="wall", clock__rate=rate, clock__late_most_s=late_most_s)
    return dataclasses.replace(spec, gateway=(BoxSpec("gw", bundle_age_s=5.0, **more),))  # type: ignore[arg-type]


def test_what_the_fleet_sends_is_read_at_the_portal(tmp_path: Path) -> None:
    with World(boxed(tmp_path), 3, tmp_path / "run") as world:
        world.run(60 * NS_PER_S)
        world.finish()
        gateway = world.gateways[0]
        assert isinstance(gateway, BoxGateway)
        assert world.truth.received == world.stored.count_readings() == 36
        world.truth.look_again()
        assert checks.apply(world, attacked=False) == []
        said = gateway.as_json()
        assert said["delivered"] == said["frames_handed"] == len(gateway.latency_ns) == 36
        with pytest.raises(LookupError, match="gw-0001 is a program of its own, whose clock is its machine's"):
            gateway.set_clock(1.0)
        assert said["not_delivered"] == said["unknown"] == said["unreadable"] == 0
        assert min(gateway.latency_ns) > 0
        pid = gateway.box.pid
        assert pid is not None and world.clock.woken > 0  # type: ignore[attr-defined]
    assert not Path(f"/proc/{pid}").exists()


def test_a_gateway_that_knows_no_acknowledgement_is_judged_at_its_broker(tmp_path: Path) -> None:
    """It publishes in a format of its own and hears nothing of the portal's; what it said is in our custody."""
    desk = own_format(tmp_path)
    with World(boxed(tmp_path, entry="kitchen", inventory=str(desk)), 3, tmp_path / "run") as world:
        world.run(60 * NS_PER_S)
        world.finish()
        gateway = world.gateways[0]
        assert isinstance(gateway, BoxGateway)
        assert world.truth.received == world.stored.count_readings() == 36
        world.truth.look_again()
        assert checks.apply(world, attacked=False) == []
        said = gateway.as_json()
        assert said["delivered"] == said["frames_handed"] == len(gateway.latency_ns) == 36
        assert said["not_delivered"] == said["unknown"] == said["unreadable"] == 0
        assert min(gateway.latency_ns) > 0


def test_a_telegram_that_it_was_not_given_whole_is_named_and_leaves_the_run_unproven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(boxed(tmp_path, drain_s=0.0), 3, tmp_path / "run") as world:
        world.run(30 * NS_PER_S)
        gateway = world.gateways[0]
        assert isinstance(gateway, BoxGateway)
        assert not real_at_work.check(world, attacked=False)
        monkeypatch.setattr(gateway.box, "feed", lambda _: True)
        frame = bytes.fromhex("0e4493444433221135087a5500000003")
        gateway.receive(frame, world.now_ns, -70.0)
        torn = Torn(frame, gateway._under_way[frame][0], "the samples were 0.60 s late and were left out", late=True)
        gateway.box.feeders[0].handed.tear(torn, begun=True)
        for _ in range(2):  # it is noted once
            gateway._collect()
        assert frame not in gateway._under_way and gateway.undelivered().count(frame) == 1
        [said] = real_at_work.check(world, attacked=False)
        assert frame.hex() in said and "0.60 s late" in said
        told = gateway.as_json()
        assert told["frames_torn"] == 1
        assert told["torn"] == [
            {"frame": frame.hex(), "ended_ms": torn.ended_ns // 10**6, "why": torn.why, "late": True}
        ]


@pytest.mark.parametrize(
    ("text", "step_ns"), [("03:04:05", 10**9), ("03:04:05.120", 10**6), ("03:04:05.120001", 10**3)]
)
def test_a_stamp_is_as_fine_as_its_digits(text: str, step_ns: int) -> None:
    assert _step_ns(datetime.fromisoformat(f"2026-01-02T{text}")) == step_ns


def test_a_power_cut_is_one_and_service_comes_back(tmp_path: Path) -> None:
    with World(boxed(tmp_path, rate=6.0, drain_s=2.0), 3, tmp_path / "run") as world:
        world.fault(PowerCut(after_s=20.0, duration_s=15.0))
        world.run(120 * NS_PER_S)
        world.finish()
        gateway = world.gateways[0]
        assert isinstance(gateway, BoxGateway)
        assert gateway.box.starts == 2
        assert gateway.up
        down = [one for one in world.truth.sent() if 22 * NS_PER_S < one.start_ns < 34 * NS_PER_S]
        after = [one for one in world.truth.sent() if one.start_ns > 80 * NS_PER_S]
        assert all(one.reading is None for one in down)
        assert after and all(one.reading is not None for one in after)


def test_a_world_that_cannot_keep_up_proves_nothing(tmp_path: Path) -> None:
    with World(boxed(tmp_path, rate=100_000.0, late_most_s=0.001), 3, tmp_path / "run") as world:
        world.run(600 * NS_PER_S)
        found = dict(checks.apply(world, attacked=False))
    complaint = found["the world kept up with its wall clock"]
    assert "behind its wall clock" in complaint and "clock.rate" in complaint
    assert "the world kept up with its wall clock" in checks.unproven()


def test_a_real_gateway_asks_for_the_walls_clock(tmp_path: Path) -> None:
    spec = dataclasses.replace(dozen(tmp_path), gateway=(BoxSpec(),))
    with pytest.raises(SpecError, match=r"gateway\[0\].kind: 'box' is a real gateway.*clock.kind = \"wall\""):
        World(spec, 1, tmp_path / "run")
    assert [id_ for id_, kind in GATEWAYS.parts().items() if kind.real] == ["box"]


def test_an_unknown_entry_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"no gateway 'kitchen'.*the ready entries are: .*reference"):
        World(boxed(tmp_path, entry="kitchen", inventory=str(tmp_path / "none")), 1, tmp_path / "run")
