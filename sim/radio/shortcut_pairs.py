"""Frames that meet nobody at a receiver, and those that meet one other, compiled: on most airs nearly all of them.

A frame of the fleet that meets no other frame at a receiver is disturbed by nobody, finds every demodulator free when
it begins and leaves it free when it ends, so it is in range or it is not, and nobody else's fate hangs on it. Two that
meet only each other have each other's power as their peak, and the later one finds the demodulator taken if there is
only one and the earlier one took it. The rule kept here: these are short cuts and never rules of their own; whatever is
left goes through the whole sweep.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrays.draws import first_words, normal_of
from arrays.jit import njit

# flags of an entry
READABLE, IN_RANGE, JAMMER, SECOND_CHANNEL, BUSY = 1, 2, 4, 8, 16
ENTRY_BITS = 24
ENTRY_MASK = np.uint64((1 << ENTRY_BITS) - 1)
ENTRY_SHIFT = np.uint64(ENTRY_BITS)
# columns of an entry
START, END, LEVEL, UNITS, LIMIT, FLAGS, FRAME = range(7)
COLUMNS = 7


@njit(cache=True, nogil=True, error_model="numpy")
def lay_out(
    keys: Any, own: Any, frame_of: Any, base: Any, begin: Any, links: Any, frames: Any, visitors: Any, luck: Any,
    ear: Any, names: Any, sensitivity: Any, words: Any, others: Any, table: Any,
) -> Any:  # fmt: skip
    """All there is to know of the fleet's `own` keys and of the visitors, one a row of `table`; keys name their rows
    from now on. In the order of links, which is the memory's. `words` and `others` are scratch. Returns how many."""
    link_meter, link_duration, link_level, link_flags = links
    fading, key, purpose, knots, powers, lowest, capture, capture_shift = luck
    for i in range(own):
        link = np.uint64(base) + (keys[i] & ENTRY_MASK)
        frame, now = frame_of[i], np.int64(keys[i] >> ENTRY_SHIFT) + begin
        table[i, START], table[i, END] = now, now + link_duration[link]
        table[i, LEVEL], table[i, FLAGS], table[i, FRAME] = link_level[link], link_flags[link], frame
        words[i], others[i] = names[np.uint64(link_meter[link])], frames[2][np.uint64(frame)]
        keys[i] = keys[i] & ~ENTRY_MASK | np.uint64(i)
    n = own
    for row in range(len(visitors)):
        for column in range(COLUMNS):
            table[n, column] = visitors[row, column + 1]
        keys[n] = np.uint64(visitors[row, 1] - begin) << ENTRY_SHIFT | np.uint64(n)
        n += 1
    if fading or len(capture) > 1:
        k0, k1 = key & np.uint64(0xFFFFFFFF), key >> np.uint64(32)
        for i in range(own):  # apart from the rest, so that the compiler draws eight at once
            words[i], others[i] = first_words(k0, k1, purpose, words[i], others[i], ear)
    for i in range(own):
        level = table[i, LEVEL]
        if fading:
            level += (fading * normal_of(words[i], knots) + 32768) >> 16
            table[i, LEVEL] = level
            table[i, FLAGS] |= IN_RANGE * (level >= sensitivity)
        threshold = capture[others[i] >> capture_shift] if len(capture) > 1 else capture[0]
        table[i, UNITS] = powers[np.uint64(min(max(level, lowest), 0) - lowest)]
        table[i, LIMIT] = powers[np.uint64(min(max(level - threshold, lowest), 0) - lowest)]
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def take_small(
    order: Any, n: Any, own: Any, table: Any, rest: Any, until: Any, taken_until: Any, places: Any, counted: Any,
    heard: Any, tally: Any, receiver: Any, detail: Any, told: Any, telling: Any,
) -> Any:  # fmt: skip
    """Settle who is alone or one of two, of the fleet's (the first `own` rows of `table`). Rows that are left go into
    `rest`, in order; returns how many, and how many rows of `detail` are filled: where `telling`, one more for each
    received. `taken_until`: when what was carried in ends."""
    left = 0
    last = taken_until
    i = 0
    while i < n:
        row = np.int64(order[i] & ENTRY_MASK)
        free, small = last <= table[row, START], row < own
        last = max(last, table[row, END])
        j = i + 1
        while j < n:
            other = np.int64(order[j] & ENTRY_MASK)
            if table[other, START] >= last:
                break
            small &= other < own
            last = max(last, table[other, END])
            j += 1
        if not (free and small and j - i <= 2 and last < until):
            for at in range(i, j):
                rest[left] = np.int64(order[at] & ENTRY_MASK)
                left += 1
        elif counted:
            taken = False
            for at in range(i, j):
                row, other = np.int64(order[at] & ENTRY_MASK), np.int64(order[i + j - 1 - at] & ENTRY_MASK)
                flags = table[row, FLAGS]
                if flags & READABLE == 0:
                    continue
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
                    if telling:
                        detail[told, 0], detail[told, 1], detail[told, 2] = table[row, FRAME], receiver, fate
                        detail[told, 3] = table[row, LEVEL]
                        told += 1
        i = j
    return left, told
