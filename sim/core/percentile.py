"""The one rule for percentiles of whole numbers."""

from __future__ import annotations

from collections.abc import Iterable


def percentile(values: Iterable[int], percent: float) -> int:
    """The value of nearest rank: so many percent of `values` are not above it; 0 of none."""
    ordered = sorted(values)
    if not ordered:
        return 0
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]
