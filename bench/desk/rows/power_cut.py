"""Without power while the broker is away: what it had kept is there afterwards, but for what it was gathering."""

from __future__ import annotations

from bench.desk.rows.port import Row, all_of, keeps_through_an_outage
from bench.desk.stand import Stand
from sim.desk.inventory import GatewayEntry

_STARTING_S = 3.0


def _survives(entry: GatewayEntry) -> str:
    return "" if entry.claims.survives_power_cut else "it claims to keep nothing without power"


def _play(stand: Stand) -> str:
    stand.hello()
    stand.path.refuse()
    fed = stand.feed_all(stand.traffic.several(40), paced=False)
    stand.turn(stand.claims.gathers_s + 1.0)
    with stand.power_cut(wait=False):  # there is no broker that it could say to be ready for
        stand.turn(0.5)
    stand.turn(_STARTING_S)
    stand.back("a power cut", started=True)
    stand.await_all(fed)
    stand.refuse_loss(fed, "telegrams that it had kept before a power cut")
    return f"{len(fed)} telegrams that it had kept came after a power cut"


ROW = Row("power-cut", "What it kept outlasts a power cut", _play, all_of(_survives, keeps_through_an_outage))
