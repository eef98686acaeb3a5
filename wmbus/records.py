"""A payload as data records (EN 13757-3): ``DIF/VIF chain, value`` again and again, 2F between and after them.

The rule kept here: every byte of the payload belongs to exactly one record or is a 2F fill byte; what cannot be read
is refused with its offset (strict) or kept as one visible record named "unreadable" (not strict), never dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from wmbus.dates import summer_f
from wmbus.dif import FILL, MANUFACTURER_DATA, MORE_RECORDS_FOLLOW, Chain, chain, chain_end
from wmbus.errors import BadTelegram, Reason
from wmbus.values import Decoder, Value, lvar_bytes

UNREADABLE = "unreadable"
MANUFACTURER_TAIL = "manufacturer data"


class Record:
    """One data record.

    ``value`` is in ``unit`` and already scaled (None: not available); ``raw`` its bytes, LVAR byte included;
    ``offset`` where the DIF stands, counted from L when the caller passed the payload's place.
    """

    __slots__ = ("chain", "offset", "raw", "value")

    def __init__(self, chain: Chain, value: Value, raw: bytes, offset: int) -> None:
        self.chain = chain
        self.value = value
        self.raw = raw
        self.offset = offset

    @property
    def dif_vif(self) -> bytes:
        """The chain's bytes: what this record is, and what makes two records duplicates."""
        return self.chain.dif_vif

    @property
    def quantity(self) -> str:
        """What is measured, in the words of the table: "heat cost allocation", "volume" ..."""
        return self.chain.quantity

    @property
    def unit(self) -> str:
        return self.chain.unit

    @property
    def function(self) -> str:
        """instantaneous, maximum, minimum or error."""
        return self.chain.function

    @property
    def storage(self) -> int:
        return self.chain.storage

    @property
    def tariff(self) -> int:
        return self.chain.tariff

    @property
    def subunit(self) -> int:
        return self.chain.subunit

    @property
    def modifiers(self) -> tuple[str, ...]:
        """What the VIFEs add, in words; multiplicative corrections are in the value already."""
        return self.chain.modifiers

    @property
    def summer_time(self) -> bool:
        """A date and time of type F that says summer time is in force."""
        return summer_time(self.chain, self.raw, self.value)

    def wire(self) -> bytes:
        """The record's bytes: DIF, VIF and value."""
        return self.chain.dif_vif + self.raw

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return (self.dif_vif, self.raw, self.offset) == (other.dif_vif, other.raw, other.offset)

    def __hash__(self) -> int:
        return hash((self.dif_vif, self.raw, self.offset))

    def __repr__(self) -> str:
        return (
            f"Record({self.dif_vif.hex().upper()} {self.quantity}{''.join(', ' + m for m in self.modifiers)} "
            f"= {self.value!r} {self.unit} storage={self.storage} offset={self.offset})"
        )


def _tail_chain(dif: int, quantity: str) -> Chain:
    out = Chain()
    out.dif_vif = bytes((dif,)) if quantity == MANUFACTURER_TAIL else b""
    out.function, out.storage, out.tariff, out.subunit = "instantaneous", 0, 0, 0
    out.data_field, out.size, out.quantity, out.unit, out.exponent = dif & 15, -1, quantity, "", 0
    out.modifiers = ("more records follow",) if dif == MORE_RECORDS_FOLLOW and quantity == MANUFACTURER_TAIL else ()
    out.signed, out.is_date, out.is_profile, out.decode = False, False, False, bytes
    return out


def summer_time(chain: Chain, raw: bytes, value: Value) -> bool:
    """Whether a value is a date and time of type F that says summer time is in force."""
    return chain.is_date and summer_f(raw) and value is not None


class Row(NamedTuple):
    """One record of a layout: ``at`` is the place of its chain in the payload, ``begin`` and ``end`` its value's."""

    chain: Chain
    decode: Decoder
    at: int
    begin: int
    end: int


class Layout:
    """Where the records of a payload stand, learned from one: another payload of this length that has the same bytes
    wherever no value stands is made of the same records, since the length of each follows from its chain, from its LVAR
    byte, or from the payload's.  Only of payloads that have no chain twice."""

    __slots__ = ("chains", "fixed", "mask", "rows")

    def __init__(self, plaintext: bytes, records: list[Record], offset: int) -> None:
        free = bytearray(b"\xff" * len(plaintext))
        rows = []
        for one in records:
            at = one.offset - offset
            begin = at + len(one.chain.dif_vif)
            end = begin + len(one.raw)
            lvar = one.chain.size < 0 and one.chain not in _MAKERS.values()
            free[begin + lvar : end] = bytes(end - begin - lvar)
            rows.append(Row(one.chain, one.chain.decode, at, begin, end))
        self.rows = tuple(rows)
        self.chains = tuple([row.chain for row in rows])
        self.mask = int.from_bytes(free, "big")
        self.fixed = int.from_bytes(plaintext, "big") & self.mask

    def read(self, plaintext: bytes, offset: int) -> list[Record]:
        return [
            Record(one, decode(raw := plaintext[begin:end]), raw, at + offset)
            for one, decode, at, begin, end in self.rows
        ]


_LAYOUTS: dict[tuple[int, bytes], Layout] = {}
"""By length and first chain, the latest of each."""
_LAYOUTS_MOST = 512


def known_layout(plaintext: bytes) -> Layout | None:
    """The layout of this payload, if one like it was read before."""
    layout = _LAYOUTS.get((len(plaintext), plaintext[:2]))
    if layout is None or int.from_bytes(plaintext, "big") & layout.mask != layout.fixed:
        return None
    return layout


def _by_layout(plaintext: bytes, offset: int) -> list[Record] | None:
    layout = known_layout(plaintext)
    if layout is None:
        return None
    try:
        return layout.read(plaintext, offset)
    except BadTelegram:
        return None


def _learn(plaintext: bytes, records: list[Record], offset: int) -> None:
    if len({one.chain.dif_vif for one in records}) == len(records):
        if len(_LAYOUTS) >= _LAYOUTS_MOST:
            _LAYOUTS.clear()
        _LAYOUTS[len(plaintext), plaintext[:2]] = Layout(plaintext, records, offset)


_MAKERS = {dif: _tail_chain(dif, MANUFACTURER_TAIL) for dif in (MANUFACTURER_DATA, MORE_RECORDS_FOLLOW)}
_UNREADABLE = _tail_chain(0x3F, UNREADABLE)


def parse_records(plaintext: bytes, *, strict: bool = True, offset: int = 0) -> list[Record]:
    """A payload's records in order.

    ``offset`` is the payload's place in the telegram and is added to every offset reported.  After 0F or 1F the rest
    is one record of the manufacturer's bytes.  Strict: raises BadTelegram (bad-record, duplicate-record).  Not
    strict: duplicates stay, and from the first unreadable byte on the rest is one record of quantity "unreadable".
    """
    known = _by_layout(plaintext, offset)
    if known is not None:
        return known
    records: list[Record] = []
    at = 0
    end = len(plaintext)
    find = chain
    append = records.append
    try:
        while at < end:
            dif = plaintext[at]
            if dif == FILL:
                at += 1
                continue
            if dif in _MAKERS:
                rest = plaintext[at + 1 :]
                append(Record(_MAKERS[dif], rest, rest, at + offset))
                break
            start = at
            # The usual chain is one DIF and one VIF; anything longer goes the long way.
            if dif < 0x80 and at + 1 < end and plaintext[at + 1] < 0x80 and plaintext[at + 1] != 0x7C:
                at += 2
            else:
                at = chain_end(plaintext, at)
            one = find(plaintext[start:at])
            size = one.size
            if size < 0:
                extra = lvar_bytes(plaintext[at]) if at < end else None
                if extra is None:
                    raise BadTelegram(Reason.BAD_RECORD, "the LVAR byte is missing or reserved", start)
                size = 1 + extra
            value_at = at
            at += size
            if at > end:
                raise BadTelegram(Reason.BAD_RECORD, f"the value needs {size} bytes, {end - value_at} are left", start)
            raw = plaintext[value_at:at]
            append(Record(one, one.decode(raw), raw, start + offset))
    except BadTelegram as error:
        if strict:
            raise BadTelegram(error.reason, error.detail, start + offset) from None
        append(Record(_UNREADABLE, plaintext[start:], plaintext[start:], start + offset))
        return records
    if strict and len(records) > 1 and len({r.chain.dif_vif for r in records}) != len(records):
        again = duplicates(records)[0]
        raise BadTelegram(Reason.DUPLICATE_RECORD, f"a second record {again.dif_vif.hex().upper()}", again.offset)
    _learn(plaintext, records, offset)
    return records


def duplicates(records: Iterable[Record]) -> list[Record]:
    """Every record whose chain an earlier one already had: two answers to the same question."""
    seen: set[bytes] = set()
    out = []
    for record in records:
        if record.dif_vif in seen:
            out.append(record)
        seen.add(record.dif_vif)
    return out


def encode_record(dif_vif: bytes, value: Value) -> bytes:
    """One record's bytes from its chain and value.  Raises CannotEncode (value) or BadTelegram (chain)."""
    return dif_vif + chain(dif_vif).encode(value)


def encode_records(items: Iterable[tuple[bytes, Value]]) -> bytes:
    """Several records, without 2F: what ``telegram.build`` takes."""
    return b"".join(encode_record(dif_vif, value) for dif_vif, value in items)
