"""Frames that are far from all others at a receiver, compiled: settled before anything is sorted.

Time is cut into cells no shorter than the longest frame, so a frame touches one cell or two. A frame that is alone in
its cells meets nobody, and what solitary.py says of such frames holds: nobody's fate hangs on it. So most frames of an
air with some room are settled with two bytes of a table, and only the others need an order. The rule kept here: this is
a short cut and never a rule of its own; whoever shares a cell stays in `keys`.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from sim.radio.compiled import first_words, normal_of
from sim.radio.solitary import ENTRY_MASK, ENTRY_SHIFT, IN_RANGE, READABLE

MOST_CELLS = 1 << 16
_CELLS_A_FRAME = 64
_ONE, _FEWEST = np.uint8(1), 8


@numba.njit(cache=True, error_model="numpy")
def take_apart(
    keys: Any, n: Any, own: Any, cells: Any, longest: Any, base: Any, fleet: Any, link_meter: Any, link_duration: Any,
    link_level: Any, link_flags: Any, frame_of: Any, frame_k: Any, extra: Any, ex_base: Any, begin: Any, until: Any,
    taken_until: Any, fading: Any, k0: Any, k1: Any, purpose: Any, names: Any, ear: Any, picks: Any, words: Any,
    numbers: Any, knots: Any, sensitivity: Any, counted: Any, heard: Any, tally: Any,
) -> Any:  # fmt: skip
    """Settle them among the first `own` keys, which are the fleet's (frame `frame_of[i]`, unsorted); the others move
    up. Returns how many keys stay. `cells`, `picks`, `words`, `numbers` are scratch."""
    if own < _FEWEST:
        return n
    span = until - begin
    shift = np.int64(1)
    while (1 << shift) < longest or (span + longest) >> shift >= min(MOST_CELLS, _CELLS_A_FRAME * n) - 1:
        shift += 1
    last = (span + longest) >> shift
    if last < 4 * n:  # crowded: most would stay
        return n
    cells[: last + 1] = 0
    for i in range(own):
        at = np.int64(keys[i] >> ENTRY_SHIFT)
        low = at >> shift
        high = (at + link_duration[base + np.int64(keys[i] & ENTRY_MASK)]) >> shift
        cells[low] = cells[low] << 1 | _ONE  # 0, 1, 3, 7 ... 255: none, one, more
        apart = np.uint8(high - low)
        cells[high] = cells[high] << apart | apart
    for i in range(own, n):
        e = ex_base + np.int64(keys[i] & ENTRY_MASK) - fleet
        high = min((extra[e, 2] - begin) >> shift, last)
        for cell in range(np.int64(keys[i] >> ENTRY_SHIFT) >> shift, high + 1):
            cells[cell] = 255
    left = picked = received = weak = 0
    soonest = taken_until - begin
    for i in range(own):
        key = keys[i]
        at = np.int64(key >> ENTRY_SHIFT)
        link = base + np.int64(key & ENTRY_MASK)
        end = at + link_duration[link]
        if cells[at >> shift] != 1 or cells[end >> shift] != 1 or at < soonest or end >= span:
            keys[left] = key
            left += 1
        elif fading:
            picks[picked], frame_of[picked] = key, frame_of[i]
            picked += 1
        else:
            good = link_flags[link] & (IN_RANGE | READABLE) == IN_RANGE | READABLE
            received += good
            weak += link_flags[link] & (IN_RANGE | READABLE) == READABLE
            heard[frame_of[i]] |= np.uint8(good and counted)
    for i in range(own, n):
        keys[left] = keys[i]
        left += 1
    for i in range(picked):
        words[i] = names[link_meter[base + np.int64(picks[i] & ENTRY_MASK)]]
        numbers[i] = frame_k[frame_of[i]]
    for i in range(picked):  # apart from the rest, so that the compiler draws eight at once
        words[i] = first_words(k0, k1, purpose, words[i], numbers[i], ear)[0]
    for i in range(picked):
        link = base + np.int64(picks[i] & ENTRY_MASK)
        if link_flags[link] & READABLE:
            good = link_level[link] + ((fading * normal_of(words[i], knots) + 32768) >> 16) >= sensitivity
            received += good
            weak += not good
            heard[frame_of[i]] |= np.uint8(good and counted)
    if counted:
        tally[0] += received
        tally[2] += weak
    return left
