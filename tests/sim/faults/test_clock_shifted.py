"""A gateway's clock is wrong and right again, seen by what it shows and writes; one that was never set is red."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cli.catalogue import show
from bench.rig import checks
from bench.rig.checks import faults_witnessed
from sim.core.clock import NS_PER_S
from sim.faults.clock_shifted import FAULT, ClockShifted
from sim.faults.port import CannotInject
from sim.gateway.kinds.virtual import VirtualGateway
from sim.world import World
from tests.sim.faults.test_faults import MINUTE, dozen


def test_a_clock_is_wrong_for_a_while(tmp_path: Path) -> None:
    """One fault in two worlds: what it remembers of each is that world's."""
    fault = ClockShifted(after_s=40, duration_s=60, shift_s=-30)
    for seed, offset_s in ((1, 0.0), (2, 2.0)):
        spec = dozen(tmp_path).with_setting("gateway.clock_offset_s", offset_s)
        with World(spec, seed, tmp_path / f"world {seed}") as world:
            gateway = world.gateways[0]
            assert isinstance(gateway, VirtualGateway)
            shifted = world.fault(fault)
            world.run(41 * NS_PER_S)
            assert gateway.clock_ns(100) == 100 + round((offset_s - 30) * NS_PER_S)
            world.run(3 * MINUTE)
            assert (shifted.evidence, shifted.recovery) == ("its clock shows -30 s", "its clock shows as before")
            assert gateway.clock_ns(100) == 100 + offset_s * NS_PER_S
            assert checks.apply(world, attacked=False) == []
            assert world.truth.stored > 30


def test_a_clock_that_was_never_set_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VirtualGateway, "set_clock", lambda *_: None)
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        world.fault(ClockShifted())
        world.run(MINUTE)
        (problem,) = faults_witnessed.check(world, False)
        assert problem.startswith("clock_shifted (gw-0001): 'clock wrong' is in the history and nothing shows it")


def test_what_it_cannot_do_is_said_and_what_it_remembers_is_no_setting(tmp_path: Path) -> None:
    with World(dozen(tmp_path), 1, tmp_path / "world") as world, pytest.raises(CannotInject, match="no gateway 7, of"):
        world.fault(ClockShifted(gateway=7))
    assert set(show("clock_shifted")["settings"]) == {"after_s", "phase", "duration_s", "gateway", "shift_s"}
    assert repr(FAULT) == repr(ClockShifted())
