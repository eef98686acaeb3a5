"""How much each block of the site sent, and how much of it was heard: what a map of delivery is drawn from.

A shard's fleet stands in the order of meters and owns blocks whole, so a block is a run of rows for each group of
meters: what it sent is the difference of two places in the window's frames, and what was heard of it a search in rows
that are in order already. Nothing is done for each telegram.
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
        of_row = blocks.block(shard.names)
        edge = np.flatnonzero(np.diff(of_row, prepend=-1, append=-1))
        own = shard.own[edge[:-1]]
        self._low, self._high = edge[:-1][own], edge[1:][own]
        block, self._of = np.unique(of_row[self._low], return_inverse=True)
        self.block: I64 = block
        self.sent: I64 = np.zeros(len(self.block), dtype=np.int64)
        self.heard: I64 = np.zeros(len(self.block), dtype=np.int64)

    def add(self, heard: Heard) -> None:
        """One window."""
        np.add.at(self.sent, self._of, heard.first[self._high] - heard.first[self._low])
        row, late = heard.meter, heard.late
        ordered = row[late:]
        np.add.at(self.heard, self._of, np.searchsorted(ordered, self._high) - np.searchsorted(ordered, self._low))
        if late:
            np.add.at(self.heard, self._of[np.searchsorted(self._low, row[:late], side="right") - 1], 1)


def by_block(blocks: Blocks, tallies: list[tuple[I64, I64, I64]]) -> dict[str, object]:
    """(block, sent, heard) of all shards as one grid, row by row; places without a block have 0."""
    sent, heard = np.zeros((2, blocks.columns * blocks.rows), dtype=np.int64)
    for block, begun, got in tallies:
        sent[block] += begun
        heard[block] += got
    return {"columns": blocks.columns, "rows": blocks.rows, "sent": sent.tolist(), "heard": heard.tolist()}
