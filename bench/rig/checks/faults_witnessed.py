"""Each fault that was given to the world struck, and its effect shows it. A fault that nothing shows says nothing about
what withstood it."""

from __future__ import annotations

from sim.world import World

TITLE = "every fault is witnessed by its effect"
UNPROVEN = True


def check(world: World, attacked: bool) -> list[str]:
    return [f"{injection}: {why}" for injection in world.injections if (why := injection.unwitnessed)]
