"""Telegrams that arrive while it starts, before its radio has answered, do not keep it from starting."""

from __future__ import annotations

from bench.desk.rows.port import Row, power
from bench.desk.stand import Stand
from sim.core.clock import wall_s

_STARTS = 4
_STARTING_S = 4.0


def _play(stand: Stand) -> str:
    stand.hello()
    early = 0
    for number in range(_STARTS):
        with stand.power_cut(wait=False):
            stand.turn(0.3)
        end_s = wall_s() + _STARTING_S
        while wall_s() < end_s:
            early += stand.feed(stand.traffic.next()).handed
            stand.turn(0.05)
        stand.recovers(f"start {number + 1}, with telegrams while it started")
    return f"it started {_STARTS} times while {early} telegrams arrived"


ROW = Row("early", "Telegrams while it starts", _play, power, faults=(13,))
