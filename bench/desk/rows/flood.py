"""Four frames in ten milliseconds, then as many as its line takes: all come, up to what it claims to take at once."""

from __future__ import annotations

from bench.desk.rows.port import Row
from bench.desk.stand import Stand

_FLOOD = 600


def _play(stand: Stand) -> str:
    stand.hello()
    most = stand.claims.most_at_once
    small = stand.feed_all(stand.traffic.several(min(4, most or 4)), paced=False)
    stand.await_all(small)
    fed = stand.flood(stand.traffic.several(min(_FLOOD, most or _FLOOD)))
    stand.await_all(fed)
    stand.needs_alive()
    stand.refuse_loss(small, "telegrams in ten milliseconds")
    stand.refuse_loss(fed, "telegrams of a flood")
    stand.refuse_strangers()
    stand.recovers("a flood")
    return f"{len(fed)} telegrams as fast as its line takes them all came"


ROW = Row("flood", "A flood passes", _play, faults=(28,))
