"""Its time: stamps are of what they are said to be of, in UTC, neither of 1970 nor of another zone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench.desk.fed import Fed
from bench.desk.rows.port import Failed, Row, Undecided
from bench.desk.stand import Stand
from sim.core.clock import NS_PER_S, Calendar
from sim.desk.inventory import GatewayEntry
from sim.readers.port import Delivered

_OFF_S: Final = 2.0
_UNIX: Final = Calendar.since_1970()


def _stamp_s(row: Delivered) -> float | None:
    """Its stamp as seconds since 1970."""
    return _UNIX.ns(row.stamp) / NS_PER_S if row.stamp is not None else None


def refuse_wrong_stamps(stand: Stand, fed: Sequence[Fed]) -> int:
    """How many stamps were looked at. Raises Failed."""
    looked = 0
    for one in fed:
        for row in one.came:
            at_s = _stamp_s(row)
            if at_s is None:
                continue
            looked += 1
            fed_s, came_s = stand.unix_of(one.at_ns), stand.unix_of(row.received_ns)
            latest_s = fed_s if row.stamp_of == "reception" else came_s
            if not fed_s - _OFF_S <= at_s <= latest_s + _OFF_S:
                off_s = at_s - (fed_s if at_s < fed_s else latest_s)
                raise Failed(f"a stamp ({row.stamp_of}) of {row.stamp:%Y-%m-%d %H:%M:%S} UTC is off by {off_s:.1f} s")
    return looked


def _needs(entry: GatewayEntry) -> str:
    of = entry.claims.stamp_of
    return "" if of in ("reception", "reading", "publish") else f"its stamp is of: {of} (claims.stamp_of)"


def _play(stand: Stand) -> str:
    fed = stand.hello()
    for _ in range(20):
        fed.append(stand.feed(stand.traffic.next()))
        stand.turn(0.25)
    stand.await_all(fed)
    looked = refuse_wrong_stamps(stand, fed)
    if not looked:
        raise Undecided("no delivery had a stamp that the reader could take; see read in the inventory")
    return f"{looked} stamps ({stand.claims.stamp_of}) are right within {_OFF_S:g} s"


ROW = Row("stamps", "Its time is right", _play, _needs, faults=(22,))
