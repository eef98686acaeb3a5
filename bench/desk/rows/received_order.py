"""Telegrams come in the order in which they were received, of all meters or of each, as claimed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

from bench.desk.fed import Fed
from bench.desk.rows.port import Failed, Row, all_of, an_order
from bench.desk.stand import Stand
from sim.desk.inventory import GatewayEntry


def _play(stand: Stand) -> str:
    fed = stand.hello() + stand.feed_all(stand.traffic.several(300))
    stand.await_all(fed)
    return in_order(stand, fed, backlog=False)


def in_order(stand: Stand, fed: Sequence[Fed], *, backlog: bool) -> str:
    """What holds of the order in which these came first. Raises Failed. `backlog`: newest first is an order, too."""
    claim, place = stand.claims.order, {one: at for at, one in enumerate(fed)}
    groups: defaultdict[Hashable, list[Fed]] = defaultdict(list)
    for one in dict.fromkeys(stand.arrived):
        if one in place:
            groups[one.telegram.meter if claim == "as received per meter" else None].append(one)
    compared = 0
    for came in groups.values():
        wanted = sorted(came, key=place.__getitem__, reverse=backlog and claim == "newest first")
        compared += len(came)
        if came != wanted:
            at = next(at for at, (a, b) in enumerate(zip(came, wanted, strict=True)) if a is not b)
            raise Failed(
                f"telegram {place[came[at]] + 1} came where {place[wanted[at]] + 1} was due, of {len(fed)} "
                f"(claimed: {claim})"
            )
    return f"{compared} telegrams came in order ({claim})"


def _live(entry: GatewayEntry) -> str:
    return "it claims an order for its backlog alone" if entry.claims.order == "newest first" else ""


ROW = Row("order", "Order as received", _play, all_of(an_order, _live))
