"""Small loops over a window's frames, compiled: what was heard, row by row, and its name in the digest.

A digest is the sum, modulo 2**64, of SplitMix64's finaliser over what each row is; so it depends on no order, and the
digests of shards add up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arrays.draws import mixed_word
from arrays.jit import njit
from sim.radio.sweep_arrays import Frames

I64 = NDArray[np.int64]


@njit(cache=True, error_model="numpy")
def pick(
    frames: Frames, heard: NDArray[np.uint8], own: NDArray[np.bool_], names: I64, meter_out: I64, k_out: I64
) -> tuple[np.int64, int, np.uint64]:
    """Heard frames of own meters into meter_out and k_out, which have room for all frames; (how many, frames of own
    meters, digest)."""
    first, k = frames.first, frames.k
    count, sent, digest = np.uint64(0), 0, np.uint64(0)
    for meter in range(len(own)):
        if own[meter]:
            low, high = first[meter], first[meter + 1]
            sent += high - low
            for frame in range(low, high):  # written in any case, then kept or not
                meter_out[count], k_out[count] = meter, k[frame]
                count += np.uint64(heard[frame] != 0)
    for at in range(count):
        digest += mixed_word((np.uint64(names[np.uint64(meter_out[at])]) << np.uint64(32)) | np.uint64(k_out[at]))
    return np.int64(count), sent, digest
