"""Where gateways hang in a drawn site, one after the other, each as far into the gaps as simple arithmetic gets it.

The rule kept here: the places of n gateways are the first n of one order, so one more gateway adds a place and moves
none; whatever a meter reached, it still reaches. Blocks come in bit-reversed Morton order (a two-dimensional van der
Corput sequence: the first quarter of a grid's blocks is every other row and column), block by block one staircase and
then the next, floors from the middle outwards.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
IN_BLOCK: Final = (0, 4, 2, 6, 1, 5, 3, 7)
"""Staircases of a block: those of houses that face each other, then of the others; then the second ones."""


def staircases(count: int, a_block: int, columns: int, wanted: int) -> I64:
    """The first `wanted` staircases of so many; after the last the order begins again."""
    blocks = -(-count // a_block)
    turn = np.repeat(np.arange(a_block, dtype=np.int64), blocks)
    order = turn if a_block != len(IN_BLOCK) else np.array(IN_BLOCK, dtype=np.int64)[turn]
    every = np.tile(block_order(blocks, columns), a_block) * a_block + order
    every = every[every < count]
    return every[np.arange(wanted, dtype=np.int64) % len(every)]


def block_order(blocks: int, columns: int) -> I64:
    """Blocks of a grid, numbered row by row, so that each beginning is spread over it."""
    block = np.arange(blocks, dtype=np.int64)
    x, y = block % columns, block // columns
    x, y = x ^ (columns - 1) // 2, y ^ int(y.max()) // 2  # the first block is one in the middle
    bits = max(int(x.max()), int(y.max())).bit_length()
    key = np.zeros(blocks, dtype=np.int64)
    for bit in range(bits):  # the lowest bit of a place is the highest of the key
        key = key << 2 | ((x ^ y) >> bit & 1) << 1 | y >> bit & 1
    order: I64 = np.argsort(key, kind="stable")
    return order


def floors(count: int) -> list[int]:
    """The floors of a house: the middle, then always one that is farthest from those taken, the lowest of equals."""
    taken = [count // 2]
    while len(taken) < count:
        free = [floor for floor in range(count) if floor not in taken]
        taken.append(max(free, key=lambda floor: (min(abs(floor - other) for other in taken), -floor)))
    return taken
