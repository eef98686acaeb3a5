"""Frames laid out as rows of a table; and those of them that overlap no other frame at a receiver, or one, compiled:
on most airs nearly all that the first short cut leaves.

A frame of the fleet that overlaps no other is disturbed by none, finds every demodulator free when it begins and leaves
it free when it ends. Two that overlap only each other have each other's power as their peak, and the later one finds
the demodulator taken if there is only one and the earlier one took it, unless it takes it over. The rule kept here:
this is a short cut and never a rule of its own; what is left goes through the whole sweep.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from arrays.draws import normal_of
from arrays.jit import njit
from sim.radio.capture_effect import INTERFERENCE_SHIFT, NOISE_SHIFT
from sim.radio.loss import RECEIVED, judge_compiled
from sim.radio.shortcut_isolated import draw
from sim.radio.sweep_arrays import (
    C_END,
    COLUMNS,
    EARLY,
    END,
    ENTRY_MASK,
    ENTRY_SHIFT,
    FLAGS,
    FRAME,
    IN_RANGE,
    INSIDE,
    LEVEL,
    LIMIT,
    ONLY_RECEIVED,
    POWER,
    READABLE,
    SECOND_CHANNEL,
    START,
    Draws,
    Outcome,
    Scratch,
    Setting,
    Traffic,
    mode_of_compiled,
)

_ABLE: Final = READABLE | IN_RANGE
_NOISE, _INTERFERENCE = np.uint64(NOISE_SHIFT), np.uint64(INTERFERENCE_SHIFT)


@njit(cache=True, nogil=True, error_model="numpy")
def lay_out(r: int, own: int, setting: Setting, traffic: Traffic, scratch: Scratch) -> int:
    """All there is to know of the `own` frames gathered at receiver r and of the intruders', one a row of
    `scratch.table`, in the order of links; `scratch.key` holds their times and rows. Returns how many."""
    table, keys, links, draws = scratch.table, scratch.key, setting.links, setting.draws
    begin, frames, others = traffic.window.begin_ns, traffic.frames, traffic.others
    for i in range(own):
        link, frame = np.uint64(scratch.link[i]), scratch.frame[i]
        now = frames.start_ns[np.uint64(frame)]
        table[i, START], table[i, END] = now, now + links.duration_ns[link]
        table[i, LEVEL], table[i, FLAGS], table[i, FRAME] = links.level_cdbm[link], links.flags[link], frame
        keys[i] = np.uint64(now - begin) << ENTRY_SHIFT | np.uint64(i)
    n = own
    for row in range(others.intruder_offset[r], others.intruder_offset[r + 1]):
        for column in range(COLUMNS):
            table[n, column] = others.intruders[row, column + 1]
        keys[n] = np.uint64(table[n, START] - begin) << ENTRY_SHIFT | np.uint64(n)
        n += 1
    curves, which, sensitivity = draws.curves, setting.listeners.profile[r], setting.listeners.sensitivity_cdbm[r]
    luck_is_drawn, breaks = curves.drawn[which], curves.breaks[which]
    if draws.fading_cdb or luck_is_drawn:
        draw(r, own, setting, frames, scratch)
    for i in range(own):
        level, mode = table[i, LEVEL], mode_of_compiled(table[i, FLAGS])
        if draws.fading_cdb:
            level += (draws.fading_cdb * normal_of(scratch.word[i], draws.knots) + 32768) >> 16
            table[i, LEVEL] = level
        luck = scratch.number[i] if luck_is_drawn else np.uint64(0)
        noise, other = luck >> _NOISE & np.uint64(0xFF), luck >> _INTERFERENCE
        table[i, FLAGS] |= IN_RANGE * (level >= sensitivity + curves.need[which, mode, noise])
        table[i, POWER] = power_at(level, draws)
        table[i, LIMIT] = power_at(level - curves.capture[which, mode, other], draws)
        if breaks:
            table[i, EARLY] = power_at(level - curves.early[which, mode, other], draws)
            table[i, INSIDE] = power_at(level - curves.inside[which, mode, other], draws)
    return n


@njit(cache=True, inline="always")
def power_at(level_cdbm: int, draws: Draws) -> np.int64:
    """`propagation.power_of` for one level."""
    power: np.int64 = draws.power[np.uint64(min(max(level_cdbm, draws.lowest_cdbm), 0) - draws.lowest_cdbm)]
    return power


@njit(cache=True, inline="always")
def overtakes(row: NDArray[np.int64], begun_ns: int, power: int, early_ns: int) -> bool:
    """Whether a frame of the table takes the demodulator over from one of its channel, of this begin and power."""
    most: int = row[EARLY] if row[START] - begun_ns < early_ns else row[INSIDE]
    return power <= most


@njit(cache=True, nogil=True, error_model="numpy")
def take_pairs(
    r: int, n: int, setting: Setting, traffic: Traffic, outcome: Outcome, scratch: Scratch, reported: int
) -> tuple[int, int]:
    """Settle the frames that overlap at most one other, of the fleet's (the first rows of the table, before the
    intruders'). Rows that are left go into `scratch.rest`, in order; returns how many, and how many rows of `outcome`
    are filled."""
    order, table, rest, window = scratch.order, scratch.table, scratch.rest, traffic.window
    places, carried = setting.listeners.demodulators[r], traffic.others
    own = n - (carried.intruder_offset[r + 1] - carried.intruder_offset[r])
    which = setting.listeners.profile[r]
    breaks, early_ns = setting.draws.curves.breaks[which], setting.draws.curves.early_ns[which]
    last = window.begin_ns
    for late in range(carried.carried_offset[r], carried.carried_offset[r + 1]):
        last = max(last, carried.carried[late, C_END])
    left = 0
    i = 0
    while i < n:
        begin = np.int64(order[i] & ENTRY_MASK)
        free, small = last <= table[begin, START], begin < own
        last = max(last, table[begin, END])
        j = i + 1
        while j < n:
            other = np.int64(order[j] & ENTRY_MASK)
            if table[other, START] >= last:
                break
            small = small and other < own
            last = max(last, table[other, END])
            j += 1
        if not (free and small and j - i <= 2 and last < window.until_ns):
            for at in range(i, j):
                rest[left] = np.int64(order[at] & ENTRY_MASK)
                left += 1
        elif r < window.gateways:
            one, two = np.int64(order[i] & ENTRY_MASK), np.int64(order[j - 1] & ENTRY_MASK)
            both = i + 1 < j and places == 1 and table[one, FLAGS] & table[two, FLAGS] & _ABLE == _ABLE
            overtaken = (
                both and breaks and (table[one, FLAGS] ^ table[two, FLAGS]) & SECOND_CHANNEL == 0
                and overtakes(table[two], table[one, START], table[one, POWER],
                              early_ns[mode_of_compiled(table[two, FLAGS])])
            )  # fmt: skip
            busy = one if overtaken else two if both else -1
            for at in range(i, j):
                row, mate = np.int64(order[at] & ENTRY_MASK), np.int64(order[i + j - 1 - at] & ENTRY_MASK)
                flags = table[row, FLAGS]
                if flags & READABLE == 0:
                    continue
                in_range = flags & IN_RANGE != 0
                meets = row != mate and (flags ^ table[mate, FLAGS]) & SECOND_CHANNEL == 0
                peak = table[mate, POWER] if meets else np.int64(0)
                fate = judge_compiled(False, in_range, row == busy, np.int64(0), peak, table[row, LIMIT])
                outcome.counts[r, fate] += 1
                if fate == RECEIVED:
                    outcome.heard[table[row, FRAME]] = 1
                    if window.report == ONLY_RECEIVED:
                        filled_row = outcome.rows[reported]
                        filled_row[0], filled_row[1] = table[row, FRAME], r
                        filled_row[2], filled_row[3] = fate, table[row, LEVEL]
                        reported += 1
        i = j
    return left, reported
