"""The portal dies as by SIGKILL and is started again on its files as it left them: a log that nobody folded into the
database, nothing of what was in memory, and what it had to say unsaid.

In the phase "commit" it dies between the commit of what it took and the acknowledgements: gateways hold bundles that
are stored already, and send them again. Witness: another portal object runs, it has at least the readings of the one
before, and in that phase bundles that it has stored wait on gateways. That they come a second time is for the scenario
to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.faults.port import Fault
from sim.lockstep import COMMIT

if TYPE_CHECKING:
    from sim.world import World


class Seen(NamedTuple):
    portal: object
    readings: int
    unanswered: int  # bundles that are stored and wait on gateways


@dataclass(frozen=True, kw_only=True)
class PortalKilled(Fault[Seen]):
    id: ClassVar[str] = "portal_killed"
    title: ClassVar[str] = "SIGKILL for the portal, and a start on the files that it leaves"
    needs: ClassVar[frozenset[str]] = frozenset({"portal restart"})
    struck_as: ClassVar[str] = "portal killed"

    def subject(self, world: World) -> str:
        return f"portal, SIGKILL while in phase {self.phase}" if self.phase else "portal, SIGKILL"

    def look(self, world: World) -> Seen:
        stored = world.stored
        unanswered = 0
        for gateway in world.gateways:
            if gateway.waiting:
                first = min(gateway.waiting)
                held = set(gateway.waiting)
                unanswered += len(held.intersection(stored.bundles_after(gateway.id, first - 1, len(held))))
        return Seen(world.system.portal, stored.count_readings(), unanswered)

    def strike(self, world: World) -> None:
        world.system.kill_portal()

    def witness_strike(self, before: Seen, after: Seen) -> str:
        if after.portal is before.portal or after.readings < before.readings:
            return ""
        if self.phase == COMMIT and not after.unanswered:
            return ""
        return (
            f"another portal runs, with {after.readings} readings; {after.unanswered} stored bundles wait on gateways"
        )


FAULT = PortalKilled()
