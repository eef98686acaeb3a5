"""What `ciphers` calls: AES, CMAC and derived keys of rows, by the processor's instructions (`fast`) or by tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arrays import aes_decrypt, aes_tables
from arrays.aes_encrypt import LANES, U8, cbc_lanes, cbc_of_rows, ecb_lanes
from arrays.jit import njit

U64 = NDArray[np.uint64]
_BYTES, _PAIRS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
_ONE, _U8, _U16, _U32, _TOP = np.uint64(1), np.uint64(8), np.uint64(16), np.uint64(32), np.uint64(63)
_POLYNOMIAL = np.uint64(0x87)


# --- by instructions ------------------------------------------------------------------------------------------


@njit(nogil=True)
def cbc_rows(k: int, v: int, d: int, stride: int, blocks: int, rows: int) -> None:
    """`rows` is a whole number of LANES; k, v, d are addresses."""
    for row in range(0, rows, LANES):
        cbc_lanes(np.int64(k + 16 * row), np.int64(v + 16 * row), np.int64(d + stride * row), np.int64(stride),
                   np.int64(blocks))  # fmt: skip


def _cbc_instructions(keys: U8, iv: U8, data: U8) -> None:
    """In place, also where the rows of `data` have gaps between them."""
    cbc_of_rows(cbc_rows, LANES, keys, iv, data)


@njit(nogil=True)
def _ecb_instructions(keys: U8, data: U8) -> int:
    n, size = data.shape
    whole = n // LANES * LANES
    k, d = np.int64(keys.ctypes.data), np.int64(data.ctypes.data)
    for row in range(0, whole, LANES):
        ecb_lanes(k + 16 * row, k, d + size * row, np.int64(size), np.int64(size // 16))
    rest = n - whole
    some_keys, some = np.zeros((LANES, 16), np.uint8), np.zeros((LANES, size), np.uint8)
    if rest:
        # Byte by byte: an assignment of slices takes four seconds to compile.
        for row in range(rest):
            for byte in range(16):
                some_keys[row, byte] = keys[whole + row, byte]
            for byte in range(size):
                some[row, byte] = data[whole + row, byte]
        ecb_lanes(np.int64(some_keys.ctypes.data), np.int64(0), np.int64(some.ctypes.data), np.int64(size),
                   np.int64(size // 16))  # fmt: skip
        for row in range(rest):
            for byte in range(size):
                data[whole + row, byte] = some[row, byte]
    return len(some_keys)  # numba frees an array after the last line that names it


# --- what ciphers calls ---------------------------------------------------------------------------------------


def encrypt_cbc(keys: U8, iv: U8, blocks: U8, fast: bool) -> None:
    """In place; `keys`, `iv` (n, 16); `blocks` (n, 16 m) may be a view with gaps between its rows."""
    _in_rows(_cbc_instructions if fast else _cbc_tables, keys, iv, blocks, fast)


def decrypt_cbc(keys: U8, iv: U8, blocks: U8, fast: bool) -> None:
    """As `encrypt_cbc`, undone."""
    _in_rows(aes_decrypt.decrypt_cbc if fast else aes_tables.decrypt_rows, keys, iv, blocks, fast)


def _cbc_tables(keys: U8, iv: U8, data: U8) -> None:
    aes_tables.encrypt_rows(keys, iv, data, True)


def _in_rows(cipher: Callable[[U8, U8, U8], None], keys: U8, iv: U8, blocks: U8, gaps: bool) -> None:
    """`gaps`: the cipher takes rows with gaps between them."""
    whole = blocks if gaps else np.ascontiguousarray(blocks)
    cipher(np.ascontiguousarray(keys), np.ascontiguousarray(iv), whole)
    if whole is not blocks:
        blocks[:] = whole


@njit(nogil=True, inline="always")
def _turned(word: Any) -> Any:
    """A 64-bit word with its bytes in the other order."""
    word = (word & _BYTES) << _U8 | word >> _U8 & _BYTES
    word = (word & _PAIRS) << _U16 | word >> _U16 & _PAIRS
    return word << _U32 | word >> _U32


@njit(nogil=True, inline="always")
def _doubled(high: Any, low: Any) -> Any:
    """Doubling in GF(2**128)."""
    return high << _ONE | low >> _TOP, low << _ONE ^ (high >> _TOP) * _POLYNOMIAL


@njit(nogil=True)
def pad(zeros: U64, blocks: U8, words: U64, size: int) -> None:
    """Padding, and the last block mixed with its subkey; `zeros` is each key's encrypted zero block, `words` are the
    blocks seen as 64-bit words."""
    last = words.shape[1] - 2
    whole = size > 0 and size % 16 == 0
    for row in range(len(blocks)):
        high, low = _doubled(_turned(zeros[row, 0]), _turned(zeros[row, 1]))
        if not whole:
            high, low = _doubled(high, low)
            blocks[row, size] = 0x80
            for byte in range(size + 1, blocks.shape[1]):
                blocks[row, byte] = 0
        words[row, last] ^= _turned(high)
        words[row, last + 1] ^= _turned(low)


def derive_pair(keys: U8, blocks: U8, fast: bool) -> None:
    """Both keys of KDF-A: `blocks` (n, 32) holds the two inputs and becomes the two keys. Each is a CMAC of one whole
    block, that is one block encryption of the input mixed with K1."""
    n = len(keys)
    keys = np.ascontiguousarray(keys)
    zeros = np.zeros((n, 16), np.uint8)
    if fast:
        _ecb_instructions(keys, zeros)
    else:
        aes_tables.encrypt_rows(keys, zeros, zeros, False)
    mix_k1(zeros.view(np.uint64), blocks.view(np.uint64))
    if fast:
        _ecb_instructions(keys, blocks)
    else:
        aes_tables.encrypt_rows(keys, zeros, blocks, False)


@njit(nogil=True)
def mix_k1(zeros: U64, blocks: U64) -> None:
    """Both blocks of each row mixed with K1; arrays of 64-bit words."""
    for row in range(len(zeros)):
        high, low = _doubled(_turned(zeros[row, 0]), _turned(zeros[row, 1]))
        high, low = _turned(high), _turned(low)
        blocks[row, 0] ^= high
        blocks[row, 1] ^= low
        blocks[row, 2] ^= high
        blocks[row, 3] ^= low


def cmac(keys: U8, messages: U8, out: U8, fast: bool) -> None:
    """AES-CMAC of each row into `out` (n, 16)."""
    n, size = messages.shape
    blocks = np.empty((n, max(1, (size + 15) // 16) * 16), np.uint8)
    blocks[:, :size] = messages
    out[:] = cmac_padded(keys, blocks, size, fast)


def cmac_padded(keys: U8, blocks: U8, size: int, fast: bool) -> U8:
    """AES-CMAC of messages of `size` bytes in rows of whole blocks, which are used up."""
    keys = np.ascontiguousarray(keys)
    zeros = np.zeros((len(keys), 16), np.uint8)
    nothing = np.zeros((len(keys), 16), np.uint8)
    if fast:
        _ecb_instructions(keys, zeros)
    else:
        aes_tables.encrypt_rows(keys, nothing, zeros, False)
    pad(zeros.view(np.uint64), blocks, blocks.view(np.uint64), size)
    if fast:
        _cbc_instructions(keys, nothing, blocks)
    else:
        aes_tables.encrypt_rows(keys, nothing, blocks, True)
    return blocks[:, -16:]
