"""The portal is closed and opened again on what it has on its disk: whatever it only had in memory is forgotten.

Witness: another portal object runs, and it has the readings of the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.faults.port import Fault

if TYPE_CHECKING:
    from sim.world import World


class Seen(NamedTuple):
    portal: object
    readings: int


@dataclass(frozen=True, kw_only=True)
class PortalRestarted(Fault[Seen]):
    id: ClassVar[str] = "portal_restarted"
    title: ClassVar[str] = "The portal is closed and opened again on its disk"
    needs: ClassVar[frozenset[str]] = frozenset({"portal restart"})
    struck_as: ClassVar[str] = "portal restarted"

    def subject(self, world: World) -> str:
        return "portal"

    def look(self, world: World) -> Seen:
        return Seen(world.system.portal, world.stored.count_readings())

    def strike(self, world: World) -> None:
        world.system.restart_portal()

    def witness_strike(self, before: Seen, after: Seen) -> str:
        if after.portal is not before.portal and after.readings == before.readings:
            return f"another portal runs, with the same {after.readings} readings"
        return ""


FAULT = PortalRestarted()
