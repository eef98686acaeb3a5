"""What the compiled engine draws and plans by itself, number for number the same as elsewhere: Philox and the normal
table of sim/seeds.py, and the closed form of a meter's schedule (EN 13757-4, individual interval by access number).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from sim.seeds import MULTIPLIER_0, MULTIPLIER_1, WEYL_0, WEYL_1

_M0, _M1 = np.uint64(MULTIPLIER_0), np.uint64(MULTIPLIER_1)
_W0, _W1 = np.uint64(WEYL_0), np.uint64(WEYL_1)
_MASK, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)

@numba.njit(inline="always")
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


@numba.njit(inline="always")
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


@numba.njit(cache=True, error_model="numpy")
def due(
    t0: Any, period: Any, acc0: Any, prefix: Any, begin: Any, end: Any, again: Any, following: Any,
    first: Any, start: Any, k: Any,
) -> Any:  # fmt: skip
    """Frames that begin in [begin, end), by meter and k, in closed form:

        start(k) = t0 + k period + (P[a0 + k & 255] - P[a0]) period / 2048

    Fills first (n + 1), start, k; returns how many there are, -1 if they do not fit. `following[m]` becomes the next k;
    with `again`, the window before this one left it there, which saves the division.
    """
    count = 0
    for meter in range(len(t0)):
        first[meter] = count
        t, p, a = t0[meter], period[meter], acc0[meter]
        base = prefix[a]
        if again:
            number = following[meter]
        else:
            number = (begin - t) // p
            number = max(number - ((prefix[(a + number) & 255] - base + 1024) >> 11) - 1, 0)
        at = t + number * p + (((prefix[(a + number) & 255] - base) * p) >> 11)
        while at < begin:
            number += 1
            at = t + number * p + (((prefix[(a + number) & 255] - base) * p) >> 11)
        while at < end:
            if count == len(start):
                return -1
            start[count] = at
            k[count] = number
            count += 1
            number += 1
            at = t + number * p + (((prefix[(a + number) & 255] - base) * p) >> 11)
        following[meter] = number
    first[len(t0)] = count
    return count
