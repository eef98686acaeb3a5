"""Philox4x32-10 and the standard normal, each written once (sim/core/seeds.py says what they are): in operators that
Python's integers and compiled code share. This module imports no compiler; arrays/draws.py compiles it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

ROUNDS: Final = 10
CONSTANTS: Final = (0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85, 0xFFFFFFFF, 32)
"""Two multipliers, two Weyl increments, the mask of 32 bits, and 32: for Python's integers."""
WORDS: Final = tuple(np.uint64(value) for value in CONSTANTS)
"""The same for compiled code, in which a product of uint64 and int64 would be a float."""

_BITS = 10  # choose the interval
_FINE = 31 - _BITS  # bits inside a coarse interval
_FINER = _FINE - _BITS  # bits inside a fine interval
_TAIL = (1 << _BITS) + 1  # where the fine knots begin


def philox(
    k0: Any, k1: Any, c0: Any, c1: Any, c2: Any, c3: Any, constants: Sequence[Any] = CONSTANTS
) -> tuple[Any, Any, Any, Any]:
    """One block of Philox4x32-10: key (k0, k1) and counter (c0 .. c3) of 32 bits each, whole numbers as `constants`."""
    m0, m1, w0, w1, mask, half = constants
    for _ in range(ROUNDS):
        p0, p1 = c0 * m0, c2 * m1
        c0, c1, c2, c3 = (p1 >> half) ^ c1 ^ k0, p1 & mask, (p0 >> half) ^ c3 ^ k1, p0 & mask
        k0, k1 = (k0 + w0) & mask, (k1 + w1) & mask
    return c0, c1, c2, c3


def normal(upper_tail: Any, negative: Any, knots: Any) -> Any:
    """Standard normal, Q16, from 31 bits of upper tail and a sign. The upper ten bits choose the interval and the lower
    21 the place in it. Interval 0 holds the tail beyond 3.3 sigma, where a straight line would be wrong: there the same
    is done once more with the lower 21 bits. `knots`: sim/core/seeds.py."""
    if upper_tail < (1 << _FINE):
        index, place = _TAIL + (upper_tail >> _FINER), (upper_tail & ((1 << _FINER) - 1)) << _BITS
    else:
        index, place = upper_tail >> _FINE, upper_tail & ((1 << _FINE) - 1)
    low = knots[index]
    z = low + (((knots[index + 1] - low) * place) >> _FINE)
    return -z if negative else z


def normal_knots() -> list[int]:
    """2 x 1 025 knots: coarse at v = i << 21, then fine at v = i << 11, where v / 2**32 is the upper tail."""
    from statistics import NormalDist

    inverse, values = NormalDist().inv_cdf, []
    for shift in (_FINE, _FINER):
        for i in range((1 << _BITS) + 1):
            values.append(round(-inverse(max(i << shift, 0.5) / (1 << 32)) * (1 << 16)))
    return values
