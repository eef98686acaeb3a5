"""Format A's CRCs by the processor's carry-less multiplication, for numba: a block's CRC in three products.

A CRC that begins at zero is a remainder: of the block, as a polynomial with its first bit the highest, times x^16,
divided by P = x^16 + 3D65. Sixteen bytes are H x^64 + L; H times x^80 mod P, plus L x^16, has 80 bits, and those are
divided by Barrett's way, with floor(x^80 / P) for the reciprocal. All of it stays in one vector register: its bytes are
turned round as they are loaded, and a shorter block is one with zeros in front.

LLVM aborts the process when asked for an instruction that the processor does not have: ask ``has_products`` before
compiling anything that calls ``crc_of``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arrays.jit import compiles_for, intrinsic, ir, njit, types
from arrays.unaligned import copy_16, load_8, loaded, store

_POLYNOMIAL = 1 << 16 | 0x3D65


@cache
def has_products() -> bool:
    """Does this processor multiply without carries and shuffle bytes, and LLVM know it?"""
    return compiles_for("pclmul", "ssse3")


def _divided(dividend: int) -> tuple[int, int]:
    """(quotient, remainder) of a polynomial by P."""
    quotient = 0
    for bit in range(dividend.bit_length() - 17, -1, -1):
        if dividend >> (bit + 16) & 1:
            dividend ^= _POLYNOMIAL << bit
            quotient |= 1 << bit
    return quotient, dividend


_FOLD = _divided(1 << 80)[1]
_RECIPROCAL = _divided(1 << 80)[0] & 0xFFFFFFFFFFFFFFFF  # its highest bit, x^64, is added by hand
_I8, _I16, _I64 = ir.IntType(8), ir.IntType(16), ir.IntType(64)
_V2 = ir.VectorType(_I64, 2)
_V16 = ir.VectorType(_I8, 16)
_NOTHING = 0x80  # a place of a shuffle that becomes zero

_FIRST = np.array([9 - place if place < 10 else _NOTHING for place in range(16)], dtype=np.uint8)
_LAST = np.array(
    [[15 - place if place < size else _NOTHING for place in range(16)] for size in range(17)], dtype=np.uint8
)  # fmt: skip


@intrinsic
def crc_of(_context: Any, begin: Any, places: Any) -> Any:
    """The CRC of sixteen bytes at an address, put in order by the sixteen places at another; its higher byte is the
    lower one of the result, as it is sent."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        def function(name: str, kind: Any) -> Any:
            return builder.module.globals.get(name) or ir.Function(builder.module, kind, name)

        times = function("llvm.x86.pclmulqdq", ir.FunctionType(_V2, [_V2, _V2, _I8]))
        shuffled = function("llvm.x86.ssse3.pshuf.b.128", ir.FunctionType(_V16, [_V16, _V16]))

        def product(a: Any, constant: int, which: int) -> Any:
            return builder.call(times, [a, ir.Constant(_V2, [constant, 0]), ir.Constant(_I8, which)])

        def down(a: Any, count: int) -> Any:
            places = [ir.Constant(ir.IntType(32), place) for place in range(count, 16 + count)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), 16), places)
            zero = ir.Constant(_V16, [ir.Constant(_I8, 0)] * 16)
            return builder.bitcast(builder.shuffle_vector(builder.bitcast(a, _V16), zero, mask), _V2)

        block, places = (loaded(builder, _V16, address) for address in arguments)
        block = builder.bitcast(builder.call(shuffled, [block, places]), _V2)
        folded = product(block, _FOLD, 1)
        upper = builder.xor(down(folded, 2), block)
        quotient = builder.xor(down(product(upper, _RECIPROCAL, 0), 8), upper)
        rest = builder.xor(product(quotient, _POLYNOMIAL, 0), folded)
        crc = builder.trunc(builder.extract_element(rest, ir.Constant(ir.IntType(32), 0)), _I16)
        return builder.bswap(builder.not_(crc))

    return types.uint16(types.int64, types.int64), generate


@njit(nogil=True)
def add_crcs_at(begin: int, stride: int, size: int, rows: int, to: int, to_stride: int) -> None:
    """Frames of `size` bytes (at least sixteen), `stride` apart from the address `begin`, to the address `to` in blocks
    of 10, 16, 16 ... bytes, each followed by its CRC. Copies are of sixteen bytes at a time, first block and last
    before the others: what they write beside is written over."""
    blocks, rest = (size - 10) // 16, (size - 10) % 16
    first, whole = np.int64(_FIRST.ctypes.data), np.int64(_LAST[16].ctypes.data)
    last = np.int64(_LAST[rest].ctypes.data)
    for _ in range(rows):
        copy_16(begin, to)
        store(crc_of(begin, first), to + 10)
        if rest:
            at, there = begin + size - 16, to + 12 + 18 * blocks
            if blocks:
                copy_16(at, there + rest - 16)
            else:  # sixteen bytes would reach back over the first block
                for place in range(rest):
                    store(load_8(begin + 10 + place), there + place)
            store(crc_of(at, last), there + rest)
        for block in range(blocks):
            at, there = begin + 10 + 16 * block, to + 12 + 18 * block
            copy_16(at, there)
            store(crc_of(at, whole), there + 16)
        begin += stride
        to += to_stride


def add_crcs_a(frames: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """Each row of `frames` (at least sixteen bytes, side by side) into `out`, as crc_rows.add_crcs_a does."""
    add_crcs_at(frames.ctypes.data, frames.strides[0], frames.shape[1], len(frames), out.ctypes.data, out.strides[0])
