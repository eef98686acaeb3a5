"""Its dongle falls silent without an error and comes back: the gateway hears again without being restarted."""

from __future__ import annotations

from bench.desk.rows.port import Row, Undecided, a_dongle
from bench.desk.stand import Stand
from sim.feeders.kinds.codec import CodecFeeder


def _play(stand: Stand) -> str:
    stand.hello()
    feeder = stand.box.feeders[0]
    if not isinstance(feeder, CodecFeeder):
        raise Undecided("it is fed by no dongle of ours")
    before = stand.output_bytes()
    feeder.mute = True
    silent_s = min(60.0, stand.depth.outage_s)
    stand.turn(silent_s)
    noticed = "said something" if stand.output_bytes() > before else "said nothing"
    feeder.mute = False
    stand.recovers(f"a dongle that was silent for {silent_s:g} s")
    return f"it hears again after {silent_s:g} s of a silent dongle, and {noticed} meanwhile"


ROW = Row("silent-dongle", "A dongle that falls silent", _play, a_dongle, waits=True, faults=(12,))
