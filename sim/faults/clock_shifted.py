"""A gateway's clock is wrong: it runs as fast as before, and shows so many seconds more (or less) than it is.

Without `duration_s` it stays so until `Injection.heal`. Witness: its clock shows that many seconds more than before;
then as many as before.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.core.clock import NS_PER_S, ns
from sim.core.settings import number
from sim.faults.port import CannotInject, Lasting, gateway_at, remembered
from sim.gateway.kinds.box import BoxGateway
from sim.gateway.kinds.virtual import VirtualGateway

if TYPE_CHECKING:
    from sim.world import World


class Seen(NamedTuple):
    ahead_ns: int  # of world time, by its clock


@dataclass(frozen=True, kw_only=True)
class ClockShifted(Lasting[Seen]):
    id: ClassVar[str] = "clock_shifted"
    title: ClassVar[str] = "A gateway's clock is wrong by some seconds"
    struck_as: ClassVar[str] = "clock wrong"
    healed_as: ClassVar[str] = "clock as before"

    gateway: int = number(0, low=0)
    shift_s: float = number(-30.0, low=-86_400.0, high=86_400.0)
    """Positive: ahead."""
    _was: MutableMapping[World, Seen] = remembered()

    @property
    def shifts_clock_of(self) -> int:
        return self.gateway

    def subject(self, world: World) -> str:
        return self._gateway(world).id

    def look(self, world: World) -> Seen:
        return Seen(self._gateway(world).clock_ns(world.now_ns) - world.now_ns)

    def strike(self, world: World) -> None:
        was = self._was[world] = self.look(world)
        self._set(world, was.ahead_ns + ns(self.shift_s))

    def witness_strike(self, before: Seen, after: Seen) -> str:
        shift_ns = after.ahead_ns - before.ahead_ns
        return f"its clock shows {shift_ns / NS_PER_S:+g} s" if shift_ns and shift_ns == ns(self.shift_s) else ""

    def heal(self, world: World) -> None:
        self._set(world, self._was[world].ahead_ns)

    def witness_heal(self, struck: Seen, healed: Seen) -> str:
        return "its clock shows as before" if struck.ahead_ns - healed.ahead_ns == ns(self.shift_s) else ""

    def _set(self, world: World, ahead_ns: int) -> None:
        world.air.catch_up()  # what was received until now has the time that the clock showed then
        self._gateway(world).set_clock(ahead_ns / NS_PER_S)

    def _gateway(self, world: World) -> VirtualGateway:
        gateway = gateway_at(world, self.gateway)
        if isinstance(gateway, BoxGateway) or not isinstance(gateway, VirtualGateway):
            raise CannotInject(f"{self.id}: the clock of {gateway.id} cannot be set; that of a simulated gateway can")
        return gateway


FAULT = ClockShifted()
