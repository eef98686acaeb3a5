"""What of the fleet reaches a receiver in a window, compiled; and the frames that are far from all others, settled
before anything is sorted.

Time is cut into cells no shorter than the longest frame, so a frame can meet only what begins in its own cell, the one
before or the one after. A frame that is alone in the three meets nobody, and what solitary.py says of such frames
holds: nobody's fate hangs on it. So most frames of an air with some room are settled with three bytes of a table, and
only the others need an order. The rule kept here: this is a short cut and never a rule of its own; whoever has a
neighbour stays in `keys`.

Whether a faded frame is in range is one comparison: draws sorted by luck, those before `link_luck` suffice.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrays.draws import first_words, normal_of
from arrays.jit import njit
from sim.radio.shortcut_pairs import ENTRY_MASK, ENTRY_SHIFT, IN_RANGE, READABLE

MOST_CELLS = 1 << 16
_FEWEST = 8
_ONE = np.uint8(1)
_GRAIN, _Q = 12, 32  # time is counted in 4 096 ns, and cells with 32 binary places


@njit(cache=True, nogil=True, error_model="numpy")
def cell_scale(span: Any, longest: Any) -> Any:
    """Cells in a unit of 4 096 ns, Q32: two frames whose cells are not neighbours do not meet."""
    return (np.int64(1) << _Q) // max((longest >> _GRAIN) + 2, (span >> _GRAIN) // (MOST_CELLS - 8) + 1)


@njit(cache=True, nogil=True, error_model="numpy")
def gather(
    meters: Any, first: Any, frame_start: Any, begin: Any, until: Any, since: Any, cells: Any, scale: Any, keys: Any,
    frame_of: Any, picks: Any,
) -> Any:  # fmt: skip
    """Keys of the fleet's frames that this receiver hears, and which they are; `meters`: of its links, `picks`:
    scratch. Marks their cells. Returns how many, -1 if a frame begins outside the window."""
    n, astray = np.uint64(0), False
    frames = np.uint64(len(frame_start))
    if frames == 0:
        return 0
    one, final = np.uint64(1), frames - np.uint64(1)
    # Where most meters send in a window the processor cannot foresee one or none; where few do it can.
    foreseen = 4 * len(frame_start) > len(first)
    entries = len(meters)
    if not foreseen:
        entries = 0
        for link in range(len(meters)):
            meter = np.uint64(meters[link])
            picks[entries] = link
            entries += first[meter] != first[meter + one]
    for place in range(entries):
        entry: Any = place if foreseen else np.int64(picks[place])
        meter = np.uint64(meters[entry])
        frame, beyond = np.uint64(first[meter]), np.uint64(first[meter + one])
        if foreseen and beyond <= frame + one:  # one or none: written in any case, then kept or not
            at = frame_start[min(frame, final)]
            there = beyond > frame
            astray |= there & ((at < begin) | (at >= until))
            there &= at >= since
            at = (at - begin) * there
            keys[n] = (np.uint64(at) << ENTRY_SHIFT) | np.uint64(entry)
            frame_of[n] = frame
            cell = np.uint64(((at >> _GRAIN) * scale >> _Q) + 1)
            cells[cell] = cells[cell] << np.uint8(there) | np.uint8(there)
            n += np.uint64(there)
            continue
        for number in range(frame, beyond):
            at = frame_start[number]
            astray |= (at < begin) | (at >= until)
            if at >= since and not astray:
                at -= begin
                keys[n] = (np.uint64(at) << ENTRY_SHIFT) | np.uint64(entry)
                frame_of[n] = number
                cell = np.uint64(((at >> _GRAIN) * scale >> _Q) + 1)
                cells[cell] = cells[cell] << _ONE | _ONE  # 0, 1, 3, 7 ... 255: none, one, more
                n += one
        if astray:
            return -1
    return -1 if astray else np.int64(n)


@njit(cache=True, nogil=True, error_model="numpy")
def take_apart(
    keys: Any, n: Any, cells: Any, scale: Any, longest: Any, base: Any, link_meter: Any, link_flags: Any,
    link_luck: Any, extra: Any, begin: Any, until: Any, taken_until: Any, drawn: Any, key: Any, purpose: Any, ear: Any,
    names: Any, frame_k: Any, frame_of: Any, words: Any, numbers: Any, counted: Any, heard: Any, tally: Any,
    link_level: Any, fading: Any, knots: Any, receiver: Any, detail: Any, told: Any, telling: Any,
) -> Any:  # fmt: skip
    """Settle who is far from all others; the keys of the rest move up. Returns how many stay, and how many rows of
    `detail` are filled: where `telling`, one more for each received. `extra`: who else begins at this receiver."""
    span = until - begin
    last = ((span >> _GRAIN) * scale >> _Q) + 1
    if n < _FEWEST or last < 4 * n:  # crowded: most would stay
        return n, told
    for row in range(len(extra)):
        low = ((extra[row, 1] - begin) >> _GRAIN) * scale >> _Q
        high = (min(extra[row, 2] - begin, span) >> _GRAIN) * scale >> _Q
        cells[low + 1 : min(high + 1, last) + 1] = 255
    if drawn:
        k0, k1 = key & np.uint64(0xFFFFFFFF), key >> np.uint64(32)
        for i in range(n):
            meter = link_meter[np.uint64(base) + (keys[i] & ENTRY_MASK)]
            words[i], numbers[i] = names[np.uint64(meter)], frame_k[np.uint64(frame_of[i])]
        for i in range(n):  # apart from the rest, so that the compiler draws eight at once
            words[i] = first_words(k0, k1, purpose, words[i], numbers[i], ear)[0]
    left: Any = 0
    received: Any = 0
    weak: Any = 0
    soonest, latest = taken_until - begin, span - longest
    for i in range(n):
        packed = keys[i]
        at = np.int64(packed >> ENTRY_SHIFT)
        cell = np.uint64(((at >> _GRAIN) * scale >> _Q) + 1)
        beside = np.int64(cells[cell - np.uint64(1)]) + np.int64(cells[cell + np.uint64(1)])
        alone = np.int64(beside + np.int64(cells[cell]) == 1) & np.int64(at >= soonest) & np.int64(at < latest)
        link = np.uint64(base + np.int64(packed & ENTRY_MASK))
        flags, word = np.int64(link_flags[link]), np.int64(words[i])
        luck = word ^ (-(word >> 31) & 0x7FFFFFFF)
        good = np.int64(flags & IN_RANGE != 0) | np.int64(drawn) & np.int64(luck < np.int64(link_luck[link]))
        good &= alone
        readable = np.int64(flags & READABLE != 0)
        received += good & readable
        weak += alone & readable & (good ^ 1)
        frame = np.uint64(frame_of[i])
        heard[frame] |= np.uint8(good & readable & np.int64(counted))
        if telling and good & readable:
            level = np.int64(link_level[link])
            if fading:
                level += (fading * normal_of(words[i], knots) + 32768) >> 16
            detail[told, 0], detail[told, 1], detail[told, 2], detail[told, 3] = frame, receiver, 0, level
            told += 1
        keys[np.uint64(left)], frame_of[np.uint64(left)] = packed, frame
        left += 1 - alone
    if counted:
        tally[0] += received
        tally[2] += weak
    return left, told
