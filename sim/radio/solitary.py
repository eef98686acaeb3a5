"""Frames that have the air to themselves at a receiver, compiled: on most airs nearly all of them.

A frame of the fleet that meets no other frame at a receiver is disturbed by nobody, finds every demodulator free when
it begins and leaves it free when it ends, so it is in range or it is not, and nobody else's fate hangs on it. The rule
kept here: this is a short cut and never a rule of its own; whatever it leaves in `order` goes through the whole sweep.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from sim.radio.compiled import first_words, normal_of

# flags of an entry
READABLE, IN_RANGE, JAMMER, SECOND_CHANNEL, BUSY = 1, 2, 4, 8, 16
ENTRY_BITS = 24
ENTRY_MASK = np.uint64((1 << ENTRY_BITS) - 1)
ENTRY_SHIFT = np.uint64(ENTRY_BITS)


@numba.njit(cache=True, error_model="numpy")
def draw(
    order: Any, n: Any, r: Any, base: Any, fleet: Any, link_meter: Any, first: Any, frame_start: Any, frame_k: Any,
    begin: Any, k0: Any, k1: Any, purpose: Any, names: Any, words: Any, numbers: Any,
) -> None:  # fmt: skip
    """The fading words of sorted entries; apart from the rest, so that the compiler draws eight at once."""
    for i in range(n):
        entry = np.int64(order[i] & ENTRY_MASK)
        words[i] = numbers[i] = 0
        if entry < fleet:
            meter = link_meter[base + entry]
            frame = first[meter]
            if first[meter + 1] > frame + 1:
                while frame_start[frame] != np.int64(order[i] >> ENTRY_SHIFT) + begin:
                    frame += 1
            words[i] = names[meter]
            numbers[i] = frame_k[frame]
    receiver = np.uint64(r)
    for i in range(n):
        words[i] = first_words(k0, k1, purpose, words[i], numbers[i], receiver)[0]


@numba.njit(cache=True, error_model="numpy")
def take_solitary(
    order: Any, n: Any, base: Any, fleet: Any, link_meter: Any, link_duration: Any, link_level: Any, link_flags: Any,
    first: Any, frame_start: Any, extra: Any, ex_base: Any, begin: Any, until: Any, taken_until: Any,
    fading: Any, words: Any, knots: Any, sensitivity: Any, counted: Any, heard: Any, tally: Any,
) -> Any:  # fmt: skip
    """Settle them; the others stay in `order`. Returns how many stay. `taken_until`: when what was carried in ends."""
    left = received = weak = 0
    order[n] = np.uint64(0xFFFFFFFFFFFFFFFF)
    last = taken_until - begin
    room = until - begin
    for i in range(n):
        packed = order[i]
        now = np.int64(packed >> ENTRY_SHIFT)
        entry = np.int64(packed & ENTRY_MASK)
        if entry >= fleet:
            end = extra[ex_base + entry - fleet, 2] - begin
        else:
            end = now + link_duration[base + entry]
            if last <= now and end <= np.int64(order[i + 1] >> ENTRY_SHIFT) and end < room:
                flags = link_flags[base + entry]
                meter = link_meter[base + entry]
                name = first[meter]
                if first[meter + 1] > name + 1:
                    while frame_start[name] != now + begin:
                        name += 1
                if fading:
                    faded = link_level[base + entry] + ((fading * normal_of(words[i], knots) + 32768) >> 16)
                    good = faded >= sensitivity
                else:
                    good = flags & IN_RANGE != 0
                if counted and flags & READABLE:
                    if good:
                        received += 1
                        heard[name] = 1
                    else:
                        weak += 1
                last = end
                continue
        order[left] = packed
        left += 1
        last = max(last, end)
    tally[0] += received
    tally[2] += weak
    return left
