"""Levels are those of the interface, or absent; an invented one is worse than none."""

from __future__ import annotations

from typing import Final

from bench.desk.rows.port import Failed, Row, Undecided, a_line_of_bytes, codec
from bench.desk.stand import RSSI_DBM, Stand
from sim.lines.reception import Reception

_LEVELS_DBM: Final = (-50.0, RSSI_DBM, -90.0)
_OFF_DB: Final = 1.0


def _carried(stand: Stand, rssi_dbm: float) -> float | None:
    """What its interface says of this level; None where it has no way to."""
    found = codec(stand.entry)
    assert found is not None
    said = Reception(stand.traffic.next(encrypted=False).frame, rssi_dbm, None, True, stand.mode)
    reader = found.reader()
    got = [one.what for one in [*reader.feed(found.write(said)), *reader.end()] if isinstance(one.what, Reception)]
    return got[0].rssi_dbm if got else None


def _play(stand: Stand) -> str:
    stand.hello()
    looked = 0
    for level in _LEVELS_DBM:
        fed = [stand.feed(stand.traffic.next(), rssi_dbm=level) for _ in range(5)]
        stand.await_all(fed)
        carried = _carried(stand, level)
        for row in (row for one in fed for row in one.came if row.rssi_dbm is not None):
            looked += 1
            if carried is None:
                raise Failed(f"it says {row.rssi_dbm:g} dBm, and its interface says no level at all")
            if abs((row.rssi_dbm or 0.0) - carried) > _OFF_DB:
                raise Failed(f"it says {row.rssi_dbm:g} dBm of a telegram at {level:g} dBm")
    if looked:
        return f"{looked} levels are those of its interface"
    if stand.claims.rssi:
        raise Undecided("it claims levels, and no delivery had one that the reader could take; see read")
    return "it says no level, and claims none"


ROW = Row("rssi", "No level is invented", _play, a_line_of_bytes, faults=(23,))
