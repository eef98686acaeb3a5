"""The links of one box of meters, pair by pair and compiled: the integers of propagation.py once more, held to them by
a test. Distance first, which decides most pairs, then floors, then the draw of the shadowing.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from sim.radio.compiled import first_words, normal_of
from sim.radio.propagation import LOG10, OCTAVE

_Q, _BITS = 24, 12


@numba.njit(cache=True, error_model="numpy")
def log10_q24(value: Any) -> Any:
    """propagation.log10_q24 of one number."""
    exponent, rest = 0, value
    while rest:
        exponent += 1
        rest >>= 1
    place = (value << (53 - exponent)) - (np.int64(1) << 52)
    index = place >> (52 - _BITS)
    within = (place >> (52 - _BITS - 20)) & ((1 << 20) - 1)
    low = LOG10[index]
    return low + (((LOG10[index + 1] - low) * within) >> 20) + OCTAVE[exponent - 1]


@numba.njit(cache=True, error_model="numpy")
def box(
    here: Any, power: Any, hears: Any, here_id: Any, there: Any, need: Any, there_id: Any, near: Any, far_square: Any,
    slope: Any, floor: Any, floor_cm: Any, fixed: Any, sigma: Any, luckiest: Any, key: Any, purpose: Any, knots: Any,
    count: Any, receiver: Any, level_out: Any,
) -> Any:  # fmt: skip
    """Links into `receiver` and `level_out`, how many a meter into `count`; returns how many. `hears[i, j]`: meter i is
    on a channel that near[j] listens to; `need`: the lowest level that is a link."""
    k0, k1 = key & np.uint64(0xFFFFFFFF), key >> np.uint64(32)
    made = 0
    for i in range(len(here)):
        x, y, z = here[i, 0], here[i, 1], here[i, 2]
        before = made
        for j in range(len(near)):
            r = near[j]
            dx, dy, dz = x - there[r, 0], y - there[r, 1], z - there[r, 2]
            square = dx * dx + dy * dy + dz * dz
            if square > far_square or square == 0 or not hears[i, j]:
                continue
            distance = (slope * (log10_q24(max(square, 10_000)) - (4 << _Q)) + (1 << _Q)) >> (_Q + 1)
            level = power[i] - fixed - distance - abs(z // floor_cm - there[r, 2] // floor_cm) * floor
            if sigma:
                if level < need[r] - luckiest:
                    continue
                a, b = min(here_id[i], there_id[r]), max(here_id[i], there_id[r])
                word = first_words(k0, k1, purpose, a, b, np.uint64(0))[0]
                level -= (sigma * normal_of(word, knots) + 32768) >> 16
            if level >= need[r]:
                receiver[made] = r
                level_out[made] = level
                made += 1
        count[i] = made - before
    return made
