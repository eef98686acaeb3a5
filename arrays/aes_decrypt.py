"""AES-CBC undone by the processor's instructions: eight telegrams side by side, the mirror of ``aes_encrypt``.

Backwards the blocks of one telegram do not depend on each other, but telegrams are short and each has its own key, so
the eight lanes are telegrams here too.  AESDEC wants the round keys of the equivalent inverse cipher (FIPS 197,
5.3.5): AESIMC of rounds 1 to 9, used from the last to the first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrays.aes_encrypt import I64, ROUNDS, U8, Lanes, cbc_of_rows, in_place
from arrays.jit import intrinsic, ir, njit

LANES = 8


def _emit(builder: Any, arguments: Any) -> None:
    """Eight rows: keys and ivs 16 bytes apart, data `stride` apart, `blocks` of it each; in place."""
    keys, ivs, data, stride, blocks = arguments
    lanes = Lanes(builder, LANES, 1)
    middle, last, inverse = lanes.instruction("aesdec"), lanes.instruction("aesdeclast"), lanes.instruction("aesimc", 1)
    schedule = lanes.round_keys(keys, lambda number, key: lanes.call(inverse, key) if number < ROUNDS else key)
    before = [lanes.variable() for _ in lanes.registers]
    for lane in lanes.registers:
        builder.store(lanes.load(lanes.addresses(lane, ivs, ir.Constant(I64, 16))), before[lane])
    with lanes.each_block(blocks) as offset:
        at = builder.add(data, offset)
        addresses, sealed, now = [], [], []
        for lane in lanes.registers:
            addresses.append(lanes.addresses(lane, at, stride))
            sealed.append(lanes.load(addresses[lane]))
            now.append(builder.xor(sealed[lane], builder.load(schedule[lane][ROUNDS])))
        for step in range(ROUNDS - 1, -1, -1):
            for lane in lanes.registers:
                now[lane] = lanes.call(middle if step else last, now[lane], builder.load(schedule[lane][step]))
        for lane in lanes.registers:
            clear = builder.xor(now[lane], builder.load(before[lane]))
            builder.store(sealed[lane], before[lane])
            lanes.store(clear, addresses[lane])


@intrinsic
def _lanes_back(_context: Any, keys: Any, ivs: Any, data: Any, stride: Any, blocks: Any) -> Any:
    return in_place(_emit)


@njit(nogil=True)
def _rows_back(k: int, v: int, d: int, stride: int, blocks: int, rows: int) -> None:
    """`rows` is a whole number of eights; k, v, d are addresses."""
    for row in range(0, rows, LANES):
        _lanes_back(np.int64(k + 16 * row), np.int64(v + 16 * row), np.int64(d + stride * row), np.int64(stride),
                    np.int64(blocks))  # fmt: skip


def decrypt_cbc(keys: U8, iv: U8, data: U8) -> None:
    """In place, also where the rows of `data` (n, 16 m) have gaps between them; `keys` and `iv` (n, 16) have none."""
    cbc_of_rows(_rows_back, LANES, keys, iv, data)
