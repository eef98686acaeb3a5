"""AES by the processor's instructions, written as LLVM code for numba: eight or sixteen telegrams side by side.

One AES round takes several cycles to finish but a new one can begin each cycle, so eight independent chains run in the
time of one. Where the instructions take registers of 512 bits (VAES), each holds four telegrams, and sixteen run in
that time.  The key schedule uses AESENCLAST on a column repeated four times, for which ShiftRows does nothing: SubWord
and the round constant in one instruction.

LLVM aborts the process when asked for an instruction that the processor does not have: ask ``has_aes_instructions``
before compiling anything that calls ``cbc_lanes`` or ``ecb_lanes``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from arrays.aes_tables import RCON
from arrays.jit import alloca_once, compiles_for, intrinsic, ir, types

ROUNDS = 10


@cache
def has_aes_instructions() -> bool:
    """Does this processor have AES instructions, and LLVM know it?"""
    return compiles_for("aes")


@cache
def has_wide_instructions() -> bool:
    """Does it have them for four blocks at a time?"""
    return compiles_for("aes", "vaes", "avx512f", "avx512bw")


_WIDTH = 4 if has_wide_instructions() else 1  # rows in a register
LANES = 16 if has_wide_instructions() else 8
_REGISTERS = LANES // _WIDTH

_ROW = ir.VectorType(ir.IntType(8), 16)
_V16 = ir.VectorType(ir.IntType(8), 16 * _WIDTH)
_V2 = ir.VectorType(ir.IntType(64), 2 * _WIDTH)
_I32 = ir.IntType(32)
_I64 = ir.IntType(64)


def _mask(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(_I32, len(places)), [ir.Constant(_I32, place) for place in places])


def _shuffled(builder: Any, a: Any, b: Any, places: list[int]) -> Any:
    """The same shuffle for each row: places from 16 on are of `b`."""
    whole = 16 * _WIDTH
    each = [16 * row + (place if place < 16 else whole + place - 16) for row in range(_WIDTH) for place in places]
    return builder.shuffle_vector(a, b, _mask(each))


def _load(builder: Any, addresses: list[Any]) -> Any:
    """The rows at these addresses, in one register."""
    rows = []
    for address in addresses:
        loaded = builder.load(builder.inttoptr(address, _ROW.as_pointer()))
        loaded.align = 1
        rows.append(loaded)
    while len(rows) > 1:
        both = _mask(list(range(2 * rows[0].type.count)))
        rows = [builder.shuffle_vector(rows[at], rows[at + 1], both) for at in range(0, len(rows), 2)]
    return rows[0]


def _store(builder: Any, value: Any, addresses: list[Any]) -> None:
    for row, address in enumerate(addresses):
        part = value
        if _WIDTH > 1:
            part = builder.shuffle_vector(value, value, _mask(list(range(16 * row, 16 * row + 16))))
        stored = builder.store(part, builder.inttoptr(address, _ROW.as_pointer()))
        stored.align = 1


def _emit(builder: Any, arguments: Any, *, chained: bool) -> None:
    """LANES rows: keys and ivs 16 bytes apart, data `stride` apart, `blocks` of it each; in place."""
    keys, ivs, data, stride, blocks = arguments
    module = builder.module

    def instruction(name: str) -> Any:
        kind = ir.FunctionType(_V2, [_V2, _V2])
        name += ".512" if _WIDTH > 1 else ""
        return module.globals.get(name) or ir.Function(module, kind, name)

    middle, last = instruction("llvm.x86.aesni.aesenc"), instruction("llvm.x86.aesni.aesenclast")

    def round_(function: Any, state: Any, key: Any) -> Any:
        made = builder.call(function, [builder.bitcast(state, _V2), builder.bitcast(key, _V2)])
        return builder.bitcast(made, _V16)

    def rows_of(register: int, begin: Any, apart: Any) -> list[Any]:
        """Addresses of the rows in one register."""
        lanes = range(_WIDTH * register, _WIDTH * register + _WIDTH)
        return [builder.add(begin, builder.mul(apart, ir.Constant(_I64, lane))) for lane in lanes]

    sixteen = ir.Constant(_I64, 16)
    zero = ir.Constant(_V16, [ir.Constant(ir.IntType(8), 0)] * _V16.count)
    schedule = [[alloca_once(builder, _V16) for _ in range(ROUNDS + 1)] for _ in range(_REGISTERS)]
    states = [alloca_once(builder, _V16) for _ in range(_REGISTERS)]
    current = []
    for register in range(_REGISTERS):
        current.append(_load(builder, rows_of(register, keys, sixteen)))
        builder.store(current[register], schedule[register][0])
        builder.store(_load(builder, rows_of(register, ivs, sixteen)) if chained else zero, states[register])
    for number, rcon in enumerate(RCON, start=1):
        constant = [ir.Constant(ir.IntType(8), rcon if n % 4 == 0 else 0) for n in range(_V16.count)]
        for register in range(_REGISTERS):
            key = current[register]
            turned = _shuffled(builder, key, key, [13, 14, 15, 12] * 4)
            word = round_(last, turned, ir.Constant(_V16, constant))
            key = builder.xor(key, _shuffled(builder, zero, key, [0] * 4 + list(range(16, 28))))
            key = builder.xor(key, _shuffled(builder, zero, key, [0] * 8 + list(range(16, 24))))
            current[register] = builder.xor(key, word)
            builder.store(current[register], schedule[register][number])

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
    at = builder.add(data, builder.mul(number, sixteen))
    addresses, now = [], []
    for register in range(_REGISTERS):
        addresses.append(rows_of(register, at, stride))
        block = _load(builder, addresses[register])
        if chained:
            block = builder.xor(block, builder.load(states[register]))
        now.append(builder.xor(block, builder.load(schedule[register][0])))
    for step in range(1, ROUNDS + 1):
        function = last if step == ROUNDS else middle
        for register in range(_REGISTERS):
            now[register] = round_(function, now[register], builder.load(schedule[register][step]))
    for register in range(_REGISTERS):
        if chained:
            builder.store(now[register], states[register])
        _store(builder, now[register], addresses[register])
    builder.store(builder.add(number, ir.Constant(_I64, 1)), counter)
    builder.branch(head)
    builder.position_at_end(done)


@intrinsic
def cbc_lanes(_context: Any, keys: Any, ivs: Any, data: Any, stride: Any, blocks: Any) -> Any:
    signature = types.void(types.int64, types.int64, types.int64, types.int64, types.int64)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        _emit(builder, arguments, chained=True)
        return _context.get_dummy_value()

    return signature, generate


@intrinsic
def ecb_lanes(_context: Any, keys: Any, ivs: Any, data: Any, stride: Any, blocks: Any) -> Any:
    signature = types.void(types.int64, types.int64, types.int64, types.int64, types.int64)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        _emit(builder, arguments, chained=False)
        return _context.get_dummy_value()

    return signature, generate
