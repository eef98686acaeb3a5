"""A gateway that sends telegrams in parts never joins parts of two: its power is cut while parts are under way, its
counters begin anew, and each telegram comes whole or not at all."""

from __future__ import annotations

from typing import Final

from bench.desk.fed import Fed
from bench.desk.rows.port import Failed, Row, all_of, every_telegram, power
from bench.desk.stand import Stand
from sim.desk.inventory import GatewayEntry

IN_PARTS: Final = ("Lobaro parts", "IMST segments")
_CUTS: Final = 4
_LONG: Final = (200, 130, 240, 90)
"""L of telegrams that need several parts."""


def _needs(entry: GatewayEntry) -> str:
    used = {name for spec in entry.read for name in getattr(spec, "transform", ())}
    return "" if used & set(IN_PARTS) else f"it does not send in parts (read.transform: {' or '.join(IN_PARTS)})"


def _play(stand: Stand) -> str:
    stand.hello()
    kept = _long(stand)
    stand.await_all(kept)
    stand.refuse_loss(kept, "telegrams in parts")
    torn: list[Fed] = []
    for number in range(_CUTS):
        torn += _long(stand)
        stand.turn(stand.claims.gathers_s * (number + 1) / (_CUTS + 1) + 0.05)
        with stand.power_cut():
            stand.turn(0.2)
        after = _long(stand)  # at once: nothing else comes between the parts of both
        stand.await_all(after)
        stand.refuse_loss(after, "telegrams in parts after a power cut")
    stand.quiet()
    if stand.strangers:
        shown = (stand.strangers[0].frame or b"").hex()
        raise Failed(f"{len(stand.strangers)} telegrams came that nobody had sent, joined of parts of two: {shown}")
    stand.refuse_loss(_settled(stand), "ordinary telegrams afterwards")
    came = sum(bool(one.came) for one in torn)
    return f"{came} of {len(torn)} telegrams around {_CUTS} power cuts came whole, and none was joined of two"


def _long(stand: Stand) -> list[Fed]:
    longest = stand.claims.longest_bytes - 1
    return stand.feed_all([stand.traffic.next("81000001", length=min(one, longest)) for one in _LONG], paced=False)


def _settled(stand: Stand) -> list[Fed]:
    fed = stand.feed_all(stand.traffic.several(5))
    stand.await_all(fed)
    return fed


ROW = Row("parts", "Parts of two telegrams are never joined", _play, all_of(_needs, power, every_telegram),
          faults=(31,))  # fmt: skip
