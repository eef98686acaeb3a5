"""What the compiled engine draws and plans by itself, number for number the same as elsewhere: Philox and the normal
table of sim/core/seeds.py, and the closed form of a meter's schedule (EN 13757-4, individual interval by access
number).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrays.jit import njit
from sim.core.seeds import MULTIPLIER_0, MULTIPLIER_1, WEYL_0, WEYL_1

_M0, _M1 = np.uint64(MULTIPLIER_0), np.uint64(MULTIPLIER_1)
_W0, _W1 = np.uint64(WEYL_0), np.uint64(WEYL_1)
_MASK, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)

@njit(inline="always")
def first_words(k0: Any, k1: Any, c0: Any, c1: Any, c2: Any, c3: Any) -> Any:
    """Words 0 and 1 of a Philox4x32-10 block."""
    for _ in range(10):
        p0 = c0 * _M0
        p1 = c2 * _M1
        c0 = (p1 >> _HALF) ^ c1 ^ k0
        c2 = (p0 >> _HALF) ^ c3 ^ k1
        c1 = p1 & _MASK
        c3 = p0 & _MASK
        k0 = (k0 + _W0) & _MASK
        k1 = (k1 + _W1) & _MASK
    return c0, c1


@njit(inline="always")
def normal_of(word: Any, knots: Any) -> Any:
    """seeds.normal_of for one word."""
    v = np.int64(word & np.uint64(0x7FFFFFFF))
    if v < (1 << 21):
        index = 1025 + (v >> 11)
        place = (v & 2047) << 10
    else:
        index = v >> 21
        place = v & 2097151
    low = knots[index]
    z = low + (((knots[index + 1] - low) * place) >> 21)
    return -z if word >> np.uint64(31) != 0 else z


@njit(cache=True, nogil=True, error_model="numpy")
def due(
    t0: Any, period: Any, acc0: Any, prefix: Any, end: Any, number: Any, upcoming: Any, first: Any, start: Any, k: Any,
) -> Any:  # fmt: skip
    """Frames that begin before `end` and did not before the last call's, by meter and k, in closed form:

        start(k) = t0 + k period + (P[a0 + k & 255] - P[a0]) period / 2048

    Fills first (n + 1), start, k, which must have room for all and one more; returns how many there are. `number[m]` is
    the next k and `upcoming[m]` its start: to begin with, 0 and t0.
    """
    count, one = np.uint64(0), np.uint64(1)
    for meter in range(len(t0)):
        first[meter] = count
        at = upcoming[meter]
        if at >= end:
            continue
        t, p, a, this = t0[meter], period[meter], np.int64(acc0[meter]), number[meter]
        base = prefix[np.uint64(a)]
        while at < end:
            start[count] = at
            k[count] = this
            count += one
            this += 1
            at = t + this * p + (((prefix[np.uint64((a + this) & 255)] - base) * p) >> 11)
        upcoming[meter] = at
        number[meter] = this
    first[len(t0)] = count
    return np.int64(count)
