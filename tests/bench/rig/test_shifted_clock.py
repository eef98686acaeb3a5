"""A fault that shifts a gateway's clock: while it was seen to last, the times that gateway writes are not held against
the world's; before, after, and of every other gateway they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from bench.rig.checks import heard_as_stored
from sim.core.clock import NS_PER_S
from sim.faults.port import Lasting, gateway_at
from sim.gateway.kinds.virtual import VirtualGateway
from sim.world import World
from tests.small_worlds import dozen

BEHIND_S = -30.0


@dataclass(frozen=True, kw_only=True)
class ClockBehind(Lasting[float]):
    id: ClassVar[str] = "clock_behind"
    title: ClassVar[str] = "A gateway's clock is behind"
    struck_as: ClassVar[str] = "clock behind"
    healed_as: ClassVar[str] = "clock right"

    told: bool = True
    seen: bool = True

    @property
    def shifts_clock_of(self) -> int | None:
        return 0 if self.told else None

    def subject(self, world: World) -> str:
        return gateway_at(world, 0).id

    def look(self, world: World) -> float:
        return 0.0

    def strike(self, world: World) -> None:
        self._set(world, BEHIND_S)

    def heal(self, world: World) -> None:
        self._set(world, 0.0)

    def _set(self, world: World, seconds: float) -> None:
        gateway = gateway_at(world, 0)
        assert isinstance(gateway, VirtualGateway)
        world.air.catch_up()
        gateway.set_clock(seconds)

    def witness_strike(self, before: float, after: float) -> str:
        return "the test says so" if self.seen else ""

    def witness_heal(self, struck: float, healed: float) -> str:
        return self.witness_strike(struck, healed)


@pytest.mark.parametrize(
    ("fault", "right"),
    [
        (ClockBehind(after_s=40, duration_s=60), True),
        (ClockBehind(after_s=40), True),
        (ClockBehind(after_s=40, duration_s=60, told=False), False),
        (ClockBehind(after_s=40, duration_s=60, seen=False), False),
    ],
)
def test_only_what_a_seen_fault_shifted_is_not_asked(tmp_path: Path, fault: ClockBehind, right: bool) -> None:
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        world.fault(fault)
        world.run(180 * NS_PER_S)
        assert world.truth.stored > 30
        assert (heard_as_stored.check(world, attacked=False) == []) is right


def test_a_clock_that_stays_wrong_after_the_fault_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClockBehind, "heal", lambda self, world: None)
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        world.fault(ClockBehind(after_s=40, duration_s=30))
        world.run(180 * NS_PER_S)
        assert heard_as_stored.check(world, attacked=False)
