"""One telegram of each of more meters than the tables of boxes hold (500, 2 000), or of as many as it claims."""

from __future__ import annotations

from bench.desk.rows.port import Row
from bench.desk.stand import Stand

_MANY = 2_100


def _play(stand: Stand) -> str:
    stand.hello()
    count = min(_MANY, stand.claims.most_meters or _MANY) - 1
    fed = stand.feed_all(stand.traffic.several(count))
    stand.await_all(fed)
    stand.refuse_loss(fed, "meters' telegrams")
    return f"telegrams of {count} meters came"


ROW = Row("many-meters", "More meters than tables hold", _play, waits=True, meters=_MANY, faults=(28,))
