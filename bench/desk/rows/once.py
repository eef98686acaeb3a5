"""Every telegram arrives once, with the bytes that it had: twenty meters by turns, clear and encrypted."""

from __future__ import annotations

from typing import Final

from bench.desk.rows.port import Row
from bench.desk.stand import Stand

_COUNT: Final = 200


def _play(stand: Stand) -> str:
    fed = stand.hello() + stand.feed_all(stand.traffic.several(_COUNT))
    stand.await_all(fed)
    stand.quiet()
    stand.refuse_loss(fed)
    stand.refuse_doubles(fed)
    stand.refuse_strangers()
    return f"{len(fed)} telegrams came once each, unchanged"


ROW = Row("once", "Each telegram once and unchanged", _play, faults=(2,))
