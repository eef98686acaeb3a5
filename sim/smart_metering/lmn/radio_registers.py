"""Registers of an electricity meter as M-Bus records: what it drew and what it fed in, tenths of a watt hour."""

from __future__ import annotations

from typing import Final, NamedTuple

from wmbus.errors import BadTelegram, Reason
from wmbus.records import parse_records

DRAWN_RECORD: Final = bytes.fromhex("0602")
FED_IN_RECORD: Final = bytes.fromhex("06823c")
"""VIFE 3C: of the backward direction alone."""
_BYTES: Final = 6


class Counted(NamedTuple):
    """Tenths of a watt hour."""

    drawn: int
    fed_in: int


def records_of(counted: Counted) -> bytes:
    """Raises OverflowError beyond 47 bits."""
    drawn, fed_in = (value.to_bytes(_BYTES, "little", signed=True) for value in counted)
    return DRAWN_RECORD + drawn + FED_IN_RECORD + fed_in


def counted_in(records: bytes) -> Counted:
    """Raises BadTelegram (bad-record) for anything but these two records, once each and not below 0."""
    found = {one.dif_vif: int.from_bytes(one.raw, "little", signed=True) for one in parse_records(records)}
    if set(found) != {DRAWN_RECORD, FED_IN_RECORD} or min(found.values()) < 0:
        raise BadTelegram(Reason.BAD_RECORD, "not the two registers of an electricity meter, or one below 0", 0)
    return Counted(found[DRAWN_RECORD], found[FED_IN_RECORD])
