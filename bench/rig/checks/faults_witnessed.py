"""Each fault that was given to the world struck, and its effect shows it. A fault that nothing shows says nothing about
what withstood it."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.world import World


def check(world: World, attacked: bool) -> list[str]:
    return [f"{injection}: {why}" for injection in world.injections if (why := injection.unwitnessed)]


INVARIANT = Invariant("faults_witnessed", "every fault is witnessed by its effect", check, unproven=True)
