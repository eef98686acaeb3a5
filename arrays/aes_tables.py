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

_T0, _T1, _T2, _T3 = T_TABLES
_I0, _I1, _I2, _I3 = I_TABLES


@njit(nogil=True)
def _expand(key: U8, out: U32) -> None:
    for word in range(4):
        value = np.uint32(0)
        for byte in range(4):
            value = np.uint32(value << 8 | key[4 * word + byte])
        out[word] = value
    rcon = np.uint32(1)
    for word in range(4, 44):
        value = out[word - 1]
        if word % 4 == 0:
            value = np.uint32(
                np.uint32(SBOX[value >> 16 & 0xFF]) << 24 | np.uint32(SBOX[value >> 8 & 0xFF]) << 16
                | np.uint32(SBOX[value & 0xFF]) << 8 | np.uint32(SBOX[value >> 24])
            ) ^ np.uint32(rcon << 24)  # fmt: skip
            rcon = np.uint32(rcon << 1 ^ (0x11B if rcon & 0x80 else 0))
        out[word] = out[word - 4] ^ value


@njit(nogil=True)
def _encrypt(keys: U32, state: U32) -> None:
    a, b, c, d = state[0] ^ keys[0], state[1] ^ keys[1], state[2] ^ keys[2], state[3] ^ keys[3]
    for at in range(4, 40, 4):
        w = _T0[a >> 24] ^ _T1[b >> 16 & 0xFF] ^ _T2[c >> 8 & 0xFF] ^ _T3[d & 0xFF] ^ keys[at]
        x = _T0[b >> 24] ^ _T1[c >> 16 & 0xFF] ^ _T2[d >> 8 & 0xFF] ^ _T3[a & 0xFF] ^ keys[at + 1]
        y = _T0[c >> 24] ^ _T1[d >> 16 & 0xFF] ^ _T2[a >> 8 & 0xFF] ^ _T3[b & 0xFF] ^ keys[at + 2]
        z = _T0[d >> 24] ^ _T1[a >> 16 & 0xFF] ^ _T2[b >> 8 & 0xFF] ^ _T3[c & 0xFF] ^ keys[at + 3]
        a, b, c, d = w, x, y, z
    state[0] = _last(a, b, c, d) ^ keys[40]
    state[1] = _last(b, c, d, a) ^ keys[41]
    state[2] = _last(c, d, a, b) ^ keys[42]
    state[3] = _last(d, a, b, c) ^ keys[43]


@njit(nogil=True, inline="always")
def _last(a: Any, b: Any, c: Any, d: Any) -> Any:
    return np.uint32(
        np.uint32(SBOX[a >> 24]) << 24 | np.uint32(SBOX[b >> 16 & 0xFF]) << 16
        | np.uint32(SBOX[c >> 8 & 0xFF]) << 8 | np.uint32(SBOX[d & 0xFF])
    )  # fmt: skip


@njit(nogil=True)
def encrypt_rows(keys: U8, iv: U8, data: U8, chained: bool) -> None:
    """AES-128 in place: `keys`, `iv` (n, 16), `data` (n, 16 m); CBC where `chained`, else ECB, which takes no IV."""
    schedule, state = np.empty(44, np.uint32), np.empty(4, np.uint32)
    for row in range(len(data)):
        _expand(keys[row], schedule)
        for at in range(0, data.shape[1], 16):
            for word in range(4):
                value = np.uint32(0)
                for byte in range(4 * word, 4 * word + 4):
                    mixed = data[row, at + byte]
                    if chained:
                        mixed ^= data[row, at - 16 + byte] if at else iv[row, byte]
                    value = np.uint32(value << 8 | mixed)
                state[word] = value
            _encrypt(schedule, state)
            for byte in range(16):
                data[row, at + byte] = state[byte >> 2] >> (24 - 8 * (byte & 3)) & 0xFF


@njit(nogil=True)
def decrypt_rows(keys: U8, iv: U8, data: U8) -> None:
    """CBC undone in place."""
    schedule, back = np.empty(44, np.uint32), np.empty(44, np.uint32)
    state, before, sealed = np.empty(4, np.uint32), np.empty(16, np.uint8), np.empty(16, np.uint8)
    for row in range(len(data)):
        _expand(keys[row], schedule)
        for word in range(44):
            value = schedule[4 * (10 - word // 4) + word % 4]
            if 4 <= word < 40:
                value = (_I0[SBOX[value >> 24]] ^ _I1[SBOX[value >> 16 & 0xFF]] ^ _I2[SBOX[value >> 8 & 0xFF]]
                         ^ _I3[SBOX[value & 0xFF]])  # fmt: skip
            back[word] = value
        before[:] = iv[row]
        for at in range(0, data.shape[1], 16):
            sealed[:] = data[row, at : at + 16]
            for word in range(4):
                value = np.uint32(0)
                for byte in range(4):
                    value = np.uint32(value << 8 | sealed[4 * word + byte])
                state[word] = value
            _decrypt(back, state)
            for byte in range(16):
                data[row, at + byte] = (state[byte >> 2] >> (24 - 8 * (byte & 3)) & 0xFF) ^ before[byte]
            before[:] = sealed


@njit(nogil=True)
def _decrypt(keys: U32, state: U32) -> None:
    a, b, c, d = state[0] ^ keys[0], state[1] ^ keys[1], state[2] ^ keys[2], state[3] ^ keys[3]
    for at in range(4, 40, 4):
        w = _I0[a >> 24] ^ _I1[d >> 16 & 0xFF] ^ _I2[c >> 8 & 0xFF] ^ _I3[b & 0xFF] ^ keys[at]
        x = _I0[b >> 24] ^ _I1[a >> 16 & 0xFF] ^ _I2[d >> 8 & 0xFF] ^ _I3[c & 0xFF] ^ keys[at + 1]
        y = _I0[c >> 24] ^ _I1[b >> 16 & 0xFF] ^ _I2[a >> 8 & 0xFF] ^ _I3[d & 0xFF] ^ keys[at + 2]
        z = _I0[d >> 24] ^ _I1[c >> 16 & 0xFF] ^ _I2[b >> 8 & 0xFF] ^ _I3[a & 0xFF] ^ keys[at + 3]
        a, b, c, d = w, x, y, z
    state[0] = _last_back(a, d, c, b) ^ keys[40]
    state[1] = _last_back(b, a, d, c) ^ keys[41]
    state[2] = _last_back(c, b, a, d) ^ keys[42]
    state[3] = _last_back(d, c, b, a) ^ keys[43]


@njit(nogil=True, inline="always")
def _last_back(a: Any, b: Any, c: Any, d: Any) -> Any:
    s = INVERSE_SBOX
    return np.uint32(
        np.uint32(s[a >> 24]) << 24 | np.uint32(s[b >> 16 & 0xFF]) << 16
        | np.uint32(s[c >> 8 & 0xFF]) << 8 | np.uint32(s[d & 0xFF])
    )  # fmt: skip
