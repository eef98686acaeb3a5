"""Pipes burst behind water meters; a burst that nothing comes of is red, and an allocator has no pipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.rig.checks import faults_witnessed
from sim.core.clock import NS_PER_HOUR
from sim.faults.pipe_burst import PipeBurst
from sim.faults.port import CannotInject
from sim.meters.fleet import Fleet
from sim.world import World
from sim.world_spec import WorldSpec
from tests.sim.faults.test_faults import MINUTE, dozen


def water(path: Path) -> WorldSpec:
    spec = dozen(path)
    return replace(spec, fleet=tuple(replace(group, type="qundis-q-water") for group in spec.fleet))


def test_two_displays_show_more_and_others_do_not(tmp_path: Path) -> None:
    with World(water(tmp_path), 1, tmp_path / "world") as world:
        dry = [world.fleet.litres(meter, 2 * NS_PER_HOUR) for meter in range(3)]
        burst = world.fault(PipeBurst(meters=(0, 1), after_s=60.0, litres_an_hour=30.0))
        world.run(2 * MINUTE)
        assert burst.evidence == "an hour later 2 displays show 30 to 30 l more"
        wet = [world.fleet.litres(meter, 2 * NS_PER_HOUR) for meter in range(3)]
        more = [now - then for then, now in zip(dry, wet, strict=True)]
        assert more == [pytest.approx(59.5, abs=1), pytest.approx(59.5, abs=1), 0]
        assert faults_witnessed.check(world, False) == []


def test_a_burst_that_runs_nowhere_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fleet, "burst", lambda *_: None)
    with World(water(tmp_path), 1, tmp_path / "world") as world:
        world.fault(PipeBurst())
        world.run(MINUTE)
        (problem,) = faults_witnessed.check(world, False)
        assert "'pipe burst' is in the history and nothing shows it" in problem


def test_who_has_no_pipe_is_named(tmp_path: Path) -> None:
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        for meters, said in (((0,), "counts no water"), ((99,), "there is no meter 99, of")):
            with pytest.raises(CannotInject, match=said):
                world.fault(PipeBurst(meters=meters))
