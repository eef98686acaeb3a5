"""What gateways received is in one bundle each: nothing is bundled that was not received, and nothing twice. What a
fault takes from an open bundle, what is in one still, and what a real gateway never delivered, is accounted for.
Attackers' receivers count as well, so with an attacker only too much is noticed, and so it is with gateways that thin:
what is missing by their rule, and what is not, is the ground truth's business."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.core.events import BundleClosed
from sim.world import World


def check(world: World, attacked: bool) -> list[str]:
    if world.spec.lacks(frozenset({"bundles"})):
        return []
    bundled = sum(bundle.telegrams for bundle in world.history.each(BundleClosed))
    bundled += sum(len(injection.lost) for injection in world.injections)
    bundled += sum(len(gateway.open_bundle) for gateway in world.gateways)
    bundled += sum(len(gateway.undelivered()) for gateway in world.gateways)
    received = world.history.fates.get("received", 0)
    every = not attacked and all(gateway.thinning is None for gateway in world.gateways)
    if bundled > received or (bundled < received and every):
        return [f"gateways received {received} telegrams and bundled {bundled}"]
    return []


INVARIANT = Invariant("bundled_once", "each reception is in one bundle", check)
