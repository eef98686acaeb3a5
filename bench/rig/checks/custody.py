"""What a gateway put into its outbox is at the portal, or still in the outbox. Nothing in between."""

from __future__ import annotations

from sim.core.events import BundleClosed
from sim.world import World

TITLE = "nothing is lost between gateway and portal"


def check(world: World, attacked: bool) -> list[str]:
    kept = {(gateway.id, sequence) for gateway in world.gateways for sequence in gateway.custody()}
    taken = world.stored.bundles()
    problems = []
    for closed in world.history.each(BundleClosed):
        key = (closed.gateway, closed.sequence)
        if key not in kept and key not in taken:
            problems.append(f"bundle {closed.sequence} of {closed.gateway} ({closed.telegrams} telegrams) is nowhere")
    return problems[:5]
