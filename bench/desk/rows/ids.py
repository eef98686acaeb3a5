"""Ids with leading zeros keep them, and two makers' meters with one id stay two."""

from __future__ import annotations

from bench.desk.rows.port import Failed, Row
from bench.desk.stand import Stand

_IDS = ("00000042", "00000000", "09990000", "99999999")


def _play(stand: Stand) -> str:
    stand.hello()
    each = 1 if stand.claims.thinning_s else 2
    telegrams = [stand.traffic.next(id_, encrypted=False) for id_ in _IDS for _ in range(each)]
    telegrams += [stand.traffic.next(_IDS[0], encrypted=False, maker="QDS") for _ in range(each)]
    fed = stand.feed_all(telegrams)
    stand.await_all(fed)
    stand.refuse_loss(fed, "telegrams of unusual ids")
    for one in fed:
        for row in one.came:
            if row.meter is not None and row.meter != one.telegram.meter:
                raise Failed(f"meter {one.telegram.meter} came as {row.meter[:20]!a}")
    return f"ids {', '.join(_IDS)} and a twin of another maker came as they are"


ROW = Row("ids", "Ids with leading zeros, and twins", _play, faults=(24,))
