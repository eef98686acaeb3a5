"""The portal's disk is lost, and the operator's last backup put in its place: what came since then is gone.

Witness: another portal object runs, it holds nothing that was stored after the backup, and something was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.faults.port import Fault

if TYPE_CHECKING:
    from sim.world import World


class Seen(NamedTuple):
    portal: object
    readings: frozenset[str]  # fingerprints
    bundles: int


@dataclass(frozen=True, kw_only=True)
class PortalRestored(Fault[Seen]):
    id: ClassVar[str] = "portal_restored"
    title: ClassVar[str] = "The portal's disk is lost, and its last backup restored"
    needs: ClassVar[frozenset[str]] = frozenset({"portal restart", "portal backup"})
    struck_as: ClassVar[str] = "portal restored from a backup"

    def subject(self, world: World) -> str:
        return "portal"

    def look(self, world: World) -> Seen:
        stored = world.stored
        return Seen(
            world.system.portal, frozenset(row.fingerprint for row in stored.readings()), stored.count_bundles()
        )

    def strike(self, world: World) -> None:
        world.system.restore_portal()
        world.truth.look_again()

    def witness_strike(self, before: Seen, after: Seen) -> str:
        gone = len(before.readings - after.readings)
        if after.portal is not before.portal and gone and after.readings <= before.readings:
            return f"another portal runs, without {gone} readings and {before.bundles - after.bundles} bundles"
        return ""

    def undone(self, before: Seen, after: Seen) -> frozenset[str]:
        return before.readings - after.readings

    def forgets_bundles(self, before: Seen, after: Seen) -> int:
        return before.bundles - after.bundles


FAULT = PortalRestored()
