"""Somebody is at a smart meter gateway: its housing is opened, it is moved, or its security module is pulled.

It has no end. Witness: the gateway's housing has noticed one more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from sim.core.settings import number
from sim.faults.port import Fault, gateway_at
from sim.smart_metering.housing import Housing
from sim.systems._smgw_running import smgw

if TYPE_CHECKING:
    from sim.world import World


class Seen(NamedTuple):
    untold: int


@dataclass(frozen=True, kw_only=True)
class GatewayDisturbed(Fault[Seen]):
    id: ClassVar[str] = "gateway_disturbed"
    title: ClassVar[str] = "Somebody opens or moves a smart meter gateway, or pulls its module"
    needs: ClassVar[frozenset[str]] = frozenset({"administrator"})
    struck_as: ClassVar[str] = "gateway disturbed"

    gateway: int = number(0, low=0)
    what: Literal["housing opened", "gateway moved", "module pulled"] = "housing opened"

    def subject(self, world: World) -> str:
        return gateway_at(world, self.gateway).id

    def look(self, world: World) -> Seen:
        return Seen(len(self._housing(world).untold))

    def strike(self, world: World) -> None:
        self._housing(world).disturb(self.what, world.now_ns)

    def witness_strike(self, before: Seen, after: Seen) -> str:
        return f"noticed: {self.what}" if after.untold == before.untold + 1 else ""

    def _housing(self, world: World) -> Housing:
        return smgw(world.system).housings[self.gateway]


FAULT = GatewayDisturbed()
