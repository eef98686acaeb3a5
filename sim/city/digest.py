"""Digests of sets: sums, modulo 2**64, of a mixed word for each member, so that neither order nor
shards show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]


def mixed(words: U64) -> U64:
    """SplitMix64's finaliser."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def of_telegrams(meter: I64, k: I64) -> int:
    """The digest of telegrams by who sent them and which they are."""
    return int(mixed(meter.astype(np.uint64) << np.uint64(32) | k.astype(np.uint64)).sum(dtype=np.uint64))


def of_rows(columns: list[I64]) -> int:
    """The digest of a table's rows."""
    word = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        word = mixed(word + column.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))
    return int(word.sum(dtype=np.uint64))


def total(digests: list[int]) -> int:
    """The digest of all of them together."""
    return sum(digests) % (1 << 64)
