"""After a power cut it works again, and its time is as right as it was before."""

from __future__ import annotations

from bench.desk.rows.port import Failed, Row, power
from bench.desk.rows.right_time import refuse_wrong_stamps
from bench.desk.stand import Stand


def _play(stand: Stand) -> str:
    before = stand.hello()
    try:
        had_time = refuse_wrong_stamps(stand, before) > 0
    except Failed:
        had_time = False  # a time that is always wrong is for the row of stamps
    for _ in range(2):
        with stand.power_cut():
            stand.turn(0.3)
        stand.recovers("a power cut")
    fed = stand.feed_all(stand.traffic.several(20))
    stand.await_all(fed)
    stand.refuse_loss(fed)
    if had_time:
        refuse_wrong_stamps(stand, fed)
    return f"it works after 2 power cuts; {len(fed)} telegrams came"


ROW = Row("power-return", "It works again after a power cut", _play, power, faults=(22,))
