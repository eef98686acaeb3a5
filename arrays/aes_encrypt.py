"""AES by the processor's instructions, written as LLVM code for numba: eight or sixteen telegrams side by side.

One AES round takes several cycles to finish but a new one can begin each cycle, so eight independent chains run in the
time of one. Where the instructions take registers of 512 bits (VAES), each holds four telegrams, and sixteen run in
that time.  The key schedule uses AESENCLAST on a column repeated four times, for which ShiftRows does nothing: SubWord
and the round constant in one instruction.

LLVM aborts the process when asked for an instruction that the processor does not have: ask ``has_aes_instructions``
before compiling anything that calls ``cbc_lanes`` or ``ecb_lanes``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arrays.aes_tables import RCON
from arrays.jit import alloca_once, compiles_for, intrinsic, ir, types

U8 = NDArray[np.uint8]
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

_ROW = ir.VectorType(ir.IntType(8), 16)
_I32 = ir.IntType(32)
I64 = ir.IntType(64)


def _mask(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(_I32, len(places)), [ir.Constant(_I32, place) for place in places])


class Lanes:
    """Writes LLVM code at the place of `builder` for `lanes` rows, `width` of them in a register. Values and functions
    are llvmlite's, which has no types."""

    def __init__(self, builder: Any, lanes: int, width: int) -> None:
        self.builder = builder
        self.width = width
        self.registers = range(lanes // width)
        self.whole = ir.VectorType(ir.IntType(8), 16 * width)
        self.pair = ir.VectorType(I64, 2 * width)
        self.zero = ir.Constant(self.whole, [ir.Constant(ir.IntType(8), 0)] * (16 * width))

    def instruction(self, name: str, operands: int = 2) -> Any:
        """An AES instruction of the processor, such as aesenc."""
        name, module = f"llvm.x86.aesni.{name}{'.512' if self.width > 1 else ''}", self.builder.module
        kind = ir.FunctionType(self.pair, [self.pair] * operands)
        return module.globals.get(name) or ir.Function(module, kind, name)

    def call(self, function: Any, *values: Any) -> Any:
        """`function` of `instruction` on registers; returns a register."""
        made = self.builder.call(function, [self.builder.bitcast(value, self.pair) for value in values])
        return self.builder.bitcast(made, self.whole)

    def variable(self) -> Any:
        """In the function's first block: what is allocated in a loop is freed only when the function ends."""
        place = alloca_once(self.builder, self.whole)
        place.align = 16
        return place

    def shuffled(self, a: Any, b: Any, places: list[int]) -> Any:
        """The same shuffle for each row: places from 16 on are of `b`."""
        far = 16 * self.width
        each = [16 * row + (place if place < 16 else far + place - 16) for row in range(self.width) for place in places]
        return self.builder.shuffle_vector(a, b, _mask(each))

    def addresses(self, register: int, begin: Any, apart: Any) -> list[Any]:
        """Of the rows in one register."""
        lanes = range(self.width * register, self.width * register + self.width)
        return [self.builder.add(begin, self.builder.mul(apart, ir.Constant(I64, lane))) for lane in lanes]

    def load(self, addresses: list[Any]) -> Any:
        """The rows at these addresses, in one register."""
        rows = []
        for address in addresses:
            loaded = self.builder.load(self.builder.inttoptr(address, _ROW.as_pointer()))
            loaded.align = 1
            rows.append(loaded)
        while len(rows) > 1:
            both = _mask(list(range(2 * rows[0].type.count)))
            rows = [self.builder.shuffle_vector(rows[at], rows[at + 1], both) for at in range(0, len(rows), 2)]
        return rows[0]

    def store(self, value: Any, addresses: list[Any]) -> None:
        """The rows of one register to these addresses."""
        for row, address in enumerate(addresses):
            part = value
            if self.width > 1:
                part = self.builder.shuffle_vector(value, value, _mask(list(range(16 * row, 16 * row + 16))))
            stored = self.builder.store(part, self.builder.inttoptr(address, _ROW.as_pointer()))
            stored.align = 1

    def round_keys(self, keys: Any, kept: Callable[[int, Any], Any] = lambda number, key: key) -> list[list[Any]]:
        """Where the round keys stand, by register and round; `keys` is the address of rows 16 bytes apart. `kept`
        makes of a round's number and key what is stored."""
        builder, last = self.builder, self.instruction("aesenclast")
        schedule = [[self.variable() for _ in range(ROUNDS + 1)] for _ in self.registers]
        current = [self.load(self.addresses(register, keys, ir.Constant(I64, 16))) for register in self.registers]
        for register in self.registers:
            builder.store(current[register], schedule[register][0])
        for number, rcon in enumerate(RCON, start=1):
            constant = [ir.Constant(ir.IntType(8), rcon if n % 4 == 0 else 0) for n in range(self.whole.count)]
            for register in self.registers:
                key = current[register]
                turned = self.shuffled(key, key, [13, 14, 15, 12] * 4)
                word = self.call(last, turned, ir.Constant(self.whole, constant))
                key = builder.xor(key, self.shuffled(self.zero, key, [0] * 4 + list(range(16, 28))))
                key = builder.xor(key, self.shuffled(self.zero, key, [0] * 8 + list(range(16, 24))))
                current[register] = builder.xor(key, word)
                builder.store(kept(number, current[register]), schedule[register][number])
        return schedule

    @contextmanager
    def each_block(self, blocks: Any) -> Iterator[Any]:
        """The code written within runs once for each of `blocks` blocks; gives how many bytes lie before it."""
        builder = self.builder
        counter = alloca_once(builder, I64)
        builder.store(ir.Constant(I64, 0), counter)
        head, body, done = (builder.append_basic_block(name) for name in ("head", "body", "done"))
        builder.branch(head)
        builder.position_at_end(head)
        number = builder.load(counter)
        builder.cbranch(builder.icmp_signed("<", number, blocks), body, done)
        builder.position_at_end(body)
        yield builder.mul(number, ir.Constant(I64, 16))
        builder.store(builder.add(number, ir.Constant(I64, 1)), counter)
        builder.branch(head)
        builder.position_at_end(done)


def _emit(builder: Any, arguments: Any, chained: bool) -> None:
    """LANES rows: keys and ivs 16 bytes apart, data `stride` apart, `blocks` of it each; in place."""
    keys, ivs, data, stride, blocks = arguments
    lanes = Lanes(builder, LANES, _WIDTH)
    middle, last = lanes.instruction("aesenc"), lanes.instruction("aesenclast")
    schedule = lanes.round_keys(keys)
    states = [lanes.variable() for _ in lanes.registers]
    for register in lanes.registers:
        rows = lanes.addresses(register, ivs, ir.Constant(I64, 16))
        builder.store(lanes.load(rows) if chained else lanes.zero, states[register])
    with lanes.each_block(blocks) as offset:
        at = builder.add(data, offset)
        addresses, now = [], []
        for register in lanes.registers:
            addresses.append(lanes.addresses(register, at, stride))
            block = lanes.load(addresses[register])
            if chained:
                block = builder.xor(block, builder.load(states[register]))
            now.append(builder.xor(block, builder.load(schedule[register][0])))
        for step in range(1, ROUNDS + 1):
            function = last if step == ROUNDS else middle
            for register in lanes.registers:
                now[register] = lanes.call(function, now[register], builder.load(schedule[register][step]))
        for register in lanes.registers:
            if chained:
                builder.store(now[register], states[register])
            lanes.store(now[register], addresses[register])


@intrinsic
def cbc_lanes(_context: Any, keys: Any, ivs: Any, data: Any, stride: Any, blocks: Any) -> Any:
    """CBC of LANES rows in place: addresses of keys, IVs and data, bytes from row to row of data, blocks in a row."""
    return in_place(lambda builder, arguments: _emit(builder, arguments, True))


@intrinsic
def ecb_lanes(_context: Any, keys: Any, ivs: Any, data: Any, stride: Any, blocks: Any) -> Any:
    """As `cbc_lanes`, each block by itself; `ivs` is not read."""
    return in_place(lambda builder, arguments: _emit(builder, arguments, False))


def in_place(emit: Callable[[Any, Any], None]) -> Any:
    """What an intrinsic of five integers returns whose code is written by `emit(builder, arguments)`."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        emit(builder, arguments)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), generate


def cbc_of_rows(rows_in_lanes: Callable[..., None], lanes: int, keys: U8, iv: U8, data: U8) -> None:
    """CBC in place by `rows_in_lanes(keys, iv, data, stride, blocks, rows)`, which takes addresses and a multiple of
    `lanes` rows. `data` (n, 16 m) may have gaps between its rows; `keys` and `iv` (n, 16) have none."""
    n, size = data.shape
    if data.size and data.strides[1] != 1:
        raise ValueError("the bytes of a row must lie side by side")
    whole = n // lanes * lanes
    rows_in_lanes(keys.ctypes.data, iv.ctypes.data, data.ctypes.data, data.strides[0], size // 16, whole)
    if n > whole:
        some_keys, some_iv = np.zeros((lanes, 16), np.uint8), np.zeros((lanes, 16), np.uint8)
        some = np.zeros((lanes, size), np.uint8)
        some_keys[: n - whole], some_iv[: n - whole], some[: n - whole] = keys[whole:], iv[whole:], data[whole:]
        rows_in_lanes(some_keys.ctypes.data, some_iv.ctypes.data, some.ctypes.data, size, size // 16, lanes)
        data[whole:] = some[: n - whole]
