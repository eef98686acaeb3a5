"""The engine's inner loops, compiled by numba: one receiver after the other, everything it hears in order of time.

The rules of listener.py, as one sweep. For each receiver: gather what reaches it in this window, sort by (time, entry)
in buckets (times spread evenly, so this is linear, and one receiver's share stays in the cache), then go through the
starts. Power sums can only rise where somebody begins, so at each start every frame on the air has its peak brought up
to date; a frame is judged when it leaves the air. Sums are int64 in 1e-16 mW: exact, so no order of addition matters.

Entries are numbered by link, in the order of meters, then the visitors' (`extra`), so that (time, entry) is the order
of (start, source, k). A key holds 40 bits of time and 24 of entry; the engine checks that both fit. What is still on
the air at the window's end is carried into the next with its peaks, and demodulators keep their locks, so a window's
edge changes nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrays.jit import njit
from sim.radio.shortcut_isolated import MOST_CELLS, cell_scale, gather, take_apart
from sim.radio.shortcut_pairs import (
    BUSY,
    COLUMNS,
    END,
    ENTRY_BITS,
    ENTRY_MASK,
    ENTRY_SHIFT,
    FLAGS,
    FRAME,
    IN_RANGE,
    JAMMER,
    LEVEL,
    LIMIT,
    READABLE,
    SECOND_CHANNEL,
    START,
    UNITS,
    lay_out,
    take_small,
)

# columns of what is carried
C_RECEIVER, C_START, C_END, C_LEVEL, C_UNITS, C_LIMIT, C_FLAGS, C_FRAME, C_PEAK, C_JAM, C_DOWN = range(11)
CARRY_COLUMNS = 11
NOTHING, EVERYTHING, RECEIVED = range(3)  # which frames are told of one by one


@njit(inline="always")
def _judge(flags: Any, down: Any, jam: Any, peak: Any, limit: Any) -> Any:
    """The first reason that applies; the numbers are sim.core.events.Fate."""
    if down:
        return 1
    if flags & IN_RANGE == 0:
        return 2
    if flags & BUSY:
        return 3
    if jam > limit:
        return 4
    if peak > limit:
        return 5
    return 0


@njit(cache=True, nogil=True, error_model="numpy")
def in_order(keys: Any, n: Any, span: Any, fill: Any, order: Any) -> None:
    """Keys sorted into `order`: into about n buckets of time, then by insertion. `fill`: scratch."""
    shift = np.uint64(ENTRY_BITS)
    while (span >> np.int64(shift - ENTRY_SHIFT)) > 2 * n + 1:
        shift += np.uint64(1)
    buckets = np.int64(span >> np.int64(shift - ENTRY_SHIFT)) + 1
    for b in range(buckets + 1):
        fill[b] = 0
    for i in range(n):
        fill[np.int64(keys[i] >> shift) + 1] += 1
    for b in range(buckets):
        fill[b + 1] += fill[b]
    for i in range(n):
        bucket = np.int64(keys[i] >> shift)
        order[fill[bucket]] = keys[i]
        fill[bucket] += 1
    for i in range(1, n):
        item = order[i]
        j = i - 1
        while j >= 0 and order[j] > item:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = item


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(
    receivers: Any, frames: Any, link_offset: Any, links: Any, link_luck: Any, names: Any, ears: Any,
    sensitivity: Any, since: Any, luck: Any, ex_offset: Any, extra: Any, out_offset: Any, out_down: Any, out_up: Any,
    demodulators: Any, locks: Any, begin: Any, until: Any, longest: Any, gateways: Any, scratch: Any, in_offset: Any,
    carried_in: Any, heard: Any, counts: Any, carry: Any, detail: Any, want_detail: Any,
) -> Any:  # fmt: skip
    """One window at these receivers. Returns (rows of carry filled, rows of detail filled);
    carry -1: a frame begins outside the window.

    detail rows: frame, receiver, fate, level; `want_detail` NOTHING, EVERYTHING or RECEIVED. `frame` numbers the
    window's frames: the fleet's, then the others'. `frames`: first, start, k; `links`: meter, duration, level,
    flags; `luck`: see lay_out; `scratch`: no receiver has more entries.
    """
    keys = np.empty(scratch + 1, dtype=np.uint64)
    order = np.empty(scratch + 1, dtype=np.uint64)
    words, numbers = np.empty(scratch + 1, dtype=np.uint64), np.empty(scratch + 1, dtype=np.uint64)
    frame_of = np.empty(scratch + 1, dtype=np.int32)
    rest = np.empty(scratch + 1, dtype=np.int32)
    table = np.empty((scratch + 1, COLUMNS), dtype=np.int64)
    cells = np.empty(MOST_CELLS, dtype=np.uint8)
    fill = np.empty(4 * scratch + 4, dtype=np.int32)
    air = np.empty((scratch + 1, CARRY_COLUMNS), dtype=np.int64)  # what is on the air
    link_meter, _, _, link_flags = links
    carried = detailed = 0
    span = until - begin
    scale = cell_scale(span, longest)
    used = ((span >> 12) * scale >> 32) + 3
    for r in receivers:
        base = link_offset[r]
        fleet = link_offset[r + 1] - base
        ear = np.uint64(ears[r])
        cells[:used] = 0
        n = gather(
            link_meter[base : base + fleet], frames[0], frames[1], begin, until, since[r], cells, scale, keys, frame_of,
            rest,
        )  # fmt: skip
        if n < 0:
            return -1, 0
        visitors = extra[ex_offset[r] : ex_offset[r + 1]]
        if n + len(visitors) == 0 and in_offset[r + 1] == in_offset[r]:
            continue
        counted = r < gateways
        outage, outages = out_offset[r], out_offset[r + 1]
        lonely = outage == outages and (want_detail == NOTHING or (want_detail == RECEIVED and counted))
        taken_until = begin
        for row in range(in_offset[r], in_offset[r + 1]):
            taken_until = max(taken_until, carried_in[row, C_END])
        if lonely:
            n, detailed = take_apart(
                keys, n, cells, scale, longest, base, link_meter, link_flags, link_luck, visitors, begin, until,
                taken_until, luck[0] != 0, luck[1], luck[2], ear, names, frames[2], frame_of, words, numbers, counted,
                heard, counts[r], links[2], luck[0], luck[3], r, detail, detailed, want_detail == RECEIVED,
            )  # fmt: skip
        own = n
        n = lay_out(
            keys, own, frame_of, base, begin, links, frames, visitors, luck, ear, names, sensitivity[r], words, numbers,
            table,
        )  # fmt: skip
        in_order(keys, n, span, fill, order)
        if lonely:
            left, detailed = take_small(
                order, n, own, table, rest, until, taken_until, demodulators[r], counted, heard, counts[r], r, detail,
                detailed, want_detail == RECEIVED,
            )  # fmt: skip
        else:
            left = n
            for i in range(n):
                rest[i] = np.int64(order[i] & ENTRY_MASK)
        # --- sweep
        places = demodulators[r]
        for d in range(places):  # a power cut that came since frees what was locked before
            for o in range(outage, outages):
                if out_down[o] >= begin:
                    locks[r, d] = min(locks[r, d], out_down[o])
                    break
        active = 0
        sum_0 = sum_1 = jam_0 = jam_1 = np.int64(0)
        for row in range(in_offset[r], in_offset[r + 1]):
            for column in range(CARRY_COLUMNS):
                air[active, column] = carried_in[row, column]
            down = air[active, C_DOWN] != 0
            for o in range(outage, outages):
                down |= out_up[o] > air[active, C_START] and out_down[o] < air[active, C_END]
            air[active, C_DOWN] = down
            if air[active, C_FLAGS] & SECOND_CHANNEL:
                sum_1 += air[active, C_UNITS]
                if air[active, C_FLAGS] & JAMMER:
                    jam_1 += air[active, C_UNITS]
            else:
                sum_0 += air[active, C_UNITS]
                if air[active, C_FLAGS] & JAMMER:
                    jam_0 += air[active, C_UNITS]
            active += 1
        for step in range(left + 1):
            if step < left:
                entry = rest[step]
                now = table[entry, START]
            else:
                now = np.int64(0x7FFFFFFFFFFFFFFF)
            # what has ended leaves the air and is judged
            i = 0
            while i < active:
                if air[i, C_END] > now:
                    i += 1
                    continue
                flags = air[i, C_FLAGS]
                if flags & SECOND_CHANNEL:
                    sum_1 -= air[i, C_UNITS]
                    if flags & JAMMER:
                        jam_1 -= air[i, C_UNITS]
                else:
                    sum_0 -= air[i, C_UNITS]
                    if flags & JAMMER:
                        jam_0 -= air[i, C_UNITS]
                if air[i, C_END] >= until:
                    for column in range(CARRY_COLUMNS):
                        carry[carried, column] = air[i, column]
                    carried += 1
                elif flags & (READABLE | JAMMER) == READABLE:
                    fate = _judge(flags, air[i, C_DOWN] != 0, air[i, C_JAM], air[i, C_PEAK], air[i, C_LIMIT])
                    if counted:
                        counts[r, fate] += 1
                        if fate == 0:
                            heard[air[i, C_FRAME]] = 1
                    if want_detail == EVERYTHING or (want_detail == RECEIVED and fate == 0):
                        detail[detailed, 0] = air[i, C_FRAME]
                        detail[detailed, 1] = r
                        detail[detailed, 2] = fate
                        detail[detailed, 3] = air[i, C_LEVEL]
                        detailed += 1
                active -= 1
                if i < active:
                    for column in range(CARRY_COLUMNS):
                        air[i, column] = air[active, column]
            if step == left:
                break
            # what begins
            end, flags = table[entry, END], table[entry, FLAGS]
            units = table[entry, UNITS]
            down = False
            lock_end = end
            up = True
            if outages > outage:
                while outage < outages and out_up[outage] <= now:
                    outage += 1
                if outage < outages and out_down[outage] < end:
                    down = True
                    up = out_down[outage] > now
                    lock_end = out_down[outage]
            if places and up and flags & (READABLE | IN_RANGE | JAMMER) == READABLE | IN_RANGE:
                free = -1
                for d in range(places):
                    if locks[r, d] <= now:
                        free = d
                        break
                if free < 0:
                    flags |= BUSY
                else:
                    locks[r, free] = lock_end
            if flags & SECOND_CHANNEL:
                sum_1 += units
                if flags & JAMMER:
                    jam_1 += units
            else:
                sum_0 += units
                if flags & JAMMER:
                    jam_0 += units
            air[active, C_RECEIVER] = r
            air[active, C_START] = now
            air[active, C_END] = end
            air[active, C_UNITS] = units
            air[active, C_LIMIT] = table[entry, LIMIT]
            air[active, C_LEVEL] = table[entry, LEVEL]
            air[active, C_PEAK] = 0
            air[active, C_JAM] = 0
            air[active, C_FLAGS] = flags
            air[active, C_FRAME] = table[entry, FRAME]
            air[active, C_DOWN] = down
            active += 1
            if active > 1:
                for i in range(active):
                    other = air[i, C_FLAGS]
                    if other & SECOND_CHANNEL:
                        total, jam = sum_1, jam_1
                    else:
                        total, jam = sum_0, jam_0
                    if other & JAMMER == 0:
                        air[i, C_PEAK] = max(air[i, C_PEAK], total - air[i, C_UNITS])
                        air[i, C_JAM] = max(air[i, C_JAM], jam)
    return carried, detailed
