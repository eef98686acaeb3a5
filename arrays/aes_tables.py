"""AES by tables, compiled: for processors without AES instructions that numba compiles for (aarch64, old x86).

The tables of FIPS 197 are worked out and not typed in: S-box, its inverse, and four-table forms of a round. Words are
big endian: the first byte of a column is the highest.

Tables leak keys through the cache to a neighbour on the same machine. This is a test bench; a portal that guards real
keys must use ``wmbus.security``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit

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

# --- rows -----------------------------------------------------------------------------------------------------


@njit(nogil=True, inline="always")
def _column(row: Any, at: int) -> Any:
    """Four bytes of a row as a big endian word."""
    return np.uint32(
        np.uint32(row[at]) << 24 | np.uint32(row[at + 1]) << 16 | np.uint32(row[at + 2]) << 8 | np.uint32(row[at + 3])
    )


@njit(nogil=True, inline="always")
def _substituted(box: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """One byte of each of four words through an S-box: the highest of the first to the lowest of the last."""
    return np.uint32(
        np.uint32(box[a >> 24]) << 24 | np.uint32(box[b >> 16 & 0xFF]) << 16
        | np.uint32(box[c >> 8 & 0xFF]) << 8 | np.uint32(box[d & 0xFF])
    )  # fmt: skip


@njit(nogil=True, inline="always")
def _mixed(tables: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """As `_substituted`, with MixColumns: a column of a round, before its key."""
    return tables[0][a >> 24] ^ tables[1][b >> 16 & 0xFF] ^ tables[2][c >> 8 & 0xFF] ^ tables[3][d & 0xFF]


@njit(nogil=True)
def _expand(key: U8, out: U32) -> None:
    for word in range(4):
        out[word] = _column(key, 4 * word)
    rcon = np.uint32(1)
    for word in range(4, 44):
        value = out[word - 1]
        if word % 4 == 0:
            turned = np.uint32(value << 8 | value >> 24)
            value = _substituted(SBOX, turned, turned, turned, turned) ^ np.uint32(rcon << 24)
            rcon = np.uint32(rcon << 1 ^ (0x11B if rcon & 0x80 else 0))
        out[word] = out[word - 4] ^ value


@njit(nogil=True)
def _rounds(tables: Any, box: U8, keys: U32, state: U32) -> None:
    """All rounds for a block; backwards too, with the tables and keys of the inverse and with columns 1 and 3 of keys
    and state exchanged, since InvShiftRows turns rows the other way."""
    a, b, c, d = state[0] ^ keys[0], state[1] ^ keys[1], state[2] ^ keys[2], state[3] ^ keys[3]
    for at in range(4, 40, 4):
        w = _mixed(tables, a, b, c, d) ^ keys[at]
        x = _mixed(tables, b, c, d, a) ^ keys[at + 1]
        y = _mixed(tables, c, d, a, b) ^ keys[at + 2]
        z = _mixed(tables, d, a, b, c) ^ keys[at + 3]
        a, b, c, d = w, x, y, z
    state[0] = _substituted(box, a, b, c, d) ^ keys[40]
    state[1] = _substituted(box, b, c, d, a) ^ keys[41]
    state[2] = _substituted(box, c, d, a, b) ^ keys[42]
    state[3] = _substituted(box, d, a, b, c) ^ keys[43]


@njit(nogil=True)
def encrypt_rows(keys: U8, iv: U8, data: U8, chained: bool) -> None:
    """AES-128 in place: `keys`, `iv` (n, 16), `data` (n, 16 m); CBC where `chained`, else ECB, which takes no IV."""
    schedule, state, block = np.empty(44, np.uint32), np.empty(4, np.uint32), np.empty(16, np.uint8)
    for row in range(len(data)):
        _expand(keys[row], schedule)
        for at in range(0, data.shape[1], 16):
            for byte in range(16):
                block[byte] = data[row, at + byte]
                if chained:
                    block[byte] ^= data[row, at - 16 + byte] if at else iv[row, byte]
            for column in range(4):
                state[column] = _column(block, 4 * column)
            _rounds(T_TABLES, SBOX, schedule, state)
            for byte in range(16):
                data[row, at + byte] = state[byte >> 2] >> (24 - 8 * (byte & 3)) & 0xFF


@njit(nogil=True)
def decrypt_rows(keys: U8, iv: U8, data: U8) -> None:
    """CBC undone in place: `keys`, `iv` (n, 16), `data` (n, 16 m)."""
    schedule, back = np.empty(44, np.uint32), np.empty(44, np.uint32)
    state, before, sealed = np.empty(4, np.uint32), np.empty(16, np.uint8), np.empty(16, np.uint8)
    for row in range(len(data)):
        _expand(keys[row], schedule)
        for word in range(44):
            value = schedule[4 * (10 - word // 4) + -word % 4]
            if 4 <= word < 40:
                value = _substituted(SBOX, value, value, value, value)
                value = _mixed(I_TABLES, value, value, value, value)
            back[word] = value
        before[:] = iv[row]
        for at in range(0, data.shape[1], 16):
            sealed[:] = data[row, at : at + 16]
            for column in range(4):
                state[column] = _column(sealed, 4 * (-column % 4))
            _rounds(I_TABLES, INVERSE_SBOX, back, state)
            for byte in range(16):
                data[row, at + byte] = (state[-(byte >> 2) % 4] >> (24 - 8 * (byte & 3)) & 0xFF) ^ before[byte]
            before[:] = sealed
