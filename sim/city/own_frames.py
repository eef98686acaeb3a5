"""Small loops over a window's frames, compiled: what was heard, row by row, and its name in the digest.

A digest is the sum, modulo 2**64, of SplitMix64's finaliser over what each row is; so it depends on no order, and the
digests of shards add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrays.draws import mixed_word
from arrays.jit import njit


@njit(cache=True, error_model="numpy")
def pick(first: Any, k: Any, heard: Any, own: Any, names: Any, meter_out: Any, k_out: Any) -> Any:
    """Heard frames of own meters into meter_out and k_out; (how many, frames of own meters, digest)."""
    count, sent, digest = 0, 0, np.uint64(0)
    for meter in range(len(own)):
        if own[meter]:
            low, high = first[meter], first[meter + 1]
            sent += high - low
            for frame in range(low, high):
                if heard[frame]:
                    meter_out[count], k_out[count] = meter, k[frame]
                    digest += mixed_word((np.uint64(names[meter]) << np.uint64(32)) | np.uint64(k[frame]))
                    count += 1
    return count, sent, digest
