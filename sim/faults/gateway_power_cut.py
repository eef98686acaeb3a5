"""A gateway loses its power: it hears nothing, its connection is gone without a word, and so is its open bundle. What
was in its outbox is there when the power comes back.

Without `duration_s` it stays off until `Injection.heal`, or to the end of the run. Witness: it is off, its session is
down, its open bundle is empty; then it is on, under a name of boot that was never there before (counted on its disk).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sim.faults.port import GatewayOutage, gateway_at

if TYPE_CHECKING:
    from sim.world import World


class Seen(NamedTuple):
    up: bool
    connected: bool
    open_bundle: tuple[bytes, ...]
    boot: str


@dataclass(frozen=True, kw_only=True)
class PowerCut(GatewayOutage[Seen]):
    id: ClassVar[str] = "gateway_power_cut"
    title: ClassVar[str] = "A gateway without power: its open bundle is gone, its outbox is not"
    needs: ClassVar[frozenset[str]] = frozenset({"power_cut"})
    struck_as: ClassVar[str] = "gateway power cut"
    healed_as: ClassVar[str] = "gateway power on"

    def look(self, world: World) -> Seen:
        world.air.catch_up()  # what was received until now is in its bundle
        gateway = gateway_at(world, self.gateway)
        return Seen(gateway.up, gateway.session.connected, gateway.open_bundle, gateway.boot)

    def strike(self, world: World) -> None:
        world.air.receivers[self.gateway].up = False
        gateway_at(world, self.gateway).power_cut(world.now_ns)

    def witness_strike(self, before: Seen, after: Seen) -> str:
        if before.up and not after.up and not after.connected and not after.open_bundle:
            return f"{before.boot} is off; its open bundle held {len(before.open_bundle)} telegrams"
        return ""

    def heal(self, world: World) -> None:
        world.air.receivers[self.gateway].up = True
        gateway_at(world, self.gateway).power_on(world.now_ns)

    def witness_heal(self, struck: Seen, healed: Seen) -> str:
        return f"{healed.boot} is on" if healed.up and healed.boot != struck.boot else ""

    def lost(self, before: Seen) -> tuple[bytes, ...]:
        return before.open_bundle


FAULT = PowerCut()
