"""The broker is up and refuses everybody: started again without its list of users, it answers every CONNECT, however
good the certificate, with "not authorized". Then it is started as it was.

Without `duration_s` it goes on until `Injection.heal`, or to the end of the run. Witness: a client with a certificate
of the fleet is refused in its CONNACK, and no gateway has a session; then the client gets one, nothing had arrived
meanwhile, and bundles wait at the gateways.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.faults._broker import Way, all_connected, broker_of, interrupted, nobody_connected, told, way_of
from sim.faults.port import Outage

if TYPE_CHECKING:
    from sim.world import World


class Seen(NamedTuple):
    told: str  # to a client that dials with a good certificate
    way: Way


@dataclass(frozen=True, kw_only=True)
class BrokerRefuses(Outage[Seen]):
    id: ClassVar[str] = "broker_refuses"
    title: ClassVar[str] = "The broker refuses every CONNECT for a while"
    needs: ClassVar[frozenset[str]] = frozenset({"kill"})
    struck_as: ClassVar[str] = "broker refuses"
    healed_as: ClassVar[str] = "broker accepts"

    def subject(self, world: World) -> str:
        return "broker"

    def look(self, world: World) -> Seen:
        return Seen(told(world), way_of(world))

    def strike(self, world: World) -> None:
        broker_of(world).kill()
        broker_of(world).restart(refusing=True)
        world.paths.close_all()
        nobody_connected(world)

    def witness_strike(self, before: Seen, after: Seen) -> str:
        refused = after.told.startswith("CONNACK") and not after.way.sessions
        if before.told == "connected" and before.way.sessions and after.way.answers and refused:
            return f"a client with a good certificate is told '{after.told}', no gateway has a session"
        return ""

    def heal(self, world: World) -> None:
        broker_of(world).kill()
        broker_of(world).restart()
        world.paths.open_all()
        all_connected(world)

    def witness_heal(self, struck: Seen, healed: Seen) -> str:
        waited = interrupted(struck.way, healed.way)
        return f"the client is {healed.told}; {waited}" if waited and healed.told == "connected" else ""


FAULT = BrokerRefuses()
