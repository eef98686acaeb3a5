"""The links of a large site, compiled: the integers of propagation.py once more, held to them by a test.

Meters go through in boxes of neighbours. A box first leaves out the receivers that nobody in it could reach, a meter
those beyond the distance that even the strongest shadowing could bridge. What is left draws its shadowing; the draw's
first bits say how far it can reach, so that few pairs are left to be worked out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.radio.due_frames import first_words, normal_of
from sim.radio.propagation import LOG10, OCTAVE

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

_Q, _BITS = 24, 12
DRAW_BITS = 6
_BOX = 400  # meters; a block's


@njit(cache=True, nogil=True, error_model="numpy")
def log10_q24(value: int) -> int:
    """propagation.log10_q24 of one number."""
    exponent, rest = 1, value
    for step in (32, 16, 8, 4, 2, 1):
        high = rest >> step
        exponent += step * (high > 0)
        rest = high if high > 0 else rest
    place = (value << (53 - exponent)) - (np.int64(1) << 52)
    index = place >> (52 - _BITS)
    within = (place >> (52 - _BITS - 20)) & ((1 << 20) - 1)
    low = LOG10[index]
    result: int = low + (((LOG10[index + 1] - low) * within) >> 20) + OCTAVE[exponent - 1]
    return result


class Sources(NamedTuple):
    """Places (n, 3) in centimetres, power in 1/100 dBm, link mode, and the number of each place."""

    place_cm: I64
    power_cdbm: I64
    mode: I64
    place_id: U64


class Sinks(NamedTuple):
    """Receivers: places (m, 3); the lowest level that is a link; `hears[r, mode]`; and the number of each place."""

    place_cm: I64
    need_cdbm: I64
    hears: NDArray[np.bool_]
    place_id: U64


class Loss(NamedTuple):
    """Path loss in 1/100 dB. `widest_cm2[f, b]`: the longest square distance, through f floors and with a draw that
    begins with the bits b, that could be a link; its last column is the longest of a row."""

    slope_cdb: int
    floor_cdb: int
    floor_cm: int
    fixed_cdb: int
    shadowing_cdb: int
    key: np.uint64
    purpose: np.uint64
    knots: I64
    widest_cm2: I64


@njit(cache=True, nogil=True, error_model="numpy")
def search(sources: Sources, sinks: Sinks, loss: Loss, count: I64, receiver: I64, level_cdbm: I64) -> int:
    """Links into `receiver` and `level_cdbm`, how many a source into `count`; returns how many, -1 if they do not
    fit."""
    here, there, need = sources.place_cm, sinks.place_cm, sinks.need_cdbm
    here_id, there_id, widest, sigma = sources.place_id, sinks.place_id, loss.widest_cm2, loss.shadowing_cdb
    slope, floor, floor_cm, purpose = loss.slope_cdb, loss.floor_cdb, loss.floor_cm, loss.purpose
    k0, k1 = loss.key & np.uint64(0xFFFFFFFF), loss.key >> np.uint64(32)
    receivers = len(there)
    near = np.empty((4, receivers), dtype=np.int64)  # x, y, z, which
    storeys = there[:, 2] // floor_cm
    some, square = np.empty(receivers, dtype=np.int64), np.empty(receivers, dtype=np.int64)
    low_id, high_id = np.empty(receivers, dtype=np.uint64), np.empty(receivers, dtype=np.uint64)
    most, strongest = len(widest) - 1, widest.shape[1] - 1
    farthest = widest[0, strongest]
    far = np.int64(np.sqrt(float(farthest))) + 1
    made = 0
    for first in range(0, len(here), _BOX):
        last = min(first + _BOX, len(here))
        west, east, south, north = here[first, 0], here[first, 0], here[first, 1], here[first, 1]
        for i in range(first + 1, last):
            west, east = min(west, here[i, 0]), max(east, here[i, 0])
            south, north = min(south, here[i, 1]), max(north, here[i, 1])
        beside = 0
        for r in range(receivers):
            x, y = there[r, 0], there[r, 1]
            if west - far <= x <= east + far and south - far <= y <= north + far:
                near[0, beside], near[1, beside], near[2, beside], near[3, beside] = x, y, there[r, 2], r
                beside += 1
        if made + beside * (last - first) > len(receiver):
            return -1
        for i in range(first, last):
            x, y, z = here[i, 0], here[i, 1], here[i, 2]
            storey = z // floor_cm
            candidates = 0
            for j in range(beside):
                dx, dy, dz = x - near[0, j], y - near[1, j], z - near[2, j]
                apart = dx * dx + dy * dy + dz * dz
                some[candidates], square[candidates] = j, apart
                candidates += (apart <= farthest) & (apart > 0)
            kept = 0
            for c in range(candidates):
                r = near[3, some[c]]
                floors = abs(storey - storeys[r])
                some[kept], square[kept] = r, square[c]
                low_id[kept], high_id[kept] = min(here_id[i], there_id[r]), max(here_id[i], there_id[r])
                kept += (square[c] <= widest[min(floors, most), strongest]) & sinks.hears[r, sources.mode[i]]
            if sigma:
                for c in range(kept):  # apart from the rest, so that the compiler draws eight at once
                    low_id[c] = first_words(k0, k1, purpose, low_id[c], high_id[c], np.uint64(0))[0]
                candidates, kept = kept, 0
                for c in range(candidates):
                    r, word = some[c], low_id[c]
                    floors = abs(storey - storeys[r])
                    some[kept], square[kept], low_id[kept] = r, square[c], word
                    kept += square[kept] <= widest[min(floors, most), word >> np.uint64(32 - DRAW_BITS)]
            before = made
            for c in range(kept):
                r = some[c]
                distance = (slope * (log10_q24(max(square[c], 10_000)) - (4 << _Q)) + (1 << _Q)) >> (_Q + 1)
                level = sources.power_cdbm[i] - loss.fixed_cdb - distance - abs(storey - storeys[r]) * floor
                if sigma:
                    level -= (sigma * normal_of(low_id[c], loss.knots) + 32768) >> 16
                receiver[made], level_cdbm[made] = r, level
                made += level >= need[r]
            count[i] = made - before
    return made
