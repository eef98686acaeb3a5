"""Many draws at once, compiled: the same numbers as sim/core/seeds.py makes by numpy, held to them by a test.

Imported only where numba is installed; sim/core/seeds.py says when it is worth it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrays.jit import njit

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_MASK, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


@njit(cache=True, nogil=True)
def blocks(seed: Any, number: Any, a: Any, b: Any, c: Any, out: Any) -> None:
    """Philox4x32-10 of (number, a[i], b, c) into `out` (n, 4)."""
    for row in range(len(out)):
        c0, c1, c2, c3 = number, a[row], b, c
        k0, k1 = seed & _MASK, seed >> _HALF
        for _ in range(10):
            p0, p1 = c0 * _M0, c2 * _M1
            c0, c1, c2, c3 = p1 >> _HALF ^ c1 ^ k0, p1 & _MASK, p0 >> _HALF ^ c3 ^ k1, p0 & _MASK
            k0, k1 = k0 + _W0 & _MASK, k1 + _W1 & _MASK
        out[row, 0], out[row, 1], out[row, 2], out[row, 3] = c0, c1, c2, c3


@njit(cache=True, nogil=True)
def normals(words: Any, knots: Any, out: Any) -> None:
    """seeds.normal_of of each word."""
    for row in range(len(words)):
        word = words[row]
        v = np.int64(word & np.uint32(0x7FFFFFFF))
        if v < 1 << 21:
            index, place = 1_025 + (v >> 11), (v & 2_047) << 10
        else:
            index, place = v >> 21, v & 2_097_151
        low = knots[index]
        z = low + ((knots[index + 1] - low) * place >> 21)
        out[row] = -z if word >> np.uint32(31) else z
