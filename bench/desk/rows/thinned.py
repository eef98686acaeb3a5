"""It thins as it claims: at most one telegram a meter in its time, and at least one."""

from __future__ import annotations

from bench.desk.rows.port import Failed, Row, Undecided
from bench.desk.stand import Stand
from sim.core.clock import wall_s
from sim.desk.inventory import GatewayEntry


def _needs(entry: GatewayEntry) -> str:
    return "" if entry.claims.thinning_s else "it claims no thinning (claims.thinning_s)"


def _play(stand: Stand) -> str:
    every_s = stand.claims.thinning_s
    if 2 * every_s > stand.depth.outage_s:
        raise Undecided(f"two of its periods of {every_s:g} s need --outage {2 * every_s:g}")
    stand.hello()
    fed = []
    end_s = wall_s() + 2 * every_s
    while wall_s() < end_s:
        fed.append(stand.feed(stand.traffic.next("76000001")))
        stand.turn(every_s / 10)
    stand.quiet()
    came = sum(bool(one.came) for one in fed)
    if not 1 <= came <= 3:
        raise Failed(f"{came} of {len(fed)} telegrams of a meter came in two periods of {every_s:g} s")
    return f"{came} of {len(fed)} telegrams of a meter came in two periods of {every_s:g} s"


ROW = Row("thinning", "It thins as it claims", _play, _needs, waits=True)
