"""The links of a large site, compiled: the integers of propagation.py once more, held to them by a test.

Meters go through in boxes of neighbours. A box first leaves out the receivers out of reach of all of them, a meter
those beyond the distance that even the strongest shadowing could bridge. What is left draws its shadowing; the draw's
first bits say how far it can reach, so that few pairs are left to be worked out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays.draws import first_words, normal_of
from arrays.jit import njit
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
    """Receivers: places (m, 3); the lowest level that is a link; `hears[r, mode]`, readable or not; `reads[r, mode]`;
    and the number of each place."""

    place_cm: I64
    need_cdbm: I64
    hears: NDArray[np.bool_]
    reads: NDArray[np.bool_]
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


class Found(NamedTuple):
    """Links by source, then receiver: filled by the search. `number[i]`: how many source i has."""

    number: I64
    receiver: I64
    level_cdbm: I64
    readable: NDArray[np.bool_]


@njit(cache=True, nogil=True, error_model="numpy")
def limits_of(storey: int, mode: int, which: I64, storeys: I64, sinks: Sinks, widest: I64, limit: I64) -> None:
    """The longest square distance at which each of these receivers may hear a source; -1: at none."""
    most, strongest = len(widest) - 1, widest.shape[1] - 1
    for j in range(len(which)):
        r = which[j]
        limit[j] = widest[min(abs(storey - storeys[r]), most), strongest] if sinks.hears[r, mode] else -1


@njit(cache=True, nogil=True, error_model="numpy")
def search(sources: Sources, sinks: Sinks, loss: Loss, found: Found) -> int:
    """Returns how many links are found, -1 if they do not fit."""
    here, there, widest = sources.place_cm, sinks.place_cm, loss.widest_cm2
    k0, k1 = loss.key & np.uint64(0xFFFFFFFF), loss.key >> np.uint64(32)
    receivers = len(there)
    x_at, y_at, z_at, which = np.empty((4, receivers), dtype=np.int64)
    storeys = there[:, 2] // loss.floor_cm
    some, square, limit = np.empty((3, receivers), dtype=np.int64)
    low_id, high_id = np.empty((2, receivers), dtype=np.uint64)
    most, strongest = len(widest) - 1, widest.shape[1] - 1
    farthest, made = widest[0, strongest], 0
    for first in range(0, len(here), _BOX):
        last = min(first + _BOX, len(here))
        west, east, south, north = here[first, 0], here[first, 0], here[first, 1], here[first, 1]
        for i in range(first + 1, last):
            west, east = min(west, here[i, 0]), max(east, here[i, 0])
            south, north = min(south, here[i, 1]), max(north, here[i, 1])
        beside = 0
        for r in range(receivers):
            x, y = there[r, 0], there[r, 1]
            dx, dy = max(west - x, x - east, 0), max(south - y, y - north, 0)
            x_at[beside], y_at[beside], z_at[beside], which[beside] = x, y, there[r, 2], r
            beside += dx * dx + dy * dy <= farthest
        if made + beside * (last - first) > len(found.receiver):
            return -1
        storey, mode = -1, -1
        for i in range(first, last):
            x, y, z = here[i, 0], here[i, 1], here[i, 2]
            if z // loss.floor_cm != storey or sources.mode[i] != mode:
                storey, mode = z // loss.floor_cm, sources.mode[i]
                limits_of(storey, mode, which[:beside], storeys, sinks, widest, limit)
            candidates = 0
            for j in range(beside):
                dx, dy, dz = x - x_at[j], y - y_at[j], z - z_at[j]
                apart = dx * dx + dy * dy + dz * dz
                some[candidates], square[candidates] = which[j], apart
                candidates += (apart <= limit[j]) & (apart > 0)
            kept = candidates
            if loss.shadowing_cdb:
                mine = sources.place_id[i]
                for c in range(candidates):
                    its = sinks.place_id[some[c]]
                    low_id[c], high_id[c] = min(mine, its), max(mine, its)
                for c in range(candidates):  # apart from the rest, so that the compiler draws eight at once
                    low_id[c] = first_words(k0, k1, loss.purpose, low_id[c], high_id[c], np.uint64(0))[0]
                kept = 0
                for c in range(candidates):
                    r, word = some[c], low_id[c]
                    floors = abs(storey - storeys[r])
                    some[kept], square[kept], low_id[kept] = r, square[c], word
                    kept += square[kept] <= widest[min(floors, most), word >> np.uint64(32 - DRAW_BITS)]
            before = made
            for c in range(kept):
                r = some[c]
                decades = log10_q24(max(square[c], 10_000)) - (4 << _Q)
                distance = (loss.slope_cdb * decades + (1 << _Q)) >> (_Q + 1)
                floors = abs(storey - storeys[r])
                level = sources.power_cdbm[i] - loss.fixed_cdb - distance - floors * loss.floor_cdb
                if loss.shadowing_cdb:
                    level -= (loss.shadowing_cdb * normal_of(low_id[c], loss.knots) + 32768) >> 16
                found.receiver[made], found.level_cdbm[made], found.readable[made] = r, level, sinks.reads[r, mode]
                made += level >= sinks.need_cdbm[r]
            found.number[i] = made - before
    return made
