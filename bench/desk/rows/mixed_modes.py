"""Each mode that it claims, by turns, and one meter that changes its mode."""

from __future__ import annotations

from bench.desk.fed import Fed
from bench.desk.rows.port import Failed, Row
from bench.desk.stand import Stand


def _play(stand: Stand) -> str:
    stand.hello()
    fed: list[Fed] = []
    for at in range(10):
        for mode in stand.claims.modes:
            fed.append(stand.feed(stand.traffic.next(), mode=mode))
            if not stand.claims.thinning_s:
                fed.append(stand.feed(stand.traffic.next("74000001"), mode=mode))
        stand.turn(0.02 * (at % 3))
    stand.await_all(fed)
    if lost := [one for one in fed if not one.came]:
        by_mode = sorted({one.mode for one in lost})
        why = f"; {stand.box.problem}" if stand.box.problem else ""
        raise Failed(f"{len(lost)} of {len(fed)} never came, in {', '.join(by_mode)}{why}")
    return f"{len(fed)} telegrams came, {', '.join(stand.claims.modes)} by turns"


ROW = Row("modes", "Every claimed mode, by turns", _play, faults=(9,))
