"""The network leads a gateway to a place where nobody listens. It goes on receiving and keeps its bundles.

Without `duration_s` the path stays lost until `Injection.heal`, or to the end of the run. Witness: its session is down;
then it has a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.endpoint.port import Address
from sim.faults.port import GatewayOutage, gateway_at

if TYPE_CHECKING:
    from sim.world import World

NOWHERE = Address("localhost", 1)  # tcpmux: reserved, and nobody has served it for decades


class Seen(NamedTuple):
    connected: bool
    connects: int


@dataclass(frozen=True, kw_only=True)
class PathLost(GatewayOutage[Seen]):
    id: ClassVar[str] = "path_lost"
    title: ClassVar[str] = "The network leads a gateway nowhere"
    needs: ClassVar[frozenset[str]] = frozenset({"sockets"})
    struck_as: ClassVar[str] = "path lost"
    healed_as: ClassVar[str] = "path back"

    def look(self, world: World) -> Seen:
        session = gateway_at(world, self.gateway).session
        return Seen(session.connected, session.connects)

    def strike(self, world: World) -> None:
        world.paths.reroute(gateway_at(world, self.gateway), NOWHERE)

    def witness_strike(self, before: Seen, after: Seen) -> str:
        return "its session is down" if before.connected and not after.connected else ""

    def heal(self, world: World) -> None:
        world.paths.restore(gateway_at(world, self.gateway))

    def witness_heal(self, struck: Seen, healed: Seen) -> str:
        return "it has a new session" if healed.connected and healed.connects > struck.connects else ""


FAULT = PathLost()
