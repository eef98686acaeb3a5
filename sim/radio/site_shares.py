"""How groups of meters share the rooms of a site: evenly, so that each house has some of every group.

The rule kept here: the k-th of a group's c meters stands at (2k + 1) / 2c of the way through all rooms, and rooms are
dealt in the order of these fractions (ties: the group that is named first). So a group keeps its order, a house has its
share of each, and both directions, meter to room and rooms to meters, are whole-number arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.radio.site_spec import SiteSpec

I64 = NDArray[np.int64]


def dealt(spec: SiteSpec, counts: Sequence[int]) -> tuple[int, ...]:
    """The groups that share rooms: each of these, or all as one where a site does not mix them."""
    return tuple(counts) if spec.mixed else (sum(counts),)


class Shares:
    """`counts`: meters of each group, in the order of a fleet."""

    def __init__(self, counts: Sequence[int]) -> None:
        self.counts: I64 = np.array([count for count in counts if count], dtype=np.int64)
        self._begin: I64 = np.cumsum(self.counts) - self.counts
        self.total = int(self.counts.sum())

    def room(self, meter: I64) -> I64:
        """The room of each meter, counted through the site."""
        group = np.searchsorted(self._begin, meter, side="right") - 1
        return self._room(group, meter - self._begin[group])

    def _room(self, group: NDArray[Any], k: I64) -> I64:
        """The meters in front: k of its own group, and of each other those whose fraction is smaller."""
        before, own = k.copy(), self.counts[group]
        for other, count in enumerate(self.counts.tolist()):
            place = (2 * k + 1) * count - (group < other)  # the later group stands behind at a tie
            before += np.where(group == other, 0, (place // own + 1) // 2)
        return before

    def meters(self, low: I64, high: I64) -> I64:
        """The meters in rooms low[i] to high[i], ascending; spans must not overlap."""
        begin, end = self._first(np.asarray(low)), self._first(np.asarray(high))
        spans = [
            np.arange(first + first_k, first + last_k, dtype=np.int64)
            for first, firsts, lasts in zip(self._begin.tolist(), begin, end, strict=True)
            for first_k, last_k in zip(firsts.tolist(), lasts.tolist(), strict=True)
        ]
        return np.concatenate([np.zeros(0, dtype=np.int64), *spans])

    def _first(self, room: I64) -> I64:
        """(groups, rooms): how many of each group stand before each room."""
        group = np.repeat(np.arange(len(self.counts))[:, None], len(room), axis=1)
        low, high = np.zeros(group.shape, dtype=np.int64), np.broadcast_to(self.counts[:, None], group.shape).copy()
        while (low < high).any():
            middle = np.minimum((low + high) // 2, self.counts[:, None] - 1)
            behind = (self._room(group, middle) >= room[None]) | (low >= high)
            low, high = np.where(behind, low, middle + 1), np.where(behind & (low < high), middle, high)
        return low
