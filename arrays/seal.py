"""A block of frames sealed in place by the processor's instructions: modes 5 and 7 without a call into Python.

The same steps as in build_telegrams, for compiled code that has some hundred frames in the first-level cache and wants
them encrypted there. All arguments are addresses, and rows lie one after the other; rows are done LANES
at a time, so the caller leaves room, and keys, up to the next whole number of them.

Imported only where the processor has AES instructions: see aes_encrypt.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays.aes_encrypt import LANES, ecb_lanes
from arrays.ciphers_compiled import cbc_rows, mix_k1, pad
from arrays.jit import njit
from arrays.unaligned import copy_16, load_16, load_32, load_64, store
from wmbus.security import DC_ENC_FROM_METER, DC_MAC_FROM_METER

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
_FILL_TWICE: Final = np.uint16(0x2F2F)
_SEVENS: Final = np.uint64(0x0707070707070707)
_ENC, _MAC = np.uint64(DC_ENC_FROM_METER), np.uint64(DC_MAC_FROM_METER)


class MacRoom(NamedTuple):
    """The rows' keys (n, 2) and what their MACs are worked out in: IVs (n, 2), which are zero; zeros (n, 2); room for
    what a MAC covers (n, whole blocks), and the same as 64-bit words."""

    keys: U64
    ivs: U64
    zeros: U64
    covered: U8
    words: U64


@njit(nogil=True)
def ecb_rows(keys: int, data: int, size: int, rows: int) -> None:
    """AES-ECB in place: addresses of keys (rows, 16) and data (rows, size); `rows` is a multiple of LANES."""
    for row in range(0, rows, LANES):
        ecb_lanes(np.int64(keys + 16 * row), np.int64(keys), np.int64(data + size * row), np.int64(size),
                   np.int64(size // 16))  # fmt: skip


@njit(nogil=True)
def begins_with_fill(sealed: int, stride: int, first: int, rows: int, found: NDArray[np.int64], count: int) -> int:
    """Rows whose ciphertext begins 2F2F as plain text does: `first` and on, into `found`, which has `count` already and
    room for one more than can come. Returns how many it has then."""
    for row in range(rows):
        found[count] = first + row
        count += int(load_16(sealed + row * stride) == _FILL_TWICE)
    return count


@njit(nogil=True)
def derive_rows(keys: U64, zeros: U64, pairs: U64, frames: int, stride: int, counters: U32, rows: int) -> None:
    """Both keys of KDF-A into `pairs` (n, 4), 64-bit words. `counters` (n,); the id stands in each frame."""
    for row in range(rows):
        one = np.uint64(load_32(frames + row * stride + 4))
        counter = np.uint64(counters[row])
        low = counter << np.uint64(8) | one << np.uint64(40)
        high = one >> np.uint64(24) | _SEVENS << np.uint64(8)
        pairs[row, 0], pairs[row, 1] = low | _ENC, high
        pairs[row, 2], pairs[row, 3] = low | _MAC, high
        zeros[row, 0] = zeros[row, 1] = 0
    full = (rows + LANES - 1) // LANES * LANES
    ecb_rows(np.int64(keys.ctypes.data), np.int64(zeros.ctypes.data), 16, full)
    mix_k1(zeros, pairs)
    ecb_rows(np.int64(keys.ctypes.data), np.int64(pairs.ctypes.data), 32, full)


@njit(nogil=True)
def mac_rows(room: MacRoom, frames: int, size: int, counters: U32, rows: int) -> None:
    """Message counter and MAC into frames of `size` bytes, end to end, of which all else is there."""
    keys, ivs, zeros, covered, words = room
    behind, whole = size - 30, covered.shape[1]
    begin = np.int64(covered.ctypes.data)
    for row in range(rows):
        frame, to = frames + row * size, begin + row * whole
        store(np.uint32(counters[row]), frame + 18)
        store(np.uint8(0x25), to)
        store(np.uint32(counters[row]), to + 1)
        for byte in range(0, behind - 15, 16):
            copy_16(frame + 30 + byte, to + 5 + byte)
        copy_16(frame + size - 16, to + 5 + behind - 16)
        zeros[row, 0] = zeros[row, 1] = 0
    full, key = (rows + LANES - 1) // LANES * LANES, np.int64(keys.ctypes.data)
    ecb_rows(key, np.int64(zeros.ctypes.data), 16, full)
    pad(zeros, covered, words, 5 + behind)
    cbc_rows(key, np.int64(ivs.ctypes.data), begin, whole, whole // 16, full)
    for row in range(rows):
        store(load_64(begin + row * whole + whole - 16), frames + row * size + 22)
