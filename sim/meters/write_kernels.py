"""Values of many meters as bytes, compiled: the encodings' three kinds, each written once for a column of values."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from arrays.unaligned import store
from sim.meters.encodings import ASCII, BCD, BINARY, ENCODINGS

_TEN_THOUSAND: Final = np.uint64(10_000)
_EIGHT_DIGITS: Final = np.uint64(100_000_000)


@njit(cache=True, nogil=True, error_model="numpy")
def digits_of(number: np.uint64) -> np.uint32:
    """Eight decimal digits as packed BCD, the last two in the lowest byte: fours, twos and ones side by side in one
    word. Division by 100 and 10 is a product and a shift, exact for what can stand there."""
    high = number // _TEN_THOUSAND
    fours = number - high * _TEN_THOUSAND | high << np.uint64(32)
    hundreds = fours * np.uint64(5_243) >> np.uint64(19) & np.uint64(0x0000007F0000007F)
    twos = fours - hundreds * np.uint64(100) | hundreds << np.uint64(16)
    tens = twos * np.uint64(103) >> np.uint64(10) & np.uint64(0x000F000F000F000F)
    packed = twos + np.uint64(6) * tens
    packed = (packed | packed >> np.uint64(8)) & np.uint64(0x0000FFFF0000FFFF)
    return np.uint32((packed | packed >> np.uint64(16)) & np.uint64(0xFFFFFFFF))


@njit(cache=True, nogil=True, error_model="numpy")
def _letters_of(digits: np.uint32) -> np.uint64:
    """Packed BCD as eight ASCII digits, the last one first."""
    word = np.uint64(digits)
    word = (word | word << np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    word = (word | word << np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    return (word | word << np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F) | np.uint64(0x3030303030303030)


@njit(cache=True, nogil=True, error_model="numpy")
def fits(columns: NDArray[np.int64], of: int, rows: int, lowest: int, beyond: int) -> bool:
    """Does an encoding hold each of the first `rows` values of a column?"""
    span = np.uint64(beyond - lowest)
    amiss: Any = False
    for row in range(rows):
        amiss |= np.uint64(columns[of, row] - lowest) >= span
    return not amiss


@njit(cache=True, nogil=True, error_model="numpy")
def write(at: int, stride: int, rows: int, kind: int, width: int, columns: NDArray[np.int64], of: int) -> None:
    """The bytes of the first `rows` values of a column, `width` each, to the addresses `at`, `at + stride` and so on.
    They fit."""
    if kind == BINARY and width == 2:
        for row in range(rows):
            store(np.uint16(columns[of, row]), at + row * stride)
    elif kind == BINARY and width == 4:
        for row in range(rows):
            store(np.uint32(columns[of, row]), at + row * stride)
    elif kind == BINARY:
        for row in range(rows):
            for byte in range(width):
                store(np.uint8(columns[of, row] >> 8 * byte), at + row * stride + byte)
    elif kind == BCD and width <= 4:
        for row in range(rows):
            value = columns[of, row]
            digits = digits_of(np.uint64(value)) if value >= 0 else np.uint32(0xFFFFFFFF)
            for byte in range(width):
                store(np.uint8(digits >> np.uint32(8 * byte)), at + row * stride + byte)
    elif kind == BCD:
        for row in range(rows):
            low, high, value = np.uint32(0xFFFFFFFF), np.uint32(0xFFFFFFFF), columns[of, row]
            if value >= 0:
                eights = np.uint64(value) // _EIGHT_DIGITS
                low, high = digits_of(np.uint64(value) - eights * _EIGHT_DIGITS), digits_of(eights)
            store(low, at + row * stride)
            for byte in range(4, width):
                store(np.uint8(high >> np.uint32(8 * byte - 32)), at + row * stride + byte)
    elif kind == ASCII:
        for row in range(rows):
            store(_letters_of(digits_of(np.uint64(columns[of, row]))), at + row * stride)


@njit(cache=True, nogil=True, error_model="numpy")
def _write_all(out: NDArray[np.uint8], kind: int, lowest: int, beyond: int, columns: NDArray[np.int64]) -> bool:
    if not fits(columns, 0, columns.shape[1], lowest, beyond):
        return False
    write(np.int64(out.ctypes.data), out.shape[1], columns.shape[1], kind, out.shape[1], columns, 0)
    return True


def encode_many(encoding: str, values: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The bytes of n values, (n, width), each as `encoder` makes them. Raises ValueError as it does."""
    one = ENCODINGS[encoding]
    values = np.ascontiguousarray(values, dtype=np.int64).reshape(1, -1)
    out = np.empty((values.size, one.width), dtype=np.uint8)
    if not _write_all(out, one.kind, one.lowest, one.beyond, values):
        amiss = values[(values < one.lowest) | (values >= one.beyond)]
        raise ValueError(f"{amiss[0]} does not fit {encoding}")
    return out
