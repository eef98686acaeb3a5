"""Times as a histogram of whole microseconds to an hour, three significant digits: HdrHistogram's layout and its rule
for percentiles (hdrhistogram.org; Gil Tene), so that figures stand beside those of other tools.

Values below 2 048 have a bucket each; above, each power of two has 1 024. A percentile is the highest value that its
bucket stands for. Histograms of several processes are added. docs/decisions/own-histogram.md says why there is no
library here; tests hold both against each other.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

I64 = NDArray[np.int64]
HALF: Final = 1_024
HIGHEST_US: Final = 3_600_000_000
PERCENTILES: Final = (50.0, 90.0, 99.0, 99.9, 99.99)


def bucket(value_us: ArrayLike) -> I64:
    """The bucket of each value; what is below 0 or above an hour counts as that."""
    value = np.clip(np.asarray(value_us, dtype=np.int64), 0, HIGHEST_US)
    shift = np.maximum(np.frexp(value.astype(np.float64))[1] - 11, 0)
    out: I64 = shift * HALF + (value >> shift)
    return out


def highest_us(at: int) -> int:
    """The highest value that falls into a bucket."""
    shift = max(at // HALF - 1, 0)
    return ((at - shift * HALF + 1) << shift) - 1


class Latencies:
    """`total` values, `over` of them above an hour."""

    def __init__(self) -> None:
        self._counts: I64 = np.zeros(int(bucket(HIGHEST_US)) + 1, dtype=np.int64)
        self.total = self.over = self.most_us = 0

    def record(self, seconds: ArrayLike, times: int = 1) -> None:
        """Each of these times in seconds, so many times. What is no number is left out."""
        given = np.asarray(seconds, dtype=np.float64)
        value = np.rint(given[np.isfinite(given)] * 1e6).astype(np.int64)
        if not len(value):
            return
        self._counts += times * np.bincount(bucket(value), minlength=len(self._counts))
        self.total += times * len(value)
        self.over += times * int((value > HIGHEST_US).sum())
        self.most_us = max(self.most_us, int(value.max()))

    def add(self, other: Latencies) -> None:
        self._counts += other._counts
        self.total += other.total
        self.over += other.over
        self.most_us = max(self.most_us, other.most_us)

    def percentile_s(self, percent: float) -> float:
        """Seconds; 0 of none."""
        if not self.total:
            return 0.0
        rank = max(1, int(percent / 100 * self.total + 0.5))
        return highest_us(int(np.searchsorted(np.cumsum(self._counts), rank))) / 1e6

    def as_json(self) -> dict[str, Any]:
        found = {f"p{percent:g}_s": self.percentile_s(percent) for percent in PERCENTILES}
        return {"count": self.total, **found, "most_s": self.most_us / 1e6}
