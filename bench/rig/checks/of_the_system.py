"""What must hold in a world of this system, beside what holds in each: the system names it, and the truth is asked.
Under attack it may not hold: then the attack's outcome says so."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.world import World


def check(world: World, attacked: bool) -> list[str]:
    if attacked:
        return []
    return [f"{title}: {problem}" for title, problems in world.system.invariants(world) for problem in problems]


INVARIANT = Invariant("of_the_system", "what must hold in this system holds", check)
