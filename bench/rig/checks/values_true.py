"""Every genuine telegram that was stored was stored with the value it carries, for the meter that sent it."""

from __future__ import annotations

from sim.world import World

TITLE = "stored values are the values sent"


def check(world: World, attacked: bool) -> list[str]:
    wrong = [altered.row for altered in world.truth.altered() if altered.how == "wrong"]
    return [f"{len(wrong)} readings differ from what was sent, first: {wrong[0]}"] if wrong else []
