"""A connection that breaks while nothing is under way brings nothing a second time."""

from __future__ import annotations

from bench.desk.rows.port import Row, broker
from bench.desk.stand import Stand


def _play(stand: Stand) -> str:
    fed = stand.hello()
    for _ in range(3):
        fed += stand.feed_all(stand.traffic.several(20))
        stand.await_all(fed)
        stand.refuse_loss(fed)
        stand.quiet(1.5)
        stand.path.cut()
        stand.turn(1.0)
        stand.recovers("a broken connection")
    stand.quiet(1.5)
    stand.refuse_doubles(fed)
    stand.refuse_strangers()
    return f"none of {len(fed)} telegrams came again after 3 broken connections"


ROW = Row("reconnect", "No doubles after a reconnect", _play, broker)
