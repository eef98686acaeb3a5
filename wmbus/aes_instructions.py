"""AES by the processor's instructions, written as LLVM code for numba: eight telegrams side by side.

One AES round takes several cycles to finish but a new one can begin each cycle, so eight independent chains run in the
time of one.  The key schedule uses AESENCLAST on a column repeated four times, for which ShiftRows does nothing:
SubWord and the round constant in one instruction.

LLVM aborts the process when asked for an instruction that the processor does not have: ask ``has_aes_instructions``
before compiling anything that calls ``cbc_lanes`` or ``ecb_lanes``.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from wmbus.aes_tables import RCON

# Imported by name: type checkers meet a machine without numba too.
ir: Any = importlib.import_module("llvmlite.ir")
binding: Any = importlib.import_module("llvmlite.binding")
types: Any = importlib.import_module("numba").types
intrinsic: Any = importlib.import_module("numba.extending").intrinsic
alloca_once: Any = importlib.import_module("numba.core.cgutils").alloca_once

LANES = 8
ROUNDS = 10


@cache
def has_aes_instructions() -> bool:
    """Does this processor have AES instructions, and LLVM know it?"""
    return bool(binding.get_host_cpu_features().get("aes", False))


_V16 = ir.VectorType(ir.IntType(8), 16)
_V2 = ir.VectorType(ir.IntType(64), 2)
_I32 = ir.IntType(32)
_I64 = ir.IntType(64)


def _shuffled(builder: Any, a: Any, b: Any, places: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(_I32, 16), [ir.Constant(_I32, place) for place in places])
    return builder.shuffle_vector(a, b, mask)


def _load(builder: Any, address: Any) -> Any:
    loaded = builder.load(builder.inttoptr(address, _V16.as_pointer()))
    loaded.align = 1
    return loaded


def _store(builder: Any, value: Any, address: Any) -> None:
    stored = builder.store(value, builder.inttoptr(address, _V16.as_pointer()))
    stored.align = 1


def _emit(builder: Any, arguments: Any, *, chained: bool) -> None:
    """Eight rows: keys and ivs 16 bytes apart, data `stride` apart, `blocks` of it each; in place."""
    keys, ivs, data, stride, blocks = arguments
    module = builder.module

    def instruction(name: str) -> Any:
        kind = ir.FunctionType(_V2, [_V2, _V2])
        return module.globals.get(name) or ir.Function(module, kind, name)

    middle, last = instruction("llvm.x86.aesni.aesenc"), instruction("llvm.x86.aesni.aesenclast")

    def round_(function: Any, state: Any, key: Any) -> Any:
        made = builder.call(function, [builder.bitcast(state, _V2), builder.bitcast(key, _V2)])
        return builder.bitcast(made, _V16)

    zero = ir.Constant(_V16, [ir.Constant(ir.IntType(8), 0)] * 16)
    # In the function's entry: what is reserved inside a caller's loop would grow the stack with each round.
    schedule = [[alloca_once(builder, _V16) for _ in range(ROUNDS + 1)] for _ in range(LANES)]
    states = [alloca_once(builder, _V16) for _ in range(LANES)]
    for row in schedule:
        for place in row:
            place.align = 16
    current = []
    for lane in range(LANES):
        offset = ir.Constant(_I64, 16 * lane)
        current.append(_load(builder, builder.add(keys, offset)))
        builder.store(current[lane], schedule[lane][0])
        builder.store(_load(builder, builder.add(ivs, offset)) if chained else zero, states[lane])
    for number, rcon in enumerate(RCON, start=1):
        constant = ir.Constant(_V16, [ir.Constant(ir.IntType(8), rcon if n % 4 == 0 else 0) for n in range(16)])
        for lane in range(LANES):
            key = current[lane]
            word = round_(last, _shuffled(builder, key, key, [13, 14, 15, 12] * 4), constant)
            key = builder.xor(key, _shuffled(builder, zero, key, [0] * 4 + list(range(16, 28))))
            key = builder.xor(key, _shuffled(builder, zero, key, [0] * 8 + list(range(16, 24))))
            current[lane] = builder.xor(key, word)
            builder.store(current[lane], schedule[lane][number])

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
    addresses, now = [], []
    for lane in range(LANES):
        address = builder.add(builder.add(data, at), builder.mul(stride, ir.Constant(_I64, lane)))
        addresses.append(address)
        block = _load(builder, address)
        if chained:
            block = builder.xor(block, builder.load(states[lane]))
        now.append(builder.xor(block, builder.load(schedule[lane][0])))
    for step in range(1, ROUNDS + 1):
        function = last if step == ROUNDS else middle
        for lane in range(LANES):
            now[lane] = round_(function, now[lane], builder.load(schedule[lane][step]))
    for lane in range(LANES):
        if chained:
            builder.store(now[lane], states[lane])
        _store(builder, now[lane], addresses[lane])
    builder.store(builder.add(number, ir.Constant(_I64, 1)), counter)
    builder.branch(head)
    builder.position_at_end(done)


@intrinsic  # type: ignore[untyped-decorator]
def cbc_lanes(_context: Any, keys: Any, ivs: Any, data: Any, stride: Any, blocks: Any) -> Any:
    signature = types.void(types.int64, types.int64, types.int64, types.int64, types.int64)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        _emit(builder, arguments, chained=True)
        return _context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def ecb_lanes(_context: Any, keys: Any, ivs: Any, data: Any, stride: Any, blocks: Any) -> Any:
    signature = types.void(types.int64, types.int64, types.int64, types.int64, types.int64)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        _emit(builder, arguments, chained=False)
        return _context.get_dummy_value()

    return signature, generate
