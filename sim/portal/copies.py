"""Which receptions are copies: equal bytes that another gateway heard at the same time are the same transmission.

The tolerance is between gateways' clocks; it is no defence, and a replay ten seconds later is judged. What was stored
is remembered in a chain a meter: who heard which bytes, and when. It serves a second question too: whether a telegram
that is late had been stored before.

A portal with a store asks that for what was stored before this take, and remembers no more than a take (`kept_ns` 0);
one without keeps it for as long as a bundle may be under way.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.core.clock import NS_PER_S

I64 = NDArray[np.int64]
TOLERANCE_NS: Final = 2 * NS_PER_S
COLUMNS: Final = 5
HASH, GATEWAY, RECEIVED, STORED_AT, NEXT = range(COLUMNS)
FRESH, AGAIN, COPIED = range(3)


def is_copy(gateway: int, received_ns: int, other_gateway: int, other_ns: int) -> bool:
    """Of equal bytes: heard by two gateways within the tolerance."""
    return gateway != other_gateway and abs(received_ns - other_ns) <= TOLERANCE_NS


def find(kept: Any, link: int, since_ns: int, hash_: int, gateway: int, received_ns: int, dropped: int) -> int:
    """COPIED, AGAIN for equal bytes that are no copy, or FRESH; looks back along a meter's chain from `link`."""
    found = FRESH
    link -= dropped
    while link >= 0 and kept[link, STORED_AT] >= since_ns:
        if kept[link, HASH] == hash_:
            if is_copy(gateway, received_ns, kept[link, GATEWAY], kept[link, RECEIVED]):
                return COPIED
            found = AGAIN
        link = kept[link, NEXT] - dropped
    return found


class Kept(NamedTuple):
    """What `judge` works on: `rows` (n, COLUMNS), of which `used` hold something; a link counts every row there ever
    was, one that points before `dropped` ends its chain; older than `since_ns` counts as forgotten."""

    rows: I64
    used: int
    dropped: int
    since_ns: int


class Copies:
    """The memory of all meters. `kept_ns`: for how long; 0: for one take."""

    def __init__(self, kept_ns: int) -> None:
        self._kept_ns = kept_ns
        self._rows: I64 = np.zeros((0, COLUMNS), dtype=np.int64)
        self._count = self._dropped = 0

    def room(self, now_ns: int, more: int) -> Kept:
        """What is kept, with room for so many more."""
        if self._kept_ns == 0:
            self._dropped += self._count
            self._count = 0
        if self._count + more > len(self._rows):
            stored = self._rows[: self._count, STORED_AT]
            old = int(np.searchsorted(stored, now_ns - self._kept_ns))  # in the order of takes
            count = self._count - old
            enough = 4 * (count + more) <= 3 * len(self._rows)
            table = self._rows if enough else np.empty((2 * (count + more), COLUMNS), dtype=np.int64)
            # Within one table by parts that do not overlap: numpy would copy the whole aside first.
            step = old if enough and old else max(count, 1)
            for begin in range(0, count, step):
                end = min(begin + step, count)
                table[begin:end] = self._rows[old + begin : old + end]
            self._rows, self._count = table, count
            self._dropped += old
        return Kept(self._rows, self._count, self._dropped, now_ns - self._kept_ns)

    def keep(self, count: int) -> None:
        """So many rows are in use."""
        self._count = count
