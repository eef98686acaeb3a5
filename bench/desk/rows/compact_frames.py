"""Compact frames (CI 79) are telegrams too. A gateway that forwards passes them on as any other. One that decodes them
needs the full frame of that format first; whether it knows the format still after a power cut, it claims."""

from __future__ import annotations

from typing import Final

from bench.desk.fed import Fed
from bench.desk.rows.port import Failed, Row, all_of, every_telegram, power
from bench.desk.stand import Stand
from sim.desk.inventory import GatewayEntry

_METER: Final = "80000001"
_COMPACT: Final = 7
"""As many as a meter sends between two full frames."""


def _needs(entry: GatewayEntry) -> str:
    claims = entry.claims
    if claims.forwards == "encrypted" or claims.compact != "none":
        return ""
    return "it does not claim to read compact frames (claims.compact)"


def _play(stand: Stand) -> str:
    stand.hello()
    _expect(stand, [stand.feed(stand.traffic.full_frame(_METER))], "full frames without a header (CI 78)")
    before = _several(stand)
    _expect(stand, before, "compact frames (CI 79)")
    with stand.power_cut():
        stand.turn(0.3)
    stand.recovers("a power cut")
    if stand.claims.compact == "after a full frame":
        _expect(stand, [stand.feed(stand.traffic.full_frame(_METER))], "full frames after a power cut")
    after = _several(stand)
    _expect(stand, after, "compact frames after a power cut")
    return f"{len(before)} compact frames came, and {len(after)} after a power cut"


def _several(stand: Stand) -> list[Fed]:
    return stand.feed_all([stand.traffic.compact_frame(_METER) for _ in range(_COMPACT)])


def _expect(stand: Stand, fed: list[Fed], what: str) -> None:
    stand.await_all(fed)
    stand.refuse_loss(fed, what)
    for one in fed:
        for row in one.came:
            if row.meter is not None and row.meter != one.telegram.meter:
                raise Failed(f"one of the {what} of meter {one.telegram.meter} came as {row.meter[:20]!a}")


ROW = Row("compact-frames", "Compact frames are read or passed on", _play, all_of(_needs, power, every_telegram),
          faults=(30,))  # fmt: skip
