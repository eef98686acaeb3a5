"""Digests of sets: sums, modulo 2**64, of a mixed word for each member, so that neither order nor
shards show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arrays.splitmix import mixed

I64 = NDArray[np.int64]


def of_telegrams(meter: I64, k: I64) -> int:
    """The digest of telegrams by their meter and number."""
    return int(mixed(meter.astype(np.uint64) << np.uint64(32) | k.astype(np.uint64)).sum(dtype=np.uint64))


def total(digests: list[int]) -> int:
    """The digest of all of them together."""
    return sum(digests) % (1 << 64)
