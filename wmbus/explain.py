"""A telegram for people, byte by byte.

The rule kept here: every byte of the telegram appears in exactly one note, in order, whatever state it is in.
"""

from __future__ import annotations

from typing import NamedTuple, Unpack

from wmbus import mode13
from wmbus.afl import Afl
from wmbus.dissect import Telegram, parse
from wmbus.ell import Ell
from wmbus.errors import BadTelegram
from wmbus.mode13 import Seen13
from wmbus.reading import Reading, interpret
from wmbus.receiver import Switches, Unlocked, unlock
from wmbus.records import Record
from wmbus.recover import recover
from wmbus.transport import COMPACT, LONG, RECORDS, Transport

C_FIELDS = {
    0x44: "SND-NR, send without reply", 0x46: "SND-IR, installation request", 0x48: "ACC-NR, no data",
    0x40: "SND-NKE", 0x47: "ACC-DMD, access demand", 0x08: "RSP-UD, answer", 0x18: "RSP-UD, answer",
    0x53: "SND-UD", 0x73: "SND-UD", 0x5B: "REQ-UD2", 0x7B: "REQ-UD2", 0x00: "ACK",
}  # fmt: skip
DEVICE_TYPES = {
    0x00: "other", 0x01: "oil", 0x02: "electricity", 0x03: "gas", 0x04: "heat", 0x05: "steam", 0x06: "warm water",
    0x07: "water", 0x08: "heat cost allocator", 0x09: "compressed air", 0x0A: "cooling (outlet)",
    0x0B: "cooling (inlet)", 0x0C: "heat (inlet)", 0x0D: "heat and cooling", 0x0E: "bus or system component",
    0x0F: "unknown", 0x15: "hot water", 0x16: "cold water", 0x17: "dual water", 0x18: "pressure",
    0x19: "A/D converter", 0x1A: "smoke detector", 0x1B: "room sensor", 0x1C: "gas detector", 0x20: "breaker",
    0x21: "valve", 0x25: "customer unit", 0x28: "waste water", 0x31: "communication controller",
    0x32: "unidirectional repeater", 0x33: "bidirectional repeater", 0x36: "radio converter (system side)",
    0x37: "radio converter (meter side)",
}  # fmt: skip
CI_NAMES = {
    0x72: "long header", 0x7A: "short header", 0x78: "no header", 0x79: "compact frame, no header",
    0x7B: "compact frame, short header", 0x73: "compact frame, long header",
    0x5E: "TLS to the meter, short header", 0x5F: "TLS to the meter, long header",
    0x9E: "TLS from the meter, short header", 0x9F: "TLS from the meter, long header",
}  # fmt: skip


class Note(NamedTuple):
    """``data`` stands at byte ``offset`` (L is 0), belongs to ``layer`` (DLL, ELL, AFL, TPL, APL) and means that.

    Application bytes that were decrypted are shown in the clear.
    """

    offset: int
    data: bytes
    layer: str
    meaning: str


def annotate(data: bytes, key: bytes | None = None, **switches: Unpack[Switches]) -> list[Note]:
    """Explain a telegram, CRCs allowed.  ``switches`` as for ``receiver.unlock``.

    Raises BadTelegram only where not even the headers can be read; a payload that cannot is one note saying why.
    """
    return notes_of(parse(recover(data).frame, headers_only=True), key, **switches)


def notes_of(telegram: Telegram, key: bytes | None = None, **switches: Unpack[Switches]) -> list[Note]:
    """As ``annotate``, of what was taken apart, or of a message that was joined from fragments."""
    notes = _link(telegram)
    if telegram.ell is not None:
        notes += _ell(telegram, telegram.ell)
    if not telegram.has_data:
        return notes
    try:
        tls = mode13.seen(telegram)
    except BadTelegram:
        tls = None
    if tls is not None:
        return notes + _afl_of(telegram) + _transport(telegram.raw, tls.transport) + _tls(tls)
    try:
        unlocked = unlock(telegram, key, **switches)
    except BadTelegram as error:
        notes += _inner(telegram)
        if telegram.payload:
            notes.append(Note(telegram.payload_offset, telegram.payload, "APL", f"not read: {error}"))
        return notes
    inner = unlocked.telegram
    if inner is not telegram:
        at = telegram.payload_offset
        notes.append(Note(at, inner.raw[at : at + 2], "ELL", "payload CRC, right"))
    notes += _inner(inner, unlocked)
    notes += _application(unlocked)
    return notes


def _link(telegram: Telegram) -> list[Note]:
    raw = telegram.raw
    a = telegram.link_address
    return [
        Note(0, raw[:1], "DLL", f"L: {raw[0]} bytes follow"),
        Note(1, raw[1:2], "DLL", f"C: {C_FIELDS.get(raw[1], 'other')}"),
        Note(2, raw[2:4], "DLL", f"manufacturer {escaped(a.manufacturer)}"),
        Note(4, raw[4:8], "DLL", f"id {a.id}"),
        Note(8, raw[8:9], "DLL", f"version {a.version}"),
        Note(9, raw[9:10], "DLL", f"device type: {DEVICE_TYPES.get(a.device_type, 'reserved')}"),
    ]


def _ell(telegram: Telegram, ell: Ell) -> list[Note]:
    raw, at = telegram.raw, ell.offset
    cc = "synchronous" if ell.synchronous else "not synchronous"
    kind = ("I", "II", "III", "IV")[ell.ci - 0x8C]
    notes = [
        Note(at, raw[at : at + 1], "ELL", f"CI: extended link layer {kind}"),
        Note(at + 1, raw[at + 1 : at + 2], "ELL", f"communication control: {cc}"),
        Note(at + 2, raw[at + 2 : at + 3], "ELL", f"access number {ell.acc}"),
    ]
    at += 3
    if ell.receiver is not None:
        notes.append(Note(at, raw[at : at + 8], "ELL", f"receiver {ell.receiver}"))
        at += 8
    if ell.sn is not None:
        how = ("not encrypted", "AES-CTR")[ell.encryption] if ell.encryption < 2 else "reserved encryption"
        notes.append(Note(at, raw[at : at + 4], "ELL", f"session number {ell.sn & 0x1FFFFFFF}, {how}"))
        at += 4
        if ell.crc is not None:
            notes.append(Note(at, raw[at : at + 2], "ELL", "payload CRC"))
    return notes


def _tls(tls: Seen13) -> list[Note]:
    """TLS records, and fill behind them; a record's header that is cut off is part of what later fragments say."""
    notes = []
    at = 0
    for one in tls.records:
        end = one.offset - tls.offset + 5 + len(one.body)
        notes.append(Note(one.offset, tls.payload[at:end], "APL", one.words))
        at = end
    if at < len(tls.payload):
        words = "fill" if tls.whole else "goes on in later fragments"
        notes.append(Note(tls.offset + at, tls.payload[at:], "APL", words))
    return notes


def _afl_of(telegram: Telegram) -> list[Note]:
    return [] if telegram.afl is None else _afl(telegram.raw, telegram.afl, None)


def _inner(telegram: Telegram, unlocked: Unlocked | None = None) -> list[Note]:
    notes = []
    if telegram.afl is not None:
        notes += _afl(telegram.raw, telegram.afl, None if unlocked is None else unlocked.mac_ok)
    if telegram.transport is not None:
        notes += _transport(telegram.raw, telegram.transport)
    return notes


def _afl(raw: bytes, afl: Afl, mac_ok: bool | None) -> list[Note]:
    at = afl.offset
    notes = [
        Note(at, raw[at : at + 1], "AFL", "CI: authentication and fragmentation layer"),
        Note(at + 1, raw[at + 1 : at + 2], "AFL", f"length: {raw[at + 1]} bytes follow"),
        Note(
            at + 2, raw[at + 2 : at + 4], "AFL",
            f"fragmentation control: fragment {afl.fragment}{', more follow' if afl.more_fragments else ''}",
        ),
    ]  # fmt: skip
    at += 4
    fields: list[tuple[int, str]] = []
    if afl.mcl is not None:
        fields.append((1, f"message control: authentication type {afl.at}"))
    if afl.ki is not None:
        fields.append((2, f"key information {afl.ki:04X}"))
    if afl.mcr is not None:
        fields.append((4, f"message counter {afl.mcr}"))
    if afl.mac is not None:
        fields.append((len(afl.mac), "MAC" + (", right" if mac_ok else ", not checked")))
    if afl.ml is not None:
        fields.append((2, f"message length {afl.ml}"))
    for size, meaning in fields:
        notes.append(Note(at, raw[at : at + size], "AFL", meaning))
        at += size
    return notes


def _transport(raw: bytes, tpl: Transport) -> list[Note]:
    at = tpl.offset
    notes = [Note(at, raw[at : at + 1], "TPL", f"CI: {CI_NAMES.get(tpl.ci, 'other')}")]
    at += 1
    if tpl.ci in LONG and tpl.address is not None:
        a = tpl.address
        notes += [
            Note(at, raw[at : at + 4], "TPL", f"id {a.id}"),
            Note(at + 4, raw[at + 4 : at + 6], "TPL", f"manufacturer {escaped(a.manufacturer)}"),
            Note(at + 6, raw[at + 6 : at + 7], "TPL", f"version {a.version}"),
            Note(at + 7, raw[at + 7 : at + 8], "TPL", f"device type: {DEVICE_TYPES.get(a.device_type, 'reserved')}"),
        ]
        at += 8
    if tpl.acc is None or tpl.sts is None:
        return notes
    words = [w for bit, w in ((4, "low power"), (8, "permanent error"), (16, "temporary error")) if tpl.sts & bit]
    notes += [
        Note(at, raw[at : at + 1], "TPL", f"access number {tpl.acc}"),
        Note(at + 1, raw[at + 1 : at + 2], "TPL", "status: " + (", ".join(words) or "no error")),
        Note(
            at + 2, raw[at + 2 : at + 4], "TPL",
            f"configuration: mode {tpl.mode}"
            + (f", {tpl.encrypted_blocks} blocks encrypted" if tpl.mode in (5, 7) else "")
            + (f", {_bytes_of(tpl)} of TLS records" if tpl.mode == mode13.MODE else ""),
        ),
    ]  # fmt: skip
    at += 4
    if tpl.ext:
        kind = {mode13.CHANNEL: ": a channel is asked for", mode13.RECORDS: ": TLS records follow"}
        more = kind.get(tpl.protocol_kind, "") if tpl.mode == mode13.MODE else ""
        notes.append(Note(at, raw[at : at + len(tpl.ext)], "TPL", f"configuration extension{more}"))
        at += len(tpl.ext)
    if tpl.counter is not None:
        notes.append(Note(at, raw[at : at + 4], "TPL", f"message counter {tpl.counter}"))
    return notes


def _bytes_of(tpl: Transport) -> str:
    most = tpl.encrypted_bytes == mode13.N_MOST
    return f"{tpl.encrypted_bytes}{' or more' if most else ''} bytes"


def _application(unlocked: Unlocked) -> list[Note]:
    ci = unlocked.telegram.ci
    whole = unlocked.plaintext + unlocked.clear_tail
    sealed = b""
    if unlocked.mode == 10:
        sealed = unlocked.telegram.payload[len(unlocked.plaintext) :]
    reading = _full_records(unlocked)
    if reading is None:
        words = "compact frame: format signature, full-frame CRC, values" if ci in COMPACT else "the maker's own bytes"
        return [Note(unlocked.offset, whole, "APL", words)] if whole else []
    notes: list[Note] = []
    at = unlocked.offset
    tail_from = unlocked.offset + len(unlocked.plaintext)
    for record in reading.records:
        if record.offset > at:
            notes.append(Note(at, whole[at - unlocked.offset : record.offset - unlocked.offset], "APL", "fill"))
        meaning = words_for(record) + (" (never encrypted)" if record.offset >= tail_from else "")
        notes.append(Note(record.offset, record.wire(), "APL", meaning))
        at = record.offset + len(record.wire())
    if at < unlocked.offset + len(whole):
        notes.append(Note(at, whole[at - unlocked.offset :], "APL", "fill"))
    if sealed:
        notes.append(Note(unlocked.offset + len(whole), sealed, "APL", "CCM tag, right"))
    return notes


def escaped(text: str) -> str:
    """Text from outside as one line that a terminal shows and does not obey: what is no letter is written as \\x1b.
    sim.core.quoting has this rule for the rooms above, which this package does not import; a test holds them equal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _full_records(unlocked: Unlocked) -> Reading | None:
    """Records that stand in the payload as they are; None for a compact frame and for the maker's own bytes."""
    if unlocked.telegram.ci in RECORDS:
        return interpret(unlocked, strict=False)
    try:
        reading = interpret(unlocked, strict=False)
    except BadTelegram:
        return None
    return reading if reading.full_under_compact else None


def words_for(record: Record) -> str:
    """One record in words: ``heat cost allocation = 1302 HCA, storage 1``."""
    value = record.value
    if isinstance(value, bytes):
        shown = value.hex().upper() or "nothing"
        if len(value) > 3 and value.isascii() and value.decode("ascii").isprintable():
            shown += f' ("{value[::-1].decode("ascii")}")'
    elif value is None:
        shown = "no value"
    else:
        shown = escaped(str(value)) + (" summer time" if record.summer_time else "")
    out = f"{record.quantity} = {shown}{' ' + escaped(record.unit) if record.unit else ''}"
    if record.function != "instantaneous":
        out += f", {record.function}"
    for name in ("storage", "tariff", "subunit"):
        if getattr(record, name):
            out += f", {name} {getattr(record, name)}"
    return out + "".join(f", {m}" for m in record.modifiers)
