"""Telegrams as lines of JSON: ``json.dumps(as_json.to_json(...))`` letter by letter, several times as fast.

Telegrams of one meter type differ in a few numbers.  The first of a form is read and written at length; ``_Head`` keeps
what its headers said and where the numbers stand in them, ``records.Layout`` where the values stand.  Whoever follows
is held against both byte by byte, but for those places, and only then written by them; all else, and whatever is odd
or refused, goes the long way.  The one refusal that has a form is the missing key, since headers alone decide it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, time
from functools import lru_cache
from typing import Any, Final, NamedTuple, Unpack

from wmbus.as_json import chain_json, json_value, points_json, read_as_json
from wmbus.compact import Formats
from wmbus.dif import CACHED_CHAINS, Chain
from wmbus.dissect import Telegram, parse
from wmbus.ell import CI_I, CI_II
from wmbus.errors import BadTelegram, Reason
from wmbus.link import HEADER_BYTES
from wmbus.makers.payloads import has_own
from wmbus.reading import Reading
from wmbus.receiver import MARK, Switches, open_blocks, unlock
from wmbus.records import Layout, Record, known_layout, summer_time
from wmbus.recover import Recovered, recover
from wmbus.security import mode5_iv
from wmbus.transport import COUNTER_BYTES, RECORDS
from wmbus.values import Value

_HEADS_MOST: Final = 1024
_A_KIND_MOST: Final = 8  # forms of one type of one length
_KEPT_VALUES: Final = 1024  # of one chain
_SHORT_BYTES: Final = 2  # values of so few bytes come again


def to_line(
    data: bytes,
    key: bytes | None = None,
    *,
    strict: bool = True,
    formats: Formats | None = None,
    found: Recovered | None = None,
    beside: Mapping[str, Any] | None = None,
    **switches: Unpack[Switches],
) -> str:
    """``to_json`` as text, without a line end.  ``found`` is what ``recover`` said of ``data``, if it was asked;
    ``beside`` are members of the caller's, which stand before the records."""
    known = Formats() if formats is None else formats
    text = f", {json.dumps(beside)[1:-1]}" if beside else ""
    return AsLines(strict=strict, formats=known, switches=switches).line(data, key, found=found, beside=text)


class AsLines:
    """A stream of telegrams.  ``formats`` is what full frames teach; ``switches`` are those of ``receiver.unlock``."""

    def __init__(self, *, strict: bool, formats: Formats, switches: Switches) -> None:
        self._strict, self._formats, self._switches = strict, formats, switches
        self._heads: dict[tuple[str, bool, bytes], list[_Head]] = {}

    def line(self, data: bytes, key: bytes | None = None, *, found: Recovered | None = None, beside: str = "") -> str:
        """One telegram as text, without a line end.  ``beside``: ``', "name": value'`` of the caller's or nothing."""
        if self._strict:
            return self._anew(data, key, None, beside)
        try:
            found = found or recover(data)
        except BadTelegram:
            return self._anew(data, key, None, beside)
        if found.odd:
            return self._anew(data, key, found, beside)
        head = self._head_of(found, key)
        text = None if head is None else self._by_form(head, found.frame, key, beside)
        return self._anew(data, key, found, beside, learn=head is None) if text is None else text

    def _anew(
        self, data: bytes, key: bytes | None, found: Recovered | None, beside: str, *, learn: bool = False
    ) -> str:
        out, reading = read_as_json(data, key, self._strict, self._formats, self._switches, found)
        if found is not None and learn:
            self._learn(found, key, out, reading)
        text = json.dumps(out)[:-1] + beside
        if reading is None:
            return text + "}"
        return f'{text}, "records": [{", ".join([_record_text(r, reading) for r in reading.records])}]}}'

    def _head_of(self, found: Recovered, key: bytes | None) -> _Head | None:
        frame = found.frame
        for head in self._heads.get(_kind(found, key), ()):
            if int.from_bytes(frame[: head.end], "big") & head.mask == head.fixed and head.same_address(frame):
                return head
        return None

    def _by_form(self, head: _Head, frame: bytes, key: bytes | None, beside: str) -> str | None:
        """None where it is like an earlier telegram in its headers alone."""
        counter = None
        if head.sealed and frame[head.end : head.end + 2] == MARK:
            return None  # nobody sealed it: what that means is the switches' to say
        if head.refused:
            return f"{head.text % head.numbers(frame, None)}{beside}}}"
        payload = frame[head.end :]
        try:
            if head.acc_at is not None:
                iv = mode5_iv(frame[2:HEADER_BYTES], frame[head.acc_at])
                payload = open_blocks(key or b"", iv, payload, head.end)
            elif head.sealed:
                unlocked = unlock(parse(frame), key, **self._switches)  # the headers say whether with MAC or tail
                payload, counter = unlocked.plaintext, unlocked.counter
        except BadTelegram:
            return None
        layout = known_layout(payload)
        if layout is None:
            return None
        writer = _writer(layout, head.end)
        if writer is None or has_own(head.manufacturer, writer.chains):
            return None
        try:
            values = tuple([value(payload[begin:end]) for begin, end, value in writer.values])
        except BadTelegram:
            return None
        self._formats.learn_parsed(writer.chains)
        return f'{head.text % head.numbers(frame, counter)}{beside}, "records": [{writer.text % values}]}}'

    def _learn(self, found: Recovered, key: bytes | None, out: dict[str, Any], reading: Reading | None) -> None:
        """Keep the form of what was read without anything odd, or refused for want of a key."""
        refused = reading is None
        if "odd" in out or (refused and (out["error"]["reason"] != Reason.KEY_MISSING.value or key is not None)):
            return
        telegram = parse(found.frame) if reading is None else reading.telegram
        ell, afl = telegram.ell, telegram.afl
        if ell is not None and (ell.ci not in (CI_I, CI_II) or (ell.encryption and not refused)):
            return
        if not refused and (telegram.ci not in RECORDS or telegram.raw is not found.frame):
            return
        if refused and telegram.transport is None and self._switches.get("accept_already_decrypted"):
            return
        if len(self._heads) >= _HEADS_MOST:
            self._heads.clear()
        heads = self._heads.setdefault(_kind(found, key), [])
        clear = not refused and not telegram.mode and afl is None
        heads.insert(0, _head(telegram, out, sealed=not clear, refused=refused))
        del heads[_A_KIND_MOST:]


def _kind(found: Recovered, key: bytes | None) -> tuple[str, bool, bytes]:
    """Under what forms are kept: L, C, M, version, type and the first CI, the CRCs it wore, and whether there is a
    key."""
    frame = found.frame
    return found.format, key is None, frame[:4] + frame[8 : HEADER_BYTES + 1]


# --- headers ---------------------------------------------------------------------------------------------------


class _Head(NamedTuple):
    """The headers of one form.  ``text`` is everything before the records, with ``spots`` for its numbers; the first
    ``end`` bytes of a frame are ``fixed`` under ``mask``.  ``pair``: both ids of a frame with two addresses, and
    whether they were the same; it decides how many addresses are told.  ``acc_at``: the access number of a payload that
    is in mode 5 as a whole, under the link layer's address; other ``sealed`` ones are opened with all their layers."""

    text: str
    spots: tuple[tuple[str, int], ...]
    end: int
    mask: int
    fixed: int
    pair: tuple[int, bool] | None
    manufacturer: str
    sealed: bool
    refused: bool
    acc_at: int | None

    def same_address(self, frame: bytes) -> bool:
        if self.pair is None:
            return True
        at, same = self.pair
        return (frame[4:8] == frame[at : at + 4]) is same

    def numbers(self, frame: bytes, counter: int | None) -> tuple[object, ...]:
        """What stands in the spots of ``text``."""
        return tuple(
            [
                frame[at] if kind == "byte"
                else frame[at + 3 : at - 1 : -1].hex().upper() if kind == "id"
                else "null" if counter is None
                else counter
                for kind, at in self.spots
            ]
        )  # fmt: skip


def _head(telegram: Telegram, out: Mapping[str, Any], *, sealed: bool, refused: bool) -> _Head:
    frame, end = telegram.raw, telegram.payload_offset
    ell, afl, transport = telegram.ell, telegram.afl, telegram.transport
    free = bytearray(end)
    free[4:8] = b"\xff" * 4
    spots = {"id": ("id", 4), "counter": ("counter", 0)}
    pair = None
    if ell is not None:
        free[ell.offset + 2] = 0xFF
        spots["ell_acc"] = spots["acc"] = "byte", ell.offset + 2
        if ell.sn is not None:  # its three highest bits say how it is encrypted
            free[ell.offset + 3 : ell.offset + 7] = b"\xff\xff\xff\x1f"
    if afl is not None:
        mac_end = afl.end - (0 if afl.ml is None else 2)
        begin = mac_end - len(afl.mac or b"") - (0 if afl.mcr is None else COUNTER_BYTES)
        free[begin:mac_end] = b"\xff" * (mac_end - begin)
    if transport is not None:
        at = transport.offset + 1
        if transport.address is not None:
            free[at : at + 4] = b"\xff" * 4
            spots["id"], spots["link_address"] = ("id", at), ("id", 4)
            pair = at, telegram.address.id == telegram.link_address.id
            at += 8
        if transport.acc is not None:
            free[at : at + 2] = b"\xff\xff"
            spots["acc"], spots["sts"] = ("byte", at), ("byte", at + 1)
        if transport.counter is not None:
            free[end - COUNTER_BYTES :] = b"\xff" * COUNTER_BYTES
    plain = transport is not None and transport.address is None and transport.acc is not None and afl is None
    whole = telegram.mode == 5 and len(telegram.payload) == 16 * telegram.encrypted_blocks
    acc_at = transport.offset + 1 if transport is not None and plain and whole and not refused else None
    mask = int.from_bytes(bytes(255 - bits for bits in free), "big")
    used: list[tuple[str, int]] = []
    text = ", ".join(_member(name, value, spots, used) for name, value in out.items())
    return _Head(
        "{" + text, tuple(used), end, mask, int.from_bytes(frame[:end], "big") & mask, pair,
        telegram.address.manufacturer, sealed, refused, acc_at,
    )  # fmt: skip


def _member(name: str, value: object, spots: Mapping[str, tuple[str, int]], used: list[tuple[str, int]]) -> str:
    """One member as text for ``%``, with spots for its numbers."""
    spot = spots.get(name)
    if spot is None or value is None:
        return f"{json.dumps(name)}: {json.dumps(value)}".replace("%", "%%")
    if isinstance(value, dict):  # link_address
        inner = ", ".join(_member(each, one, {"id": spot}, used) for each, one in value.items())
        return f"{json.dumps(name)}: {{{inner}}}"
    used.append(spot)
    return f'{json.dumps(name)}: "%s"' if spot[0] == "id" else f"{json.dumps(name)}: %s"


# --- records ---------------------------------------------------------------------------------------------------


class _Writer(NamedTuple):
    """The records of one layout: ``text`` with a spot for each value, from ``begin`` to ``end`` of the payload."""

    text: str
    values: tuple[tuple[int, int, Callable[[bytes], str]], ...]
    chains: tuple[Chain, ...]


@lru_cache(maxsize=1024)
def _writer(layout: Layout, offset: int) -> _Writer | None:
    """None where a record's text depends on other records."""
    if any(chain.is_profile for chain in layout.chains):
        return None
    records = [f"{_head_text(row.chain, row.at + offset)}".replace("%", "%%") + "%s}" for row in layout.rows]
    values = tuple((row.begin, row.end, _value_writer(row.chain)) for row in layout.rows)
    return _Writer(", ".join(records), values, layout.chains)


@lru_cache(maxsize=4 * CACHED_CHAINS)
def _head_text(chain: Chain, offset: int) -> str:
    """A record as far as its type's other telegrams have it too."""
    return f'{json.dumps(chain_json(chain))[:-1]}, "offset": {offset}, "raw": "'


@lru_cache(maxsize=CACHED_CHAINS)
def _value_writer(chain: Chain) -> Callable[[bytes], str]:
    """Bytes of a value -> the rest of the record.  Short values and dates come again and are kept."""
    decode = chain.decode

    def written(raw: bytes) -> str:
        return _value_text(chain, raw, decode(raw))

    return lru_cache(maxsize=_KEPT_VALUES)(written) if chain.is_date or 0 <= chain.size <= _SHORT_BYTES else written


_string = json.encoder.encode_basestring_ascii  # what json.dumps itself uses


def _value_text(chain: Chain, raw: bytes, value: Value) -> str:
    kind = type(value)
    if kind is int or kind is float:
        text = repr(value)  # no infinity and no NaN: values.decode_real makes them None
    elif kind is str:
        text = _string(str(value))
    else:
        text = f'"{value.isoformat()}"' if isinstance(value, (date, time)) else json.dumps(json_value(value))
        if summer_time(chain, raw, value):
            text += ', "summer_time": true'
    return f'{raw.hex()}", "value": {text}'


def _record_text(record: Record, reading: Reading) -> str:
    text = _head_text(record.chain, record.offset) + _value_text(record.chain, record.raw, record.value)
    if record.chain.is_profile:
        points = points_json(record, reading)
        text += "".join(f', "{name}": {json.dumps(member)}' for name, member in points.items())
    return text + "}"
