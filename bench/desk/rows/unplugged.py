"""The port vanishes for two seconds and is back, as when a dongle is reset: the gateway finds it again."""

from __future__ import annotations

from bench.desk.rows.port import Row, Undecided, a_dongle
from bench.desk.stand import Stand
from sim.feeders.kinds.codec import CodecFeeder
from sim.feeders.lines.port import LineError


def _play(stand: Stand) -> str:
    stand.hello()
    feeder = stand.box.feeders[0]
    if not isinstance(feeder, CodecFeeder):
        raise Undecided("it is fed by no dongle of ours")
    feeder.unplug()
    stand.turn(2.0)
    try:
        feeder.plug()
    except LineError as error:
        raise Undecided(str(error)) from None
    stand.recovers("a port that was away for 2 s")
    return "it found its port again"


ROW = Row("unplugged", "A port that vanishes for two seconds", _play, a_dongle, faults=(13,))
