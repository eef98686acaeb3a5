"""Which values were seen, kept as RFC 4303 (section 3.4.3) keeps sequence numbers: the highest, and a bitmap behind it.

Several gateways hear a meter and each publishes in its own time, so "greater than the last" would refuse genuine
telegrams every day (docs/decisions/portal-anti-replay-window.md). The bitmap is a ring: value v stands at bit v modulo
the ring's bits. A ring is a byte longer than its window, so what lies ahead can be cleared by bytes.

Plain functions for checks, compiled with them. `size` is a multiple of eight; `ring` (meters, `size // 8 + 1`) are the
bytes of all meters, of which those of `row` are meant.
"""

from __future__ import annotations

from typing import Any, Final

from sim.portal.check import NONE

NEW: Final = 0
SEEN: Final = 1
BEHIND: Final = 2
"""So old that nobody can tell."""


def look(highest: int, ring: Any, row: int, size: int, value: int) -> int:
    """NEW, SEEN or BEHIND."""
    if highest == NONE or value > highest:
        return NEW
    if highest - value >= size:
        return BEHIND
    return SEEN if ring[row, (value >> 3) % ring.shape[1]] >> (value & 7) & 1 else NEW


def mark(highest: int, ring: Any, row: int, size: int, value: int) -> int:
    """Remember a value; the new highest. With a highest of NONE the ring must hold no bits."""
    length = ring.shape[1]
    last = value >> 3
    place = last % length
    if highest != NONE:
        if value > highest:
            ahead = place
            for _ in range(min(last - (highest >> 3), length)):
                ring[row, ahead] = 0
                ahead = ahead - 1 if ahead else length - 1
        elif highest - value >= size:
            return highest
    ring[row, place] |= 1 << (value & 7)
    return value if highest == NONE else max(value, highest)


def empty(ring: Any, row: int) -> None:
    """As before the first value."""
    for byte in range(ring.shape[1]):
        ring[row, byte] = 0
