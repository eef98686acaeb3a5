"""Two telegrams of a meter right behind each other, an alarm set and cleared: both come, the newer replaces none."""

from __future__ import annotations

from bench.desk.rows.port import Row, every_telegram
from bench.desk.stand import Stand


def _play(stand: Stand) -> str:
    fed = stand.hello()
    for _ in range(20):
        fed += stand.feed_all([stand.traffic.next("75000001"), stand.traffic.next("75000001")], paced=False)
        stand.turn(0.05)
    stand.await_all(fed)
    stand.refuse_loss(fed, "telegrams of a meter, two at a time,")
    return f"{len(fed)} telegrams of one meter, two at a time, came"


ROW = Row("quick-change", "The newer telegram replaces none", _play, every_telegram, faults=(29,))
