"""Format A's CRCs, compiled: a CRC that begins at zero is linear, so a block's is the xor of one table entry a byte.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from wmbus.link import crc16

_BLOCK = 16


def _tables() -> NDArray[np.uint16]:
    """By how many bytes follow, and by byte: that byte's part of the CRC."""
    table = np.zeros((_BLOCK, 256), dtype=np.uint16)
    for following in range(_BLOCK):
        for byte in range(256):
            table[following, byte] = crc16(bytes((byte,)) + bytes(following)) ^ 0xFFFF
    return table


_TABLES = _tables()


@njit(nogil=True)
def add_crcs_a(frames: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """Each row of `frames` (at least ten bytes) into `out` in blocks of 10, 16, 16 ... bytes, each followed by its
    CRC. Blocks of known length have loops of their own, which the compiler unrolls."""
    size = frames.shape[1]
    for row in range(len(frames)):
        crc = np.uint16(0xFFFF)
        for byte in range(10):
            value = frames[row, byte]
            out[row, byte] = value
            crc ^= _TABLES[9 - byte, value]
        out[row, 10], out[row, 11] = crc >> 8, crc & 0xFF
        at, to = 10, 12
        while at + 16 <= size:
            crc = np.uint16(0xFFFF)
            for byte in range(16):
                value = frames[row, at + byte]
                out[row, to + byte] = value
                crc ^= _TABLES[15 - byte, value]
            out[row, to + 16], out[row, to + 17] = crc >> 8, crc & 0xFF
            at += 16
            to += 18
        if at < size:
            crc = np.uint16(0xFFFF)
            for byte in range(size - at):
                value = frames[row, at + byte]
                out[row, to + byte] = value
                crc ^= _TABLES[size - at - 1 - byte, value]
            out[row, to + size - at], out[row, to + size - at + 1] = crc >> 8, crc & 0xFF
