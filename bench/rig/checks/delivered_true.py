"""A final receiver has each register and reading that it must have, with the amount that follows from what gateways
received, and no others; each by its own gateway, under its tariff, and signed where it is to be. Under attack a value
may be wrong: then the attack's outcome says so."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.world import World

SHOWN = 3


def check(world: World, attacked: bool) -> list[str]:
    if attacked or world.system.attached is None:
        return []
    from sim.truth.delivered_labels import wrong_labels  # with all of the system `smgw`, which others do without
    from sim.truth.delivered_values import wrong_values

    wrong = wrong_values(world.truth) or wrong_labels(world)
    return [f"{len(wrong)} values; {'; '.join(map(str, wrong[:SHOWN]))}"] if wrong else []


INVARIANT = Invariant("delivered_true", "delivered values are what the meters counted", check)
