"""The broker is gone: SIGKILL, and for as long as the fault lasts nobody listens on its port. Then it is started on the
same port and on what it had on its disk.

Without `duration_s` it stays away until `Injection.heal`, or to the end of the run. Witness: its process is gone, its
port is closed and no gateway has a session; then another process answers, nothing had arrived meanwhile, and bundles
wait at the gateways.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sim.faults._broker import Way, all_connected, broker_of, interrupted, nobody_connected, way_of
from sim.faults.port import Outage

if TYPE_CHECKING:
    from sim.world import World


@dataclass(frozen=True, kw_only=True)
class BrokerDown(Outage[Way]):
    id: ClassVar[str] = "broker_down"
    title: ClassVar[str] = "No broker for a while: its process is gone, its port is closed"
    needs: ClassVar[frozenset[str]] = frozenset({"kill"})
    struck_as: ClassVar[str] = "broker down"
    healed_as: ClassVar[str] = "broker back"

    def subject(self, world: World) -> str:
        return "broker"

    def look(self, world: World) -> Way:
        return way_of(world)

    def strike(self, world: World) -> None:
        broker_of(world).kill()
        world.paths.close_all()
        nobody_connected(world)

    def witness_strike(self, before: Way, after: Way) -> str:
        if before.answers and before.sessions and after.pid is None and not after.answers and not after.sessions:
            return f"process {before.pid} is gone, its port is closed, no gateway has a session"
        return ""

    def heal(self, world: World) -> None:
        broker_of(world).restart()
        world.paths.open_all()
        all_connected(world)

    def witness_heal(self, struck: Way, healed: Way) -> str:
        waited = interrupted(struck, healed)
        if waited and healed.answers and not struck.answers:
            return f"process {healed.pid} answers on the port; {waited}"
        return ""


FAULT = BrokerDown()
