"""A real gateway was there, was handed what ended on the air, and delivered something that its reader understands; else
nothing that follows from its silence is shown."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.world import World


def check(world: World, attacked: bool) -> list[str]:
    return [said for gateway in world.gateways if (said := gateway.complaint)]


INVARIANT = Invariant("real_at_work", "the real gateway was at work", check, unproven=True)
