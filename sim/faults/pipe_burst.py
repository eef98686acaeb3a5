"""Pipes burst behind water meters: so much more runs through each, day and night, and nobody draws it.

It has no end. Witness: an hour later each of these displays will show so many litres more than it would have.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.core.clock import NS_PER_HOUR
from sim.core.settings import number
from sim.faults.port import CannotInject, Fault

if TYPE_CHECKING:
    from sim.world import World

_RESOLUTION_L = 1


class Seen(NamedTuple):
    litres_in_an_hour: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class PipeBurst(Fault[Seen]):
    id: ClassVar[str] = "pipe_burst"
    title: ClassVar[str] = "Pipes burst behind water meters: water runs day and night"
    struck_as: ClassVar[str] = "pipe burst"

    meters: tuple[int, ...] = field(default=(0,))
    """By their places in the fleet."""
    litres_an_hour: float = number(20.0, low=1.0, high=10_000.0)

    def subject(self, world: World) -> str:
        self._check(world)
        return " ".join(str(world.fleet.address(meter)) for meter in self.meters)

    def look(self, world: World) -> Seen:
        return Seen(tuple(world.fleet.litres(meter, world.now_ns + NS_PER_HOUR) for meter in self.meters))

    def strike(self, world: World) -> None:
        for meter in self.meters:
            world.fleet.burst(meter, world.now_ns, self.litres_an_hour)

    def witness_strike(self, before: Seen, after: Seen) -> str:
        more = [now - then for then, now in zip(before.litres_in_an_hour, after.litres_in_an_hour, strict=True)]
        if not more or any(abs(one - self.litres_an_hour) > _RESOLUTION_L for one in more):
            return ""
        return f"an hour later {len(more)} displays show {min(more)} to {max(more)} l more"

    def _check(self, world: World) -> None:
        for meter in self.meters:
            if not 0 <= meter < world.fleet.n:
                raise CannotInject(f"{self.id}: there is no meter {meter}, of {world.fleet.n}")
            if not world.fleet.counts_water(meter):
                raise CannotInject(f"{self.id}: meter {meter}, {world.fleet.address(meter)}, counts no water")


FAULT = PipeBurst()
