"""A smart meter gateway has each value of its radio meters of security profile C that reached it, as the meter counted
it, and no others. Under attack a value may be wrong: then the attack's outcome says so."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.systems.smgw import SmgwSystem
from sim.world import World

SHOWN = 3


def check(world: World, attacked: bool) -> list[str]:
    if attacked or not isinstance(world.spec.system, SmgwSystem):
        return []
    from sim.truth.radio_values import radio_count, wrong_rows  # with all of that system, which others do without

    if not radio_count(world):
        return []
    wrong = wrong_rows(world)
    return [f"{len(wrong)} values; {'; '.join(map(str, wrong[:SHOWN]))}"] if wrong else []


INVARIANT = Invariant("radio_true", "values of radio meters of profile C are what the houses counted", check)
