"""Each frame in reach of a gateway has one fate there: received, or lost for one reason; window counts add up."""

from __future__ import annotations

from collections import Counter

from bench.rig.checks.port import Invariant
from sim.core.events import WindowEnded
from sim.world import World


def check(world: World, attacked: bool) -> list[str]:
    totals: Counter[str] = Counter()
    for window in world.history.each(WindowEnded):
        totals.update(window.fates)
    problems = []
    for label, count in world.history.fates.items():
        if totals.get(label, 0) != count:
            problems.append(f"{label}: {count} in the history, {totals.get(label, 0)} in the windows")
    return problems


INVARIANT = Invariant("fates_add_up", "every frame has one fate at each receiver", check)
