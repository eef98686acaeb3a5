"""What a gateway put into its outbox is at the portal, or still in the outbox. Nothing in between.

Under attack gateways that delete on anybody's word, or on a number, lose what the attack says: that is the scenario's
business, and every bundle of theirs that is nowhere is a telegram that the truth misses."""

from __future__ import annotations

from sim.core.events import BundleClosed
from sim.site_plan import gateway_groups, gateway_ids
from sim.world import World

TITLE = "nothing is lost between gateway and portal"


def check(world: World, attacked: bool) -> list[str]:
    gullible = {
        id_
        for id_, group in zip(gateway_ids(world.spec), gateway_groups(world.spec), strict=True)
        if attacked and not (group.verify_acks and group.match_acknowledgements)
    }
    kept = {(gateway.id, sequence) for gateway in world.gateways for sequence in gateway.custody()}
    taken = world.stored.bundles()
    problems = []
    for closed in world.history.each(BundleClosed):
        key = (closed.gateway, closed.sequence)
        if key not in kept and key not in taken and closed.gateway not in gullible:
            problems.append(f"bundle {closed.sequence} of {closed.gateway} ({closed.telegrams} telegrams) is nowhere")
    return problems[:5]
