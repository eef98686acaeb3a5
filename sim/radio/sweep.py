"""The engine's inner loops, compiled by numba: one receiver after the other, everything it hears in order of time.

The rules of listener.py, as one sweep. For each receiver: gather what reaches it in this window, sort by (time, entry)
in buckets (times spread evenly, so this is linear, and one receiver's share stays in the cache), then go through the
starts. Power sums can only rise where a frame begins, so at each start every frame on the air has its peak brought up
to date; a frame is judged when it leaves the air. Sums are int64 in 1e-16 mW: exact, so no order of addition matters.

Entries are numbered by link, in the order of meters, then the intruders', so that (time, entry) is the order of (start,
source, k). A key holds 40 bits of time and 24 of entry; the engine checks that both fit. What is still on the air at
the window's end is carried into the next with its peaks, and demodulators keep their locks, so a window's edge changes
nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.radio.loss import RECEIVED, judge_compiled
from sim.radio.shortcut_isolated import cell_of, cell_scale, close_cells, draw, gather, place, take_isolated
from sim.radio.shortcut_pairs import lay_out, overtakes, take_pairs
from sim.radio.sweep_arrays import (
    BUSY,
    C_DOWN,
    C_END,
    C_FLAGS,
    C_FRAME,
    C_JAM,
    C_LEVEL,
    C_LIMIT,
    C_LOCK,
    C_PEAK,
    C_POWER,
    C_RECEIVER,
    C_START,
    CARRY_COLUMNS,
    END,
    ENTRY_BITS,
    ENTRY_MASK,
    ENTRY_SHIFT,
    EVERYTHING,
    FLAGS,
    FRAME,
    IN_RANGE,
    JAMMER,
    LEVEL,
    LIMIT,
    NOTHING,
    ONLY_RECEIVED,
    POWER,
    READABLE,
    SECOND_CHANNEL,
    START,
    Filled,
    Listeners,
    Outcome,
    Scratch,
    Setting,
    Traffic,
    mode_of_compiled,
)

_FEWEST: Final = 8  # frames at a receiver for which cells are worth their while
_NEVER: Final = np.int64(0x7FFFFFFFFFFFFFFF)


@njit(cache=True, nogil=True, error_model="numpy")
def in_order(n: int, span: int, scratch: Scratch) -> None:
    """The n keys sorted into `order`: into about n buckets of time, then by insertion."""
    keys, order, fill = scratch.key, scratch.order, scratch.fill
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
def busiest(first: NDArray[np.int64]) -> int:
    """The most frames of one meter in a window, of where each meter's begin."""
    most = 0
    for meter in range(len(first) - 1):
        most = max(most, first[meter + 1] - first[meter])
    return most


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(setting: Setting, traffic: Traffic, outcome: Outcome, scratch: Scratch) -> tuple[int, int]:
    """One window at all receivers. Returns how many rows of `outcome.carry` and of `outcome.rows` are filled; carry -1:
    a frame begins outside the window. `frame` numbers the window's frames: the fleet's, then the others'."""
    window, frames, others = traffic.window, traffic.frames, traffic.others
    listeners = setting.listeners
    span = window.until_ns - window.begin_ns
    scale = cell_scale(span, window.longest_ns)
    last = cell_of(span, scale)
    if not place(frames.start_ns, window, scale, scratch.cell):
        return -1, 0
    carried, reported = 0, 0
    for r in range(len(listeners.name)):
        scratch.cells[: last + 2] = 0
        n = gather(r, setting, window, frames, scratch)
        begin = others.intruder_offset[r + 1] - others.intruder_offset[r]
        if n + begin + others.carried_offset[r + 1] - others.carried_offset[r] == 0:
            continue
        always_up = listeners.outage_offset[r] == listeners.outage_offset[r + 1]
        short = always_up and (
            window.report == NOTHING or (window.report == ONLY_RECEIVED and r < window.gateways)
        )  # fmt: skip
        if short and n >= _FEWEST and last >= 4 * n:  # where it is crowded most would stay
            close_cells(r, others, window, scale, scratch.cells)
            if setting.draws.fading_cdb or setting.draws.curves.curved[listeners.profile[r]]:
                draw(r, n, setting, frames, scratch)
            n, reported = take_isolated(r, n, setting, window, outcome, scratch, reported)
        n = lay_out(r, n, setting, traffic, scratch)
        in_order(n, span, scratch)
        if short:
            left, reported = take_pairs(r, n, setting, traffic, outcome, scratch, reported)
        else:
            left = n
            for i in range(n):
                scratch.rest[i] = np.int64(scratch.order[i] & ENTRY_MASK)
        carried, reported = play(r, left, setting, traffic, outcome, scratch, Filled(carried, reported))
    return carried, reported


@njit(cache=True, nogil=True, error_model="numpy")
def free_locks(r: int, begin_ns: int, listeners: Listeners) -> None:
    """A power cut that came since the window began frees what was locked before it."""
    for d in range(listeners.demodulators[r]):
        for o in range(listeners.outage_offset[r], listeners.outage_offset[r + 1]):
            if listeners.down_ns[o] >= begin_ns:
                listeners.locks[r, d] = min(listeners.locks[r, d], listeners.down_ns[o])
                break


@njit(cache=True, nogil=True, error_model="numpy")
def carry_in(r: int, setting: Setting, traffic: Traffic, air: NDArray[np.int64]) -> int:
    """Put on the air what was on it when the window began, and note the outages it meets. Returns how many."""
    others, listeners = traffic.others, setting.listeners
    active = 0
    for row in range(others.carried_offset[r], others.carried_offset[r + 1]):
        for column in range(CARRY_COLUMNS):
            air[active, column] = others.carried[row, column]
        down = air[active, C_DOWN] != 0
        for o in range(listeners.outage_offset[r], listeners.outage_offset[r + 1]):
            down |= listeners.up_ns[o] > air[active, C_START] and listeners.down_ns[o] < air[active, C_END]
        air[active, C_DOWN] = down
        active += 1
    return active


@njit(cache=True, inline="always")
def lock(r: int, now_ns: int, listeners: Listeners) -> int:
    """The first free demodulator, or -1."""
    for d in range(listeners.demodulators[r]):
        if listeners.locks[r, d] <= now_ns:
            return d
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def take_over(r: int, row: NDArray[np.int64], setting: Setting, air: NDArray[np.int64], active: int) -> int:
    """The first demodulator whose frame a row of the table overtakes, which makes that one BUSY; or -1."""
    early_ns = setting.draws.curves.early_ns[setting.listeners.profile[r], mode_of_compiled(row[FLAGS])]
    for d in range(setting.listeners.demodulators[r]):
        for i in range(active):
            one = air[i]
            other_channel = (one[C_FLAGS] ^ row[FLAGS]) & SECOND_CHANNEL != 0
            if one[C_LOCK] == d + 1 and not other_channel and overtakes(row, one[C_START], one[C_POWER], early_ns):
                one[C_FLAGS] |= BUSY
                return d
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def play(
    r: int, left: int, setting: Setting, traffic: Traffic, outcome: Outcome, scratch: Scratch, filled: Filled,
) -> tuple[int, int]:  # fmt: skip
    """Sweep the rows in `scratch.rest` at receiver r. Returns `filled` as it is then."""
    carried, reported = filled
    window, listeners = traffic.window, setting.listeners
    air, table, rest = scratch.air, scratch.table, scratch.rest
    outage, outages = listeners.outage_offset[r], listeners.outage_offset[r + 1]
    down_ns, up_ns = listeners.down_ns, listeners.up_ns
    counted, places = r < window.gateways, listeners.demodulators[r]
    breaks = setting.draws.curves.breaks[listeners.profile[r]]
    free_locks(r, window.begin_ns, listeners)
    active = carry_in(r, setting, traffic, air)
    sum_0 = sum_1 = jam_0 = jam_1 = np.int64(0)
    for i in range(active):
        power, flags = air[i, C_POWER], air[i, C_FLAGS]
        jam = power if flags & JAMMER else np.int64(0)
        if flags & SECOND_CHANNEL:
            sum_1, jam_1 = sum_1 + power, jam_1 + jam
        else:
            sum_0, jam_0 = sum_0 + power, jam_0 + jam
    for step in range(left + 1):
        entry = rest[step] if step < left else np.int32(0)
        now = table[entry, START] if step < left else _NEVER
        # what has ended leaves the air and is judged
        i = 0
        while i < active:
            if air[i, C_END] > now:
                i += 1
                continue
            power, flags = air[i, C_POWER], air[i, C_FLAGS]
            jam = power if flags & JAMMER else np.int64(0)
            if flags & SECOND_CHANNEL:
                sum_1, jam_1 = sum_1 - power, jam_1 - jam
            else:
                sum_0, jam_0 = sum_0 - power, jam_0 - jam
            if air[i, C_END] >= window.until_ns:
                for column in range(CARRY_COLUMNS):
                    outcome.carry[carried, column] = air[i, column]
                carried += 1
            elif flags & (READABLE | JAMMER) == READABLE:
                fate = judge_compiled(
                    air[i, C_DOWN] != 0, flags & IN_RANGE != 0, flags & BUSY != 0, air[i, C_JAM], air[i, C_PEAK],
                    air[i, C_LIMIT],
                )  # fmt: skip
                if counted:
                    outcome.counts[r, fate] += 1
                    if fate == RECEIVED:
                        outcome.heard[air[i, C_FRAME]] = 1
                if window.report == EVERYTHING or (window.report == ONLY_RECEIVED and fate == RECEIVED):
                    row = outcome.rows[reported]
                    row[0], row[1], row[2], row[3] = air[i, C_FRAME], r, fate, air[i, C_LEVEL]
                    reported += 1
            active -= 1
            if i < active:
                for column in range(CARRY_COLUMNS):
                    air[i, column] = air[active, column]
        if step == left:
            break
        # what begins
        end, flags, power = table[entry, END], table[entry, FLAGS], table[entry, POWER]
        down, up, lock_end = False, True, end
        while outage < outages and up_ns[outage] <= now:
            outage += 1
        if outage < outages and down_ns[outage] < end:
            down = True
            up = down_ns[outage] > now
            lock_end = down_ns[outage]
        asks = places and up and flags & (READABLE | IN_RANGE | JAMMER) == READABLE | IN_RANGE
        place = -1
        if asks:
            place = lock(r, now, listeners)
            if place < 0 and breaks:
                place = take_over(r, table[entry], setting, air, active)
            if place < 0:
                flags |= BUSY
            else:
                listeners.locks[r, place] = lock_end
                for i in range(active if breaks else 0):  # whoever had it has it no more
                    air[i, C_LOCK] *= air[i, C_LOCK] != place + 1
        jam = power if flags & JAMMER else np.int64(0)
        if flags & SECOND_CHANNEL:
            sum_1, jam_1 = sum_1 + power, jam_1 + jam
        else:
            sum_0, jam_0 = sum_0 + power, jam_0 + jam
        one = air[active]
        one[C_RECEIVER], one[C_START], one[C_END], one[C_POWER], one[C_FLAGS] = r, now, end, power, flags
        one[C_LIMIT], one[C_LEVEL], one[C_FRAME] = table[entry, LIMIT], table[entry, LEVEL], table[entry, FRAME]
        one[C_PEAK], one[C_JAM], one[C_DOWN], one[C_LOCK] = 0, 0, down, place + 1
        active += 1
        if active > 1:
            for i in range(active):
                second = air[i, C_FLAGS] & SECOND_CHANNEL != 0
                total, jam = (sum_1, jam_1) if second else (sum_0, jam_0)
                if air[i, C_FLAGS] & JAMMER == 0:
                    air[i, C_PEAK] = max(air[i, C_PEAK], total - air[i, C_POWER])
                    air[i, C_JAM] = max(air[i, C_JAM], jam)
    return carried, reported
