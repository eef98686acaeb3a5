"""A PUBACK two seconds late doubles nothing."""

from __future__ import annotations

from bench.desk.rows._on_path import relay
from bench.desk.rows.port import Row, tls
from bench.desk.stand import Stand

_LATE_S = 2.0


def _play(stand: Stand) -> str:
    stand.hello()
    with relay(stand, late_puback_s=_LATE_S):
        fed = stand.feed_all(stand.traffic.several(20))
        stand.await_all(fed)
        stand.quiet(2 * _LATE_S + 1.0)
        stand.refuse_loss(fed)
        stand.refuse_doubles(fed)
    return f"{len(fed)} telegrams came once each, with every PUBACK {_LATE_S:g} s late"


ROW = Row("late-puback", "A late PUBACK doubles nothing", _play, tls, faults=(17,))
