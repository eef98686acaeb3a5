"""The wired meter bus of a smart meter gateway is cut: no frame passes. Meters keep measuring, and keep their rows.

Without `duration_s` it stays so until `Injection.heal`. Witness: the wire is cut, and then it is not; while it is cut
no frame passes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.core.settings import number
from sim.faults.port import CannotInject, Lasting, gateway_at
from sim.smart_metering.lmn.world_wire import WorldWire
from sim.systems._smgw_running import smgw

if TYPE_CHECKING:
    from sim.world import World


class Seen(NamedTuple):
    cut: bool
    frames: int


@dataclass(frozen=True, kw_only=True)
class WiredBusCut(Lasting[Seen]):
    id: ClassVar[str] = "wired_bus_cut"
    title: ClassVar[str] = "A gateway's wired meter bus is cut; meters keep what they measure"
    needs: ClassVar[frozenset[str]] = frozenset({"wired bus"})
    struck_as: ClassVar[str] = "wired bus cut"
    healed_as: ClassVar[str] = "wired bus whole"

    gateway: int = number(0, low=0)

    def subject(self, world: World) -> str:
        return gateway_at(world, self.gateway).id

    def look(self, world: World) -> Seen:
        wire = self._wire(world)
        return Seen(wire.cut, wire.frames)

    def strike(self, world: World) -> None:
        self._wire(world).cut = True

    def witness_strike(self, before: Seen, after: Seen) -> str:
        return f"cut after {after.frames} frames" if after.cut and not before.cut else ""

    def heal(self, world: World) -> None:
        self._wire(world).cut = False

    def witness_heal(self, struck: Seen, healed: Seen) -> str:
        if healed.cut or healed.frames != struck.frames:
            return ""
        return "whole again; no frame had passed"

    def _wire(self, world: World) -> WorldWire:
        side = smgw(world.system).gateways[self.gateway].wired
        if side is None:
            raise CannotInject(f"{self.id}: gateway {self.gateway} has no wired bus; set system.wired")
        return side.plan.wire


FAULT = WiredBusCut()
