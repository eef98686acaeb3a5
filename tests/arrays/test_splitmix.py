"""The finaliser against published numbers, and compiled against itself."""

from __future__ import annotations

import numpy as np

from arrays.draws import mixed_word
from arrays.jit import njit
from arrays.splitmix import GOLDEN, mixed

# The first outputs of SplitMix64 with state 1234567 (the generator's published test vector).
KNOWN = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]


def test_the_published_sequence() -> None:
    states = np.uint64(1234567) + GOLDEN * np.arange(1, 6, dtype=np.uint64)
    assert mixed(states).tolist() == KNOWN


def test_compiled_code_takes_the_same_source() -> None:
    @njit()
    def each(words: np.ndarray, out: np.ndarray) -> None:
        for row in range(len(words)):
            out[row] = mixed_word(words[row])

    words = np.random.default_rng(1).integers(0, 1 << 64, 1_000, dtype=np.uint64)
    made = np.empty_like(words)
    each(words, made)
    assert np.array_equal(made, mixed(words))
