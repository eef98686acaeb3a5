"""AES-CBC undone by the processor's instructions: eight telegrams side by side, the mirror of ``aes_encrypt``.

Backwards the blocks of one telegram do not wait for each other, but telegrams are short and each has its own key, so
the eight lanes are telegrams here too.  AESDEC wants the round keys of the equivalent inverse cipher (FIPS 197,
5.3.5): AESIMC of rounds 1 to 9, used from the last to the first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arrays.aes_encrypt import ROUNDS
from arrays.aes_tables import RCON
from arrays.jit import alloca_once, intrinsic, ir, njit, types

U8 = NDArray[np.uint8]
LANES = 8

_BYTE, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_V16, _V2 = ir.VectorType(_BYTE, 16), ir.VectorType(_I64, 2)


def _shuffled(builder: Any, a: Any, b: Any, places: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(_I32, 16), [ir.Constant(_I32, place) for place in places])
    return builder.shuffle_vector(a, b, mask)


def _emit(builder: Any, arguments: Any) -> None:
    """Eight rows: keys and ivs 16 bytes apart, data `stride` apart, `blocks` of it each; in place."""
    keys, ivs, data, stride, blocks = arguments
    module = builder.module

    def instruction(name: str, *takes: Any) -> Any:
        name = f"llvm.x86.aesni.{name}"
        return module.globals.get(name) or ir.Function(module, ir.FunctionType(_V2, list(takes)), name)

    forward = instruction("aesenclast", _V2, _V2)
    middle, last = instruction("aesdec", _V2, _V2), instruction("aesdeclast", _V2, _V2)
    inverse = instruction("aesimc", _V2)

    def call(function: Any, *values: Any) -> Any:
        made = builder.call(function, [builder.bitcast(value, _V2) for value in values])
        return builder.bitcast(made, _V16)

    def load(address: Any) -> Any:
        loaded = builder.load(builder.inttoptr(address, _V16.as_pointer()))
        loaded.align = 1
        return loaded

    zero = ir.Constant(_V16, [ir.Constant(_BYTE, 0)] * 16)
    # In the function's first block: what is allocated in a loop is freed only when the function ends.
    schedule = [[alloca_once(builder, _V16) for _ in range(ROUNDS + 1)] for _ in range(LANES)]
    before = [alloca_once(builder, _V16) for _ in range(LANES)]
    for row in schedule:
        for place in row:
            place.align = 16
    current = []
    for lane in range(LANES):
        offset = ir.Constant(_I64, 16 * lane)
        current.append(load(builder.add(keys, offset)))
        builder.store(current[lane], schedule[lane][0])
        builder.store(load(builder.add(ivs, offset)), before[lane])
    for number, rcon in enumerate(RCON, start=1):
        constant = ir.Constant(_V16, [ir.Constant(_BYTE, rcon if n % 4 == 0 else 0) for n in range(16)])
        for lane in range(LANES):
            key = current[lane]
            word = call(forward, _shuffled(builder, key, key, [13, 14, 15, 12] * 4), constant)
            key = builder.xor(key, _shuffled(builder, zero, key, [0] * 4 + list(range(16, 28))))
            key = builder.xor(key, _shuffled(builder, zero, key, [0] * 8 + list(range(16, 24))))
            current[lane] = builder.xor(key, word)
            kept = call(inverse, current[lane]) if number < ROUNDS else current[lane]
            builder.store(kept, schedule[lane][number])

    counter = alloca_once(builder, _I64)
    builder.store(ir.Constant(_I64, 0), counter)
    head = builder.append_basic_block("head")
    body = builder.append_basic_block("body")
    done = builder.append_basic_block("done")
    builder.branch(head)
    builder.position_at_end(head)
    number = builder.load(counter)
    builder.cbranch(builder.icmp_signed("<", number, blocks), body, done)
    builder.position_at_end(body)
    at = builder.mul(number, ir.Constant(_I64, 16))
    addresses, sealed, now = [], [], []
    for lane in range(LANES):
        address = builder.add(builder.add(data, at), builder.mul(stride, ir.Constant(_I64, lane)))
        addresses.append(address)
        sealed.append(load(address))
        now.append(builder.xor(sealed[lane], builder.load(schedule[lane][ROUNDS])))
    for step in range(ROUNDS - 1, -1, -1):
        for lane in range(LANES):
            now[lane] = call(middle if step else last, now[lane], builder.load(schedule[lane][step]))
    for lane in range(LANES):
        clear = builder.xor(now[lane], builder.load(before[lane]))
        builder.store(sealed[lane], before[lane])
        stored = builder.store(clear, builder.inttoptr(addresses[lane], _V16.as_pointer()))
        stored.align = 1
    builder.store(builder.add(number, ir.Constant(_I64, 1)), counter)
    builder.branch(head)
    builder.position_at_end(done)


@intrinsic
def _lanes_back(_context: Any, keys: Any, ivs: Any, data: Any, stride: Any, blocks: Any) -> Any:
    signature = types.void(types.int64, types.int64, types.int64, types.int64, types.int64)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        _emit(builder, arguments)
        return _context.get_dummy_value()

    return signature, generate


@njit(nogil=True)
def _rows_back(k: int, v: int, d: int, stride: int, blocks: int, rows: int) -> None:
    """`rows` is a whole number of eights; k, v, d are addresses."""
    for row in range(0, rows, LANES):
        _lanes_back(np.int64(k + 16 * row), np.int64(v + 16 * row), np.int64(d + stride * row), np.int64(stride),
                    np.int64(blocks))  # fmt: skip


def decrypt_cbc(keys: U8, iv: U8, data: U8) -> None:
    """In place, also where the rows of `data` (n, 16 m) have gaps between them; `keys` and `iv` (n, 16) have none."""
    n, size = data.shape
    if data.size and data.strides[1] != 1:
        raise ValueError("the bytes of a row must lie side by side")
    whole = n // LANES * LANES
    _rows_back(keys.ctypes.data, iv.ctypes.data, data.ctypes.data, data.strides[0], size // 16, whole)
    if n > whole:
        some_keys, some_iv = np.zeros((LANES, 16), np.uint8), np.zeros((LANES, 16), np.uint8)
        some = np.zeros((LANES, size), np.uint8)
        some_keys[: n - whole], some_iv[: n - whole], some[: n - whole] = keys[whole:], iv[whole:], data[whole:]
        _rows_back(some_keys.ctypes.data, some_iv.ctypes.data, some.ctypes.data, size, size // 16, LANES)
        data[whole:] = some[: n - whole]
