"""No smart meter gateway reaches its administrator: containers wait on the gateways' disks, and leave afterwards.

Without `duration_s` it stays so until `Injection.heal`. Witness: nobody reaches it, and then everybody does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.faults.port import Lasting
from sim.systems._smgw_running import smgw

if TYPE_CHECKING:
    from sim.world import World


class Seen(NamedTuple):
    reached: bool
    relayed: int


@dataclass(frozen=True, kw_only=True)
class AdministratorLost(Lasting[Seen]):
    id: ClassVar[str] = "administrator_lost"
    title: ClassVar[str] = "Smart meter gateways do not reach their administrator; what they have waits"
    needs: ClassVar[frozenset[str]] = frozenset({"administrator"})
    struck_as: ClassVar[str] = "administrator lost"
    healed_as: ClassVar[str] = "administrator back"

    def subject(self, world: World) -> str:
        return "administrator"

    def look(self, world: World) -> Seen:
        administrator = smgw(world.system).administrator
        return Seen(administrator.reached, len(administrator.relayed))

    def strike(self, world: World) -> None:
        smgw(world.system).administrator.reached = False

    def witness_strike(self, before: Seen, after: Seen) -> str:
        return f"nobody reaches it; it had relayed {after.relayed} containers" if not after.reached else ""

    def heal(self, world: World) -> None:
        smgw(world.system).administrator.reached = True

    def witness_heal(self, struck: Seen, healed: Seen) -> str:
        return "it is reached" if healed.reached and healed.relayed == struck.relayed else ""


FAULT = AdministratorLost()
