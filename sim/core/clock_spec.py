"""[clock] of a world: by which clock it passes. `kind` says which; the other keys are the kind's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sim.core.clock import Clock, ns
from sim.core.settings import number
from sim.core.virtual_clock import VirtualClock
from sim.core.wall_clock import WallClock


@dataclass(frozen=True, slots=True)
class ClockSpec:
    """World time jumps from event to event, as fast as the machine allows."""

    kind: str = "virtual"

    def make(self) -> Clock:
        return VirtualClock()


@dataclass(frozen=True, slots=True)
class WallClockSpec(ClockSpec):
    """World time passes with the wall's, `rate` times as fast. `late_most_s` (wall seconds): when an event of the world
    came later than that, the run proves nothing. `real_time`: go before all ordinary programs of this machine, where it
    permits that: first bytes are handed over in time on a busy one too, and a world that computes for long takes a core
    for itself."""

    kind: str = "wall"
    rate: float = number(1.0, low=0.001, high=1_000_000.0)
    late_most_s: float = number(0.5, low=0.001, high=3_600.0)
    real_time: bool = False

    def make(self) -> WallClock:
        return WallClock(self.rate, late_most_ns=ns(self.late_most_s), real_time=self.real_time)


def classes() -> Mapping[str, type[ClockSpec]]:
    """Kind -> the class of its settings."""
    return {"virtual": ClockSpec, "wall": WallClockSpec}
