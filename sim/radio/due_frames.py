"""What the compiled engine draws and plans by itself, number for number the same as elsewhere: Philox and the normal
table of sim/core/seeds.py, and the closed form of a meter's schedule (EN 13757-4, individual interval by access
number).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.core.seeds import MULTIPLIER_0, MULTIPLIER_1, WEYL_0, WEYL_1
from sim.radio.sweep_arrays import Frames

I64 = NDArray[np.int64]
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


class SendingTimes(NamedTuple):
    """One entry a meter: the closed form's constants, and its next frame: `number` is the next k, `next_ns` its start
    (to begin with, 0 and t0). `prefix`: the sums P of sim/meters/sending_times.py."""

    t0_ns: I64
    period_ns: I64
    acc0: NDArray[np.integer]
    prefix: I64
    number: I64
    next_ns: I64


@njit(cache=True, nogil=True, error_model="numpy")
def due(meters: SendingTimes, until_ns: int, frames: Frames) -> np.int64:
    """Frames that begin before an instant and did not before the last call's, by meter and k, in closed form:

        start(k) = t0 + k period + (P[a0 + k & 255] - P[a0]) period / 2048

    Fills `frames`, which must have room for all and one more; returns how many there are.
    """
    prefix, start_ns, ks = meters.prefix, frames.start_ns, frames.k
    count, one = np.uint64(0), np.uint64(1)
    for meter in range(len(meters.t0_ns)):
        frames.first[meter] = count
        at = meters.next_ns[meter]
        if at >= until_ns:
            continue
        t0, period, k = meters.t0_ns[meter], meters.period_ns[meter], meters.number[meter]
        acc = np.int64(meters.acc0[meter])
        base = prefix[np.uint64(acc)]
        while at < until_ns:
            start_ns[count], ks[count] = at, k
            count += one
            k += 1
            at = t0 + k * period + (((prefix[np.uint64((acc + k) & 255)] - base) * period) >> 11)
        meters.next_ns[meter], meters.number[meter] = at, k
    frames.first[len(meters.t0_ns)] = count
    return np.int64(count)
