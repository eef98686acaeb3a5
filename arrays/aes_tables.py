"""The tables of AES (FIPS 197), worked out and not typed in: S-box, its inverse, and four-table forms of a round.

Words are big endian: the first byte of a column is the highest.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]


def _turned(first: U32) -> tuple[U32, U32, U32, U32]:
    """A table for each byte of a column: the first one's words, turned."""
    one, two, three = (first >> np.uint32(8 * n) | first << np.uint32(32 - 8 * n) for n in (1, 2, 3))
    return first, one, two, three


def _double(value: int) -> int:
    return (value << 1) ^ (0x11B if value & 0x80 else 0)


def _sbox() -> tuple[int, ...]:
    """The S-box, from inverses in GF(2**8) by powers of the generator 3, and the affine map."""
    power, log = [0] * 256, [0] * 256
    value = 1
    for exponent in range(255):
        power[exponent], log[value] = value, exponent
        value ^= _double(value)
    box = []
    for byte in range(256):
        inverse = power[(255 - log[byte]) % 255] if byte else 0
        turned = inverse
        for _ in range(4):
            inverse = (inverse << 1 | inverse >> 7) & 0xFF
            turned ^= inverse
        box.append(turned ^ 0x63)
    return tuple(box)


SBOX: Final[U8] = np.array(_sbox(), dtype=np.uint8)


def _table() -> U32:
    """T0: S-box and MixColumns of a column's first byte, as a big endian word."""
    words = []
    for value in SBOX.tolist():
        two = _double(value)
        words.append(two << 24 | value << 16 | value << 8 | two ^ value)
    return np.array(words, dtype=np.uint32)


T_TABLES: Final = _turned(_table())
S32: Final[U32] = SBOX.astype(np.uint32)
RCON: Final = (0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1B, 0x36)

# --- backwards ------------------------------------------------------------------------------------------------

INVERSE_SBOX: Final[U8] = np.argsort(SBOX).astype(np.uint8)


def _inverse_table() -> U32:
    words = []
    for value in INVERSE_SBOX.tolist():
        two = _double(value)
        four = _double(two)
        eight = _double(four)
        words.append((eight ^ four ^ two) << 24 | (eight ^ value) << 16 | (eight ^ four ^ value) << 8
                     | eight ^ two ^ value)  # fmt: skip
    return np.array(words, dtype=np.uint32)


I_TABLES: Final = _turned(_inverse_table())
IS32: Final[U32] = INVERSE_SBOX.astype(np.uint32)
