"""The broker is full: the portal does not fetch its messages (its path leads nowhere), the queue that the broker keeps
for it is as long as it may become, and what comes then is acknowledged and dropped.

How long the queue may become is the setting `endpoint.queued_messages`. Without `duration_s` it goes on until
`Injection.heal`, or to the end of the run. Witness: the portal's session is down and the gateways' are not; then the
portal has one, and of the bundles that the broker had acknowledged fewer than all are in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.faults._broker import BACK_S, broker_of
from sim.faults.path_lost import NOWHERE
from sim.faults.port import Outage
from sim.network.paths import Line

if TYPE_CHECKING:
    from sim.world import World


class Seen(NamedTuple):
    fetches: bool  # the portal has a session
    sessions: int  # gateways that have one
    accepted: int  # bundles that gateways hold and that the broker acknowledged
    fetched: int  # different ones that lie in the portal's session


@dataclass(frozen=True, kw_only=True)
class BrokerFull(Outage[Seen]):
    id: ClassVar[str] = "broker_full"
    title: ClassVar[str] = "The broker's queue for the portal is full: it acknowledges and drops"
    needs: ClassVar[frozenset[str]] = frozenset({"persistence", "sockets"})
    struck_as: ClassVar[str] = "broker full"
    healed_as: ClassVar[str] = "queue fetched"

    def subject(self, world: World) -> str:
        return "broker's queue for the portal"

    def look(self, world: World) -> Seen:
        portal, gateways = _portal(world).session, world.gateways
        return Seen(
            portal.connected,
            sum(gateway.session.connected for gateway in gateways),
            sum(len(g.waiting) for g in gateways if g.session.connected and g.session.unacknowledged <= 0),
            len({(message.topic, message.payload) for message in portal.inbox if message.topic.endswith("/up")}),
        )

    def strike(self, world: World) -> None:
        world.paths.reroute(_portal(world), NOWHERE)

    def witness_strike(self, before: Seen, after: Seen) -> str:
        if before.fetches and not after.fetches and after.sessions:
            return f"the portal's session is down, {after.sessions} gateways have theirs"
        return ""

    def heal(self, world: World) -> None:
        """Gateways do not publish meanwhile: what is fetched had been accepted before."""
        portal, endpoint = _portal(world), broker_of(world)
        world.paths.reroute(portal, None)
        fence = endpoint.fence(portal.session)
        endpoint.settle(lambda: portal.session.connected and fence(), BACK_S)

    def witness_heal(self, struck: Seen, healed: Seen) -> str:
        if healed.fetches and 0 < healed.fetched < healed.accepted:
            return f"the portal fetched {healed.fetched} of {healed.accepted} bundles that the broker had acknowledged"
        return ""


def _portal(world: World) -> Line:
    session = world.system.sessions[0]
    return Line(session.client_id, session)


FAULT = BrokerFull()
