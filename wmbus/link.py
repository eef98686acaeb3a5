"""Data link layer: sender, length, and whether the bits survived (EN 13757-4).

A *telegram* or *frame*, everywhere in this project, is the bytes without CRCs beginning with L, where L counts the
bytes after itself:  ``L C M(2) ID(4) Ver Type | CI ...``.  On the air the same frame has CRCs in one of two ways:

* format A: blocks of 10, 16, 16 ... bytes, each followed by its CRC; L does not count the CRCs;
* format B: one CRC after up to 126 bytes, a second after the rest; L counts the CRCs.

The rule kept here: adding and stripping are exact inverses, and a frame whose CRC is wrong is never returned.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import lru_cache
from struct import unpack
from typing import Literal

from wmbus.errors import BadTelegram, CannotEncode, Reason

FrameFormat = Literal["A", "B", "none"]

HEADER_BYTES = 10  # L C M(2) ID(4) Ver Type
MAX_L = 255
FIRST_BLOCK_B = 126  # data bytes before the first CRC of format B, L included

SND_NR = 0x44  # send, no reply: the usual telegram of a meter
SND_IR = 0x46  # send installation request


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x3D65 if crc & 0x8000 else crc << 1
        table.append(crc & 0xFFFF)
    return tuple(table)


_CRC = _crc_table()


@lru_cache(maxsize=1)
def _crc_table_of_pairs() -> array[int]:
    """The same for two bytes at once: half the steps.  Made when first needed, it takes some milliseconds; an array,
    because a list of as many ints does not stay in a processor's cache."""
    return array(
        "H", [(_CRC[high] << 8 & 0xFF00) ^ _CRC[_CRC[high] >> 8 ^ low] for high in range(256) for low in range(256)]
    )


def crc16(data: bytes) -> int:
    """CRC-16/EN-13757 of ``data``: polynomial 3D65, initial 0, not reflected, inverted at the end."""
    crc = 0
    pairs = _crc_table_of_pairs()
    size = len(data) >> 1
    for pair in unpack(f">{size}H", data[: 2 * size]):
        crc = pairs[crc ^ pair]
    if len(data) & 1:
        crc = (crc << 8 & 0xFF00) ^ _CRC[crc >> 8 ^ data[-1]]
    return crc ^ 0xFFFF


def _crc_bytes(data: bytes) -> bytes:
    return crc16(data).to_bytes(2, "big")


def manufacturer_wire(letters: str) -> bytes:
    """Three letters A-Z as the two bytes of the M field, little endian (EN 13757-3, FLAG manufacturer code).

    The signs @ [ \\ ] ^ _ stand for the five-bit codes that are no letter, and a first letter 32 higher (a for A) for
    bit 15, which marks an address that is not unique worldwide: whatever was received can be distinguished and sent.
    """
    if len(letters) != 3 or not ("@" <= letters[0] <= "\x7f" and all("@" <= x <= "_" for x in letters[1:])):
        raise CannotEncode(f"a manufacturer is three letters A-Z, not {letters!r}")
    a, b, c = (ord(x) - 64 for x in letters)
    return (a << 10 | b << 5 | c).to_bytes(2, "little")


def manufacturer_letters(wire: bytes) -> str:
    """The M field as letters, the inverse of ``manufacturer_wire`` for all 65 536 codes."""
    m = int.from_bytes(wire, "little")
    return chr((m >> 10) + 64) + chr((m >> 5 & 31) + 64) + chr((m & 31) + 64)


@dataclass(frozen=True, slots=True)
class Address:
    """Whole address of a meter: only all four parts together name one device.

    ``manufacturer`` three letters; ``id`` eight digits as printed on the meter (hex digits occur in the field);
    ``version`` and ``device_type`` 0-255 (type 08 is a heat cost allocator).
    """

    manufacturer: str
    id: str
    version: int
    device_type: int

    def wire(self) -> bytes:
        """The eight bytes ``M(2) ID(4) Ver Type`` as on the wire.  Raises CannotEncode."""
        return _address_wire(self)

    @staticmethod
    def from_wire(wire: bytes) -> Address:
        """Read the eight bytes ``M(2) ID(4) Ver Type``."""
        return _address_from_wire(bytes(wire))

    def __str__(self) -> str:
        return f"{self.manufacturer} {self.id} {self.version:02X} {self.device_type:02X}"


@lru_cache(maxsize=16384)
def _address_wire(address: Address) -> bytes:
    if len(address.id) != 8:
        raise CannotEncode(f"an id is eight digits, not {address.id!r}")
    try:
        id_wire = bytes.fromhex(address.id)[::-1]
        tail = bytes((address.version, address.device_type))
    except ValueError as error:
        raise CannotEncode(f"no address has these parts: {address}") from error
    if len(id_wire) != 4:
        raise CannotEncode(f"an id is eight digits, not {address.id!r}")
    return manufacturer_wire(address.manufacturer) + id_wire + tail


@lru_cache(maxsize=16384)
def _address_from_wire(wire: bytes) -> Address:
    if len(wire) != 8:
        raise BadTelegram(Reason.TOO_SHORT, f"an address is 8 bytes, here {len(wire)}", 2)
    return Address(manufacturer_letters(wire[:2]), wire[5:1:-1].hex().upper(), wire[6], wire[7])


def check_length(frame: bytes) -> None:
    """Refuse a frame that is not exactly L + 1 bytes or cannot hold the link header and a CI."""
    if len(frame) < HEADER_BYTES + 1:
        raise BadTelegram(Reason.TOO_SHORT, f"{len(frame)} bytes, a frame has at least {HEADER_BYTES + 1}", len(frame))
    if frame[0] != len(frame) - 1:
        raise BadTelegram(Reason.LENGTH_MISMATCH, f"L says {frame[0]} bytes follow, {len(frame) - 1} do", 0)


# --- format A -------------------------------------------------------------------------------------------------


def length_a(l_field: int) -> int:
    """Bytes on air of a format A frame whose L is ``l_field``: every block of 10, 16, 16 ... adds two."""
    if l_field < HEADER_BYTES - 1:
        return l_field + 1 + 2
    return l_field + 1 + 2 * (1 + (l_field - (HEADER_BYTES - 1) + 15) // 16)


def add_crcs_a(frame: bytes) -> bytes:
    """Frame -> format A bytes.  Raises CannotEncode if L does not fit the frame."""
    _check_ours(frame)
    out = bytearray(frame[:HEADER_BYTES])
    out += _crc_bytes(frame[:HEADER_BYTES])
    for start in range(HEADER_BYTES, len(frame), 16):
        block = frame[start : start + 16]
        out += block
        out += _crc_bytes(block)
    return bytes(out)


def strip_crcs_a(data: bytes) -> bytes:
    """Format A bytes -> frame.  Raises BadTelegram: too-short, length-mismatch, crc (offset of the bad CRC)."""
    if not data:
        raise BadTelegram(Reason.TOO_SHORT, "no bytes", 0)
    if data[0] < HEADER_BYTES:
        raise BadTelegram(Reason.TOO_SHORT, f"L says {data[0]}, a link header with a CI needs {HEADER_BYTES}", 0)
    if len(data) != length_a(data[0]):
        raise BadTelegram(
            Reason.LENGTH_MISMATCH, f"format A with L {data[0]} is {length_a(data[0])} bytes, here {len(data)}", 0
        )
    out = bytearray()
    start, size = 0, HEADER_BYTES
    while start < len(data):
        block = data[start : min(start + size, len(data) - 2)]
        crc_at = start + len(block)
        if data[crc_at : crc_at + 2] != _crc_bytes(block):
            raise BadTelegram(Reason.CRC, f"format A block at byte {start}", crc_at)
        out += block
        start, size = crc_at + 2, 16
    return bytes(out)


# --- format B -------------------------------------------------------------------------------------------------


def add_crcs_b(frame: bytes) -> bytes:
    """Frame -> format B bytes; L is rewritten because format B counts the CRCs.  Raises CannotEncode if too long."""
    _check_ours(frame)
    crcs = 1 if len(frame) <= FIRST_BLOCK_B else 2
    if frame[0] + 2 * crcs > MAX_L:
        raise CannotEncode(f"L {frame[0]} leaves no room for {crcs} CRCs of format B")
    whole = bytes((frame[0] + 2 * crcs,)) + frame[1:]
    first, rest = whole[:FIRST_BLOCK_B], whole[FIRST_BLOCK_B:]
    return first + _crc_bytes(first) + (rest + _crc_bytes(rest) if rest else b"")


def strip_crcs_b(data: bytes) -> bytes:
    """Format B bytes -> frame, L reduced by the CRCs.  Raises BadTelegram: too-short, length-mismatch, crc."""
    if len(data) < HEADER_BYTES + 3:
        raise BadTelegram(Reason.TOO_SHORT, f"{len(data)} bytes, format B has at least {HEADER_BYTES + 3}", len(data))
    if data[0] != len(data) - 1:
        raise BadTelegram(Reason.LENGTH_MISMATCH, f"L says {data[0]} bytes follow, {len(data) - 1} do", 0)
    if len(data) <= FIRST_BLOCK_B + 2:
        blocks = [data]
    else:
        blocks = [data[: FIRST_BLOCK_B + 2], data[FIRST_BLOCK_B + 2 :]]
    out = bytearray()
    at = 0
    for block in blocks:
        if len(block) < 3 or block[-2:] != _crc_bytes(block[:-2]):
            raise BadTelegram(Reason.CRC, f"format B block at byte {at}", max(at, at + len(block) - 2))
        out += block[:-2]
        at += len(block)
    out[0] -= 2 * len(blocks)
    return bytes(out)


# --- either ---------------------------------------------------------------------------------------------------


def frame_format(data: bytes) -> FrameFormat:
    """Which CRCs ``data`` has.

    Format A has more bytes than L says.  Format B and a bare frame have the same length, so only the CRC decides:
    a bare frame passes for format B once in 65 536.
    """
    if data and len(data) > data[0] + 1:
        return "A"
    return "none" if _without_crcs_b(data) is None else "B"


def strip_crcs(data: bytes) -> bytes:
    """Bytes in format A, format B or without CRCs -> frame.  Raises BadTelegram as the format found does."""
    if data and len(data) > data[0] + 1:
        return strip_crcs_a(data)
    bare = _without_crcs_b(data)
    if bare is None:
        check_length(data)
        return bytes(data)
    return bare


def _without_crcs_b(data: bytes) -> bytes | None:
    # Most frames have no CRCs: the first block shows it, without the cost of an exception.
    first = data[: FIRST_BLOCK_B + 2]
    if len(data) < HEADER_BYTES + 3 or data[0] != len(data) - 1 or first[-2:] != _crc_bytes(first[:-2]):
        return None
    try:
        return strip_crcs_b(data)
    except BadTelegram:
        return None


def _check_ours(frame: bytes) -> None:
    if len(frame) < HEADER_BYTES + 1 or frame[0] != len(frame) - 1:
        raise CannotEncode(f"not a frame: L {frame[0] if frame else '-'} with {len(frame)} bytes")
