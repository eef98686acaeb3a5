"""Every genuine telegram that was stored was stored with the value it carries, for the meter that sent it; so were the
values that are kept of one that was refused as late, since bills use them."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.world import World


def check(world: World, attacked: bool) -> list[str]:
    wrong = [altered for altered in world.truth.altered() if altered.how == "wrong"]
    late = world.truth.wrong_late()
    return [
        f"{len(rows)} {what} differ from what was sent in {', '.join(sorted(columns))}, first: {rows[0]!r}"
        for what, rows, columns in (
            ("readings", [one.row for one in wrong], {column for one in wrong for column in one.columns}),
            ("late telegrams", [row for row, _ in late], {column for _, columns in late for column in columns}),
        )
        if rows
    ]


INVARIANT = Invariant("values_true", "stored values are the values sent", check)
