"""Frames that meet nobody at a receiver, and those that meet one other, compiled: on most airs nearly all of them.

A frame of the fleet that meets no other frame at a receiver is disturbed by nobody, finds every demodulator free when
it begins and leaves it free when it ends, so it is in range or it is not, and nobody else's fate hangs on it. Two that
meet only each other have each other's power as their peak, and the later one finds the demodulator taken if there is
only one and the earlier one took it. The rule kept here: these are short cuts and never rules of their own; whatever is
left goes through the whole sweep.
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
# columns of an entry
START, END, LEVEL, UNITS, LIMIT, FLAGS, FRAME = range(7)
COLUMNS = 7


@numba.njit(cache=True, nogil=True, error_model="numpy")
def lay_out(
    order: Any, n: Any, begin: Any, fleet: Any, base: Any, links: Any, frames: Any, extra: Any, ex_base: Any,
    luck: Any, ear: Any, names: Any, sensitivity: Any, words: Any, others: Any, table: Any,
) -> None:  # fmt: skip
    """All there is to know of sorted entries, one a row of `table`. `words` and `others` are scratch."""
    link_meter, link_duration, link_level, link_flags = links
    first, frame_start, frame_k = frames
    fading, key, purpose, knots, powers, lowest, capture, capture_shift = luck
    for i in range(n):
        entry = np.int64(order[i] & ENTRY_MASK)
        now = np.int64(order[i] >> ENTRY_SHIFT) + begin
        table[i, START] = now
        words[i] = others[i] = 0
        if entry >= fleet:
            for column in range(END, COLUMNS):
                table[i, column] = extra[ex_base + entry - fleet, column + 1]
            continue
        link = base + entry
        meter = link_meter[link]
        frame = first[meter]
        while frame_start[frame] != now:
            frame += 1
        table[i, END] = now + link_duration[link]
        table[i, LEVEL], table[i, FLAGS], table[i, FRAME] = link_level[link], link_flags[link], frame
        words[i], others[i] = names[meter], frame_k[frame]
    if fading or len(capture) > 1:
        k0, k1 = key & np.uint64(0xFFFFFFFF), key >> np.uint64(32)
        for i in range(n):  # apart from the rest, so that the compiler draws eight at once
            words[i], others[i] = first_words(k0, k1, purpose, words[i], others[i], ear)
    for i in range(n):
        if np.int64(order[i] & ENTRY_MASK) < fleet:
            level = table[i, LEVEL]
            if fading:
                level += (fading * normal_of(words[i], knots) + 32768) >> 16
                table[i, LEVEL] = level
                table[i, FLAGS] |= IN_RANGE * (level >= sensitivity)
            threshold = capture[others[i] >> capture_shift] if len(capture) > 1 else capture[0]
            table[i, UNITS] = powers[np.uint64(min(max(level, lowest), 0) - lowest)]
            table[i, LIMIT] = powers[np.uint64(min(max(level - threshold, lowest), 0) - lowest)]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def take_small(
    order: Any, n: Any, fleet: Any, table: Any, rest: Any, until: Any, taken_until: Any, places: Any, counted: Any,
    heard: Any, tally: Any,
) -> Any:  # fmt: skip
    """Settle who is alone or one of two. Rows of `table` that are left go into `rest`; returns how many.
    `taken_until`: when what was carried in ends."""
    left = 0
    last = taken_until
    i = 0
    while i < n:
        free = last <= table[i, START]
        last = max(last, table[i, END])
        j = i + 1
        while j < n and table[j, START] < last:
            last = max(last, table[j, END])
            j += 1
        small = free and j - i <= 2 and last < until
        for row in range(i, j):
            small = small and np.int64(order[row] & ENTRY_MASK) < fleet
        if not small:
            for row in range(i, j):
                rest[left] = row
                left += 1
        elif counted:
            taken = False
            for row in range(i, j):
                flags = table[row, FLAGS]
                if flags & READABLE == 0:
                    continue
                other = i + j - 1 - row
                meets = row != other and (flags ^ table[other, FLAGS]) & SECOND_CHANNEL == 0
                if flags & IN_RANGE == 0:
                    fate = 2
                elif taken:
                    fate = 3
                else:
                    fate = 5 if meets and table[other, UNITS] > table[row, LIMIT] else 0
                    taken = places == 1
                tally[fate] += 1
                if fate == 0:
                    heard[table[row, FRAME]] = 1
        i = j
    return left
