"""Values that a real gateway gave are those of a telegram that the meter had sent by then. With an attacker they may be
made up, and the attack's outcome says so."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.truth.given_values import judged
from sim.world import World


def check(world: World, attacked: bool) -> list[str]:
    problems = []
    for gateway in [] if attacked else world.gateways:
        found = judged(world.truth, gateway)
        if found.wrong:
            problems.append(f"{gateway.id}: {len(found.wrong)} of {found.all} deliveries, first: {found.wrong[0]}")
    return problems


INVARIANT = Invariant("given_true", "values that a gateway gave are the values sent", check)
