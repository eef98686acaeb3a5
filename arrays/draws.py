"""Many draws at once, compiled: arrays/philox.py over arrays, and for other compiled loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from arrays.philox import WORDS, normal, philox
from arrays.splitmix import mixed

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
_MASK, _HALF, _SIGN = WORDS[4], WORDS[5], np.uint64(31)
_UPPER_TAIL = np.uint64(0x7FFFFFFF)

mixed_word = njit(inline="always")(mixed)
_philox = njit(inline="always")(philox)
_normal = njit(inline="always")(normal)


@njit(inline="always")
def first_words(
    k0: np.uint64, k1: np.uint64, c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Words 0 and 1 of a Philox4x32-10 block."""
    w0, w1, _, _ = _philox(k0, k1, c0, c1, c2, c3, WORDS)
    return w0, w1


@njit(inline="always")
def normal_of(word: np.uint64, knots: I64) -> np.int64:
    """Standard normal, Q16, from a 32-bit word."""
    z: np.int64 = _normal(np.int64(word & _UPPER_TAIL), word >> _SIGN != np.uint64(0), knots)
    return z


@njit(nogil=True)
def blocks(seed: np.uint64, number: np.uint64, a: U64, b: U64, c: U64, out: NDArray[np.uint32]) -> None:
    """Philox4x32-10 of (number, a[i], b[i], c[i]) into `out` (n, 4); where `b` or `c` holds one word, it is used for
    all."""
    b_step, c_step = int(len(b) > 1), int(len(c) > 1)
    for row in range(len(out)):
        words = _philox(seed & _MASK, seed >> _HALF, number, a[row], b[b_step * row], c[c_step * row], WORDS)
        out[row, 0], out[row, 1], out[row, 2], out[row, 3] = words


@njit(nogil=True)
def normals(words: U64, knots: I64, out: I64) -> None:
    """`normal_of` of each word (n,) into `out` (n,)."""
    for row in range(len(words)):
        out[row] = normal_of(words[row], knots)
