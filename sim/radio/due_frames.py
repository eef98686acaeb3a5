"""What the compiled engine plans by itself, number for number the same as elsewhere: the closed form of a meter's
schedule (EN 13757-4, individual interval by access number).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrays.jit import njit


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
