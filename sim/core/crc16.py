"""CRC-16 of polynomial 1021, reflected: X25 (of HDLC and SML) and KERMIT (of some meters' SML).

Check values of the CRC RevEng catalogue, of "123456789": 906E and 2189. On the wire the low byte comes first.
"""

from __future__ import annotations

from typing import Final

KINDS: Final = {"X25": (0xFFFF, 0xFFFF), "KERMIT": (0x0000, 0x0000)}
"""Name -> what it begins with, what is laid over the result."""


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ 0x8408 if byte & 1 else byte >> 1
    return byte


_TABLE: Final = tuple(map(_entry, range(256)))


def crc16(data: bytes, kind: str = "X25") -> int:
    """The CRC as a number. Raises KeyError for a kind that is not in KINDS."""
    crc, over = KINDS[kind]
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ over


def crc16_wire(data: bytes, kind: str = "X25") -> bytes:
    """Its two bytes, as they are sent."""
    return crc16(data, kind).to_bytes(2, "little")
