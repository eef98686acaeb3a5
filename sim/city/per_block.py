"""How much each block of the site sent, and how much of it was heard: what a map of delivery is drawn from.

A shard's fleet stands in the order of meters and owns blocks whole, so a block is a run of rows: what it sent is the
difference of two places in the window's frames, and what was heard of it a search in rows that are in order already.
Nothing is done for each telegram.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.city.plan import Blocks
from sim.city.shard import Heard, Shard

I64 = NDArray[np.int64]


class Tally:
    """`block`: the numbers of a shard's own blocks, ascending; `sent` and `heard`: frames, one number a block."""

    def __init__(self, blocks: Blocks, shard: Shard) -> None:
        of_row = shard.names // blocks.a_block
        self.block: I64 = np.unique(of_row[shard.own])
        self._low = np.searchsorted(of_row, self.block)
        self._high = np.searchsorted(of_row, self.block, side="right")
        self.sent: I64 = np.zeros(len(self.block), dtype=np.int64)
        self.heard: I64 = np.zeros(len(self.block), dtype=np.int64)

    def add(self, heard: Heard) -> None:
        """One window. Rows of frames that began in the window before may stand in front, out of order."""
        self.sent += heard.first[self._high] - heard.first[self._low]
        row = heard.meter
        falls = np.flatnonzero(row[1:] < row[:-1])
        late = int(falls[-1]) + 1 if len(falls) else 0
        ordered = row[late:]
        self.heard += np.searchsorted(ordered, self._high) - np.searchsorted(ordered, self._low)
        if late:
            np.add.at(self.heard, np.searchsorted(self._low, row[:late], side="right") - 1, 1)


def by_block(blocks: Blocks, tallies: list[tuple[I64, I64, I64]]) -> dict[str, object]:
    """(block, sent, heard) of all shards as one grid, row by row; places without a block have 0."""
    sent, heard = np.zeros((2, blocks.columns * blocks.rows), dtype=np.int64)
    for block, begun, got in tallies:
        sent[block] += begun
        heard[block] += got
    return {"columns": blocks.columns, "rows": blocks.rows, "sent": sent.tolist(), "heard": heard.tolist()}
