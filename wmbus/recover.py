"""The telegram in what a receiver printed: CRCs are tried before a format is claimed, and what is left over is said.

Programs and sticks hand a telegram on in more ways than the standard has: with the CRCs of format A or B or without,
with bytes after it (RSSI, LQI, padding, a second telegram) or a synchronisation word before it, with an L that was
rewritten.  ``link.strip_crcs`` refuses all that, as a receiver should.  This module finds the telegram all the same
and says what was odd.  The order in which it looks is the order in which the bytes can prove anything:

    L + 1 bytes                     as they should be: format B where its CRC fits, else without CRCs
    all CRCs of format A or B fit   with or without bytes after them
    L two too small, last CRC left  rtl_433 up to 23.11 in T1, C1-A and S1
    after a synchronisation word    54CD, 543D (C mode) and what may stand before them, looked at in the same way
    L two or four too large         format B with its CRCs cut off and still counted (rtl_433 24.10)
    L + 1 bytes and more            nothing proves it but a header that can be read

Only the last two rest on lengths and headers alone; each of the others is wrong once in 65 536.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from wmbus.dissect import parse
from wmbus.errors import BadTelegram, Reason
from wmbus.link import (
    FIRST_BLOCK_B,
    HEADER_BYTES,
    FrameFormat,
    crc16,
    frame_format,
    length_a,
    strip_crcs,
    strip_crcs_a,
    strip_crcs_b,
)

PLAUSIBLE_C: Final = frozenset({0x00, 0x06, 0x08, 0x18, 0x40, 0x44, 0x46, 0x47, 0x48, 0x53, 0x5B, 0x73, 0x7B})
"""C fields that meters and their partners send: what tells a header from any bytes."""
_SYNC_A: Final = (b"\x54\x3d\x54\xcd", b"\x54\xcd")
_SYNC_B: Final = (b"\x54\x3d\x54\x3d", b"\x54\x3d")
_PREAMBLE: Final = b"\x55\xaa"


class Oddity(NamedTuple):
    """What was not as it should be, and at which byte of what was printed."""

    words: str
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Recovered:
    """``frame`` begins with the right L and has no CRCs; ``format`` is what was proven by CRCs; ``begin`` bytes stood
    before it, ``rest`` after it.  ``odd`` says what was not as it should be."""

    frame: bytes
    format: FrameFormat
    odd: tuple[Oddity, ...] = ()
    begin: int = 0
    rest: bytes = b""


def recover(data: bytes) -> Recovered:
    """Bytes from a log, a stick or a program -> the telegram in them.  Raises BadTelegram as ``link.strip_crcs``."""
    if len(data) >= HEADER_BYTES and len(data) == data[0] + 1:
        form = frame_format(data)
        return Recovered(data, form) if form == "none" else Recovered(strip_crcs(data), form)
    found = _proven(data) or _after_sync(data) or _claimed(data)
    if found is not None:
        return found
    strip_crcs(data)  # says what is wrong
    raise BadTelegram(Reason.LENGTH_MISMATCH, "no telegram found in these bytes", 0)


def second(found: Recovered) -> bytes:
    """What begins like another telegram behind this one; empty if nothing does."""
    rest = found.rest
    if len(rest) > HEADER_BYTES and rest[1] in PLAUSIBLE_C and (
        rest[2:HEADER_BYTES] == found.frame[2:HEADER_BYTES] or _proven(rest) or rest[0] + 1 == len(rest)
    ):  # fmt: skip
        return rest
    return b""


def _with_rest(frame: bytes, form: FrameFormat, data: bytes, end: int, odd: tuple[Oddity, ...] = ()) -> Recovered:
    found = Recovered(frame, form, odd, 0, data[end:])
    if not found.rest:
        return found
    if second(found):
        words = f"a second telegram begins at byte {end}"
    else:
        left = len(found.rest)
        words = f"{left} byte{'' if left == 1 else 's'} after the telegram: {found.rest[:8].hex(' ').upper()}"
        words += " ..." if left > 8 else ""
    return replace(found, odd=(*odd, Oddity(words, end)))


def _proven(data: bytes) -> Recovered | None:
    """What CRCs prove, with any bytes after them."""
    if len(data) < HEADER_BYTES + 2:
        return None
    l_field = data[0]
    first = data[:HEADER_BYTES]
    if data[HEADER_BYTES : HEADER_BYTES + 2] == _crc(first):
        if l_field == HEADER_BYTES - 1:
            return _with_rest(first, "A", data, HEADER_BYTES + 2)
        end = length_a(l_field)
        if len(data) >= end:
            try:
                return _with_rest(strip_crcs_a(data[:end]), "A", data, end)
            except BadTelegram:
                return None
    if HEADER_BYTES + 2 <= l_field < len(data):
        block = data[: min(l_field + 1, FIRST_BLOCK_B + 2)]
        if block[-2:] == _crc(block[:-2]):
            try:
                return _with_rest(strip_crcs_b(data[: l_field + 1]), "B", data, l_field + 1)
            except BadTelegram:
                return None
    end = l_field + 5
    if HEADER_BYTES - 2 <= l_field <= 253 and len(data) >= end:
        frame = bytes((l_field + 2,)) + data[1 : end - 2]
        last = frame[HEADER_BYTES + (len(frame) - HEADER_BYTES - 1) // 16 * 16 :]
        if data[end - 2 : end] == _crc(last):
            words = f"L is {l_field}, two too small, and the last CRC of format A is left on, as rtl_433 prints it"
            return _with_rest(frame, "A", data, end, (Oddity(words),))
    return None


def _after_sync(data: bytes) -> Recovered | None:
    bare = data.lstrip(_PREAMBLE)
    for words in (_SYNC_A, _SYNC_B):
        for word in words:
            if bare.startswith(word):
                begin = len(data) - len(bare) + len(word)
                inner = data[begin:]
                exact = Recovered(inner, "none") if _fits(inner) and frame_format(inner) == "none" else None
                found = _proven(inner) or exact or _claimed(inner)
                if found is not None:
                    before = f"a synchronisation word in front: {data[:begin][-8:].hex(' ').upper()}"
                    return replace(
                        found,
                        odd=(Oddity(before), *(Oddity(one.words, one.offset + begin) for one in found.odd)),
                        begin=begin,
                    )
    return None


def _claimed(data: bytes) -> Recovered | None:
    """What only lengths and a readable header say."""
    if len(data) < HEADER_BYTES + 1 or data[1] not in PLAUSIBLE_C or _damaged_a(data):
        return None
    l_field, end = data[0], data[0] + 1
    crcs = 2 if l_field + 1 <= FIRST_BLOCK_B + 2 else 4
    again = data.find(data[2:HEADER_BYTES], HEADER_BYTES) - 2  # the same meter's next telegram
    if end - crcs in (len(data), again):
        frame = bytes((l_field - crcs,)) + data[1 : end - crcs]
        if _parses(frame):
            words = f"L counts {crcs} bytes of CRCs that are cut off, as rtl_433 prints format B"
            if again < 0:
                return Recovered(frame, "none", (Oddity(words),))
            glued = f"a second telegram begins at byte {again}, though by its L this one reaches to byte {end}"
            return Recovered(frame, "none", (Oddity(words), Oddity(glued, again)), 0, data[again:])
    if end < len(data) and _parses(data[:end]):
        return _with_rest(data[:end], "none", data, end)
    return None


def _damaged_a(data: bytes) -> bool:
    """Format A by its length and its first CRC, but another CRC is wrong: no bytes to be passed over."""
    return len(data) >= length_a(data[0]) and data[HEADER_BYTES : HEADER_BYTES + 2] == _crc(data[:HEADER_BYTES])


def _fits(frame: bytes) -> bool:
    return len(frame) > HEADER_BYTES and len(frame) == frame[0] + 1


def _parses(frame: bytes) -> bool:
    try:
        parse(frame, headers_only=True)
    except BadTelegram:
        return False
    return True


def _crc(block: bytes) -> bytes:
    return crc16(block).to_bytes(2, "big")
