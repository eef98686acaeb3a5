"""Format A's CRCs by the processor's carry-less multiplication, for numba: a block's CRC in four products.

A CRC that begins at zero is a remainder: of the block, as a polynomial with its first bit the highest, times x^16,
divided by P = x^16 + 3D65. Sixteen bytes are H x^64 + L; H is folded by x^64 mod P onto L, which leaves 64 bits, and
those are divided by Barrett's way, with floor(x^80 / P) for the reciprocal. A shorter block is one with zeros in front.

LLVM aborts the process when asked for an instruction that the processor does not have: ask ``has_products`` before
compiling anything that calls ``product``.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import numpy as np

# Imported by name: type checkers meet a machine without numba too.
ir: Any = importlib.import_module("llvmlite.ir")
binding: Any = importlib.import_module("llvmlite.binding")
types: Any = importlib.import_module("numba").types
njit: Any = importlib.import_module("numba").njit
intrinsic: Any = importlib.import_module("numba.extending").intrinsic

_POLYNOMIAL = 1 << 16 | 0x3D65


@cache
def has_products() -> bool:
    """Does this processor multiply without carries, and LLVM know it?"""
    return bool(binding.get_host_cpu_features().get("pclmul", False))


def _divided(dividend: int) -> tuple[int, int]:
    """(quotient, remainder) of a polynomial by P."""
    quotient = 0
    for bit in range(dividend.bit_length() - 17, -1, -1):
        if dividend >> (bit + 16) & 1:
            dividend ^= _POLYNOMIAL << bit
            quotient |= 1 << bit
    return quotient, dividend


_FOLD = np.uint64(_divided(1 << 64)[1])
_RECIPROCAL = np.uint64(_divided(1 << 80)[0] & 0xFFFFFFFFFFFFFFFF)  # its highest bit, x^64, is added by hand
_P = np.uint64(_POLYNOMIAL)
_I64 = ir.IntType(64)
_V2 = ir.VectorType(_I64, 2)
_I32 = ir.IntType(32)
_V16 = ir.VectorType(ir.IntType(8), 16)


@intrinsic  # type: ignore[untyped-decorator]
def product(_context: Any, a: Any, b: Any) -> Any:
    """(low, high) word of a carry-less product."""
    signature = types.UniTuple(types.uint64, 2)(types.uint64, types.uint64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = "llvm.x86.pclmulqdq"
        kind = ir.FunctionType(_V2, [_V2, _V2, ir.IntType(8)])
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        zero = ir.Constant(_V2, [0, 0])
        first, second = (builder.insert_element(zero, word, ir.Constant(_I32, 0)) for word in arguments)
        made = builder.call(function, [first, second, ir.Constant(ir.IntType(8), 0)])
        words = [builder.extract_element(made, ir.Constant(_I32, place)) for place in (0, 1)]
        return context.make_tuple(builder, signature.return_type, words)

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def word_at(_context: Any, address: Any) -> Any:
    """Eight bytes as a big-endian word."""
    signature = types.uint64(types.int64)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        loaded = builder.load(builder.inttoptr(arguments[0], _I64.as_pointer()))
        loaded.align = 1
        return builder.bswap(loaded)

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def copy_16(_context: Any, begin: Any, to: Any) -> Any:
    """Sixteen bytes from one address to another."""
    signature = types.void(types.int64, types.int64)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        loaded = builder.load(builder.inttoptr(arguments[0], _V16.as_pointer()))
        loaded.align = 1
        stored = builder.store(loaded, builder.inttoptr(arguments[1], _V16.as_pointer()))
        stored.align = 1
        return context.get_dummy_value()

    return signature, generate


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _crc(high: Any, low: Any) -> Any:
    folded, over = product(high, _FOLD)
    rest = low ^ folded ^ product(over, _FOLD)[0]
    quotient = rest ^ product(rest, _RECIPROCAL)[1]
    return product(quotient, _P)[0] & np.uint64(0xFFFF) ^ np.uint64(0xFFFF)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_crcs_a(frames: Any, out: Any) -> None:
    """Each row of `frames` (at least sixteen bytes, side by side) into `out`, as crc_numba.add_crcs_a does. Copies are
    of sixteen bytes at a time, first block and last before the others: what they write beside is written over."""
    size = frames.shape[1]
    rest = (size - 10) % 16
    blocks = (size - 10) // 16
    mask_high, mask_low = np.uint64(0), np.uint64(0xFFFFFFFFFFFFFFFF)
    if rest > 8:
        mask_high = (np.uint64(1) << np.uint64(8 * (rest - 8))) - np.uint64(1)
    elif rest < 8:
        mask_low = (np.uint64(1) << np.uint64(8 * rest)) - np.uint64(1)
    eight, byte = np.uint64(8), np.uint64(0xFF)
    for row in range(len(frames)):
        begin = np.int64(frames.ctypes.data) + row * frames.strides[0]
        to = np.int64(out.ctypes.data) + row * out.strides[0]
        crc = _crc(word_at(begin) >> np.uint64(48), word_at(begin + 2))
        copy_16(begin, to)
        out[row, 10], out[row, 11] = crc >> eight, crc & byte
        if rest:
            at, there = begin + size - 16, 12 + 18 * blocks
            crc = _crc(word_at(at) & mask_high, word_at(at + 8) & mask_low)
            if blocks:
                copy_16(at, to + there + rest - 16)
            else:
                for place in range(rest):
                    out[row, there + place] = frames[row, 10 + place]
            out[row, there + rest], out[row, there + rest + 1] = crc >> eight, crc & byte
        for block in range(blocks):
            at, there = begin + 10 + 16 * block, to + 12 + 18 * block
            crc = _crc(word_at(at), word_at(at + 8))
            copy_16(at, there)
            out[row, 28 + 18 * block], out[row, 29 + 18 * block] = crc >> eight, crc & byte


__all__ = ["add_crcs_a", "has_products"]
