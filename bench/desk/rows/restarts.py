"""A broker that comes and goes: the gateway is back after each time."""

from __future__ import annotations

from bench.desk.rows.port import Row, broker
from bench.desk.stand import Stand

_AWAY_S = (0.1, 0.5, 1.0, 2.0, 4.0)


def _play(stand: Stand) -> str:
    stand.hello()
    for away_s in _AWAY_S:
        stand.path.refuse()
        stand.turn(away_s)
        stand.back(f"a broker that was away for {away_s:g} s")
    return f"it came back after each of {len(_AWAY_S)} times that its broker was away"


ROW = Row("restarts", "It comes back after each broker restart", _play, broker, faults=(20,))
