"""A world that passes with the wall's clock keeps up with it: what came too late was no fair question to a gateway."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.core.wall_clock import WallClock
from sim.world import World


def check(world: World, attacked: bool) -> list[str]:
    if not isinstance(world.clock, WallClock):
        return []
    complaint = world.clock.lateness.complaint
    return [complaint] if complaint else []


INVARIANT = Invariant("in_time", "the world kept up with its wall clock", check, unproven=True)
