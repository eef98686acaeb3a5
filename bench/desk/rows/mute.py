"""Unreadable telegrams of a meter do not silence it: broken, encrypted and clear ones under one id, then good ones."""

from __future__ import annotations

from bench.desk.rows.port import Row, every_telegram
from bench.desk.stand import Stand
from bench.desk.traffic import Telegram


def _play(stand: Stand) -> str:
    stand.hello()
    meter = "73000001"
    bad = [Telegram(frame, meter, None) for _ in range(3) for frame in stand.traffic.broken(meter)]
    bad += [stand.traffic.next(meter, encrypted=True) for _ in range(12)]
    stand.feed_all(bad)
    stand.quiet()
    fed = stand.feed_all([stand.traffic.next(meter, encrypted=False) for _ in range(10)])
    stand.await_all(fed)
    stand.refuse_loss(fed, f"good telegrams of a meter after {len(bad)} unreadable ones")
    return f"{len(fed)} good telegrams of a meter came after {len(bad)} unreadable ones"


ROW = Row("mute", "An unreadable telegram mutes no meter", _play, every_telegram, faults=(3,))
