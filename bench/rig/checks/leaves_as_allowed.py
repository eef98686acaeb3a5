"""Nothing leaves a smart meter gateway that is finer than its receiver's contract allows. Under attack it may: then the
attack's outcome says so."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.systems.smgw import SmgwSystem
from sim.world import World

SHOWN = 2


def check(world: World, attacked: bool) -> list[str]:
    if attacked or not isinstance(world.spec.system, SmgwSystem):
        return []
    from sim.truth.released_values import finer_than_allowed  # with all of that system, which others do without

    finer = finer_than_allowed(world)
    return [f"{len(finer)} values; {'; '.join(map(str, finer[:SHOWN]))}"] if finer else []


INVARIANT = Invariant("leaves_as_allowed", "what leaves is no finer than allowed", check)
