"""Every genuine telegram that was stored was stored with the value it carries, for the meter that sent it."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.world import World


def check(world: World, attacked: bool) -> list[str]:
    wrong = [altered for altered in world.truth.altered() if altered.how == "wrong"]
    if not wrong:
        return []
    columns = sorted({column for altered in wrong for column in altered.columns})
    return [f"{len(wrong)} readings differ from what was sent in {', '.join(columns)}, first: {wrong[0].row}"]


INVARIANT = Invariant("values_true", "stored values are the values sent", check)
