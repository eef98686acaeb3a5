"""Invariants: one a file, found by folder, applied to every run of every world; the port is `port.Invariant`."""

from __future__ import annotations

from bench.rig.checks.port import INVARIANTS
from sim.world import World


def unproven() -> set[str]:
    """Titles of the invariants that make a scenario inconclusive."""
    return {one.title for one in INVARIANTS.parts().values() if one.unproven}


def apply(world: World, *, attacked: bool) -> list[tuple[str, str]]:
    """(title, what is wrong) of every invariant that does not hold."""
    return [(one.title, problem) for one in INVARIANTS.parts().values() for problem in one.check(world, attacked)]
