"""What the compiled engine plans by itself, number for number the same as elsewhere: the closed form of a meter's
schedule (EN 13757-4, individual interval by access number).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.radio.sweep_arrays import Frames

I64 = NDArray[np.int64]


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
