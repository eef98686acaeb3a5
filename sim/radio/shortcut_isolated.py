"""What of the fleet reaches a receiver in a window, compiled; and the frames that nothing else can touch, settled
before anything is sorted.

Time is cut into cells no shorter than the longest frame, so a frame can overlap only what begins in its own cell, the
one before or the one after. Two kinds of frames are settled with a few bytes of a table:

    alone         a frame in range that is the only one in its three cells overlaps no frame: it is received
    out of range  a frame that is out of range is lost for that reason whatever else is on the air, it takes no
                  demodulator, and where no frame in range is in its three cells it disturbs nothing whose fate depends
                  on it; however many others that are out of range are there

So most frames of an air with some room need no order. The rule kept here: these are short cuts and never rules of their
own (the fates are `judge`'s); every other frame stays.

Whether a faded frame is in range is one comparison: draws sorted from the strongest, the first `draws_in_range` of the
link suffice. Where a receiver has a curve for noise they suffice for the unluckiest frame, and the others are looked at
one by one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from arrays.draws import first_words, normal_of
from arrays.jit import njit
from sim.radio.capture_effect import NOISE_SHIFT
from sim.radio.loss import OUT_OF_RANGE, RECEIVED, judge
from sim.radio.sweep_arrays import C_END as CARRIED_END
from sim.radio.sweep_arrays import (
    IN_RANGE,
    MOST_CELLS,
    ONLY_RECEIVED,
    READABLE,
    Frames,
    Others,
    Outcome,
    Scratch,
    Setting,
    Window,
    mode_of_compiled,
)

_GRAIN, _Q = 12, 32  # time is counted in 4 096 ns, and cells with 32 binary places
_ONE = np.uint64(1)
_BIT, _NEAR, _FULL = np.uint8(1), np.uint8(128), np.uint8(255)
_COUNT: Final = 127  # the bits of a cell that count
if judge(False, True, False, 0, 0, 0) != RECEIVED or judge(False, False, True, 0, 0, 0) != OUT_OF_RANGE:
    raise AssertionError("the short cut needs 'out of range' to come before 'receiver busy'")


@njit(cache=True, nogil=True, error_model="numpy")
def cell_scale(span_ns: int, longest_ns: int) -> int:
    """Cells in a unit of 4 096 ns, Q32: two frames whose cells are not neighbours do not meet."""
    return (1 << _Q) // max((longest_ns >> _GRAIN) + 2, (span_ns >> _GRAIN) // (MOST_CELLS - 8) + 1)


@njit(cache=True, inline="always")
def cell_of(since_ns: int, scale: int) -> int:
    """The cell of a time since the window's begin; the first is 1."""
    return ((since_ns >> _GRAIN) * scale >> _Q) + 1


@njit(cache=True, nogil=True, error_model="numpy")
def place(start_ns: NDArray[np.int64], window: Window, scale: int, cell: NDArray[np.uint16]) -> bool:
    """The cell of each frame; whether all begin in the window."""
    inside = True
    for frame in range(len(start_ns)):
        since = start_ns[frame] - window.begin_ns
        inside &= (since >= 0) & (start_ns[frame] < window.until_ns)
        cell[frame] = cell_of(since, scale)
    return inside


@njit(cache=True, nogil=True, error_model="numpy")
def gather(r: int, setting: Setting, window: Window, frames: Frames, scratch: Scratch) -> np.int64:
    """The fleet's frames that receiver r hears into `scratch.frame`, their links and cells beside them; each counts in
    its cell (0, 1, 3, 7 ... 255: none, one, more). Returns how many."""
    frame_at, link_at, cell_at, cells = scratch.frame, scratch.link, scratch.cell_at, scratch.cells
    links, since_ns = setting.links, setting.listeners.since_ns[r]
    first, meters, cell = frames.first, links.meter, scratch.cell
    n, final = np.uint64(0), np.uint64(max(len(frames.start_ns), 1) - 1)
    base, end = links.offset[r], links.offset[r + 1]
    if len(frames.start_ns) == 0:
        return np.int64(0)
    # Where most meters send in a window the processor cannot foresee one or none; where few do it can.
    foreseen = 4 * len(frames.start_ns) > len(first)
    entries = end - base
    if not foreseen:
        entries = 0
        for one in range(base, end):
            meter = np.uint64(meters[one])
            scratch.rest[entries] = one
            entries += first[meter] != first[meter + _ONE]
    every = foreseen and since_ns <= window.begin_ns
    for entry in range(entries):
        link = np.int64(base + entry if foreseen else scratch.rest[entry])
        meter = np.uint64(meters[np.uint64(link)])
        frame, beyond = np.uint64(first[meter]), np.uint64(first[meter + _ONE])
        if every and beyond <= frame + _ONE:  # one or none: written in any case, then kept or not
            there = beyond > frame
            frame = min(frame, final)
            at = np.uint64(cell[frame])
            frame_at[n], link_at[n], cell_at[n] = frame, link, at
            cells[at] = cells[at] << np.uint8(there) | np.uint8(there)
            n += np.uint64(there)
            continue
        for number in range(frame, beyond):
            if frames.start_ns[number] >= since_ns:
                at = np.uint64(cell[number])
                frame_at[n], link_at[n], cell_at[n] = number, link, at
                cells[at] = cells[at] << _BIT | _BIT
                n += _ONE
    return np.int64(n)


@njit(cache=True, nogil=True, error_model="numpy")
def close_cells(r: int, others: Others, window: Window, scale: int, cells: NDArray[np.uint8]) -> None:
    """Fill the cells in which no frame may be settled here: intruders', those up to the end of what was carried in, and
    those from which a frame may last beyond the window."""
    span = window.until_ns - window.begin_ns
    last = cell_of(span, scale)
    for row in range(others.intruder_offset[r], others.intruder_offset[r + 1]):
        low = cell_of(others.intruders[row, 1] - window.begin_ns, scale)
        high = cell_of(min(others.intruders[row, 2] - window.begin_ns, span), scale)
        cells[low - 1 : min(high, last) + 2] = _FULL
    for row in range(others.carried_offset[r], others.carried_offset[r + 1]):
        high = cell_of(min(others.carried[row, CARRIED_END] - window.begin_ns, span), scale)
        cells[: high + 1] = _FULL
    low = cell_of(max(span - window.longest_ns, 0), scale)
    cells[low : last + 2] = _FULL


@njit(cache=True, nogil=True, error_model="numpy")
def draw(r: int, n: int, setting: Setting, frames: Frames, scratch: Scratch) -> None:
    """Words 0 and 1 of the block of each of n frames at receiver r into `scratch.word` and `number`."""
    word, number, draws, meter_name = scratch.word, scratch.number, setting.draws, setting.links.name
    k0, k1 = draws.key & np.uint64(0xFFFFFFFF), draws.key >> np.uint64(32)
    purpose, name = draws.purpose, np.uint64(setting.listeners.name[r])
    for i in range(n):
        word[i] = meter_name[np.uint64(scratch.link[i])]
        number[i] = frames.k[np.uint64(scratch.frame[i])]
    for i in range(n):  # apart from the rest, so that the compiler draws eight at once
        word[i], number[i] = first_words(k0, k1, purpose, word[i], number[i], name)


@njit(cache=True, nogil=True, error_model="numpy")
def take_isolated(
    r: int, n: int, setting: Setting, window: Window, outcome: Outcome, scratch: Scratch, reported: int
) -> tuple[np.int64, int]:
    """Settle what nothing else can touch, of n frames at receiver r; the rest moves up. Returns how many stay, and how
    many rows of `outcome` are filled."""
    frame_at, link_at, cell_at, cells = scratch.frame, scratch.link, scratch.cell_at, scratch.cells
    links, draws = setting.links, setting.draws
    able, picked, drawn = scratch.able, scratch.rest, np.int64(draws.fading_cdb != 0)
    count = np.uint64(0)
    for i in range(n):
        link = np.uint64(link_at[i])
        flags, bits = np.int64(links.flags[link]), np.int64(scratch.word[i])
        strength = bits ^ (-(bits >> 31) & 0x7FFFFFFF)
        good = np.int64(flags & IN_RANGE != 0) | drawn & np.int64(strength < np.int64(links.draws_in_range[link]))
        readable = np.int64(flags & READABLE != 0)
        able[i] = good & readable | readable << 1
    curves, which = draws.curves, setting.listeners.profile[r]
    if curves.curved[which]:
        sensitivity, shift = setting.listeners.sensitivity_cdbm[r], np.uint64(NOISE_SHIFT)
        for i in range(n):
            link = np.uint64(link_at[i])
            level = np.int64(links.level_cdbm[link])
            if able[i] == 2 and level + draws.widest_cdb >= sensitivity:
                if drawn:
                    level += (draws.fading_cdb * normal_of(scratch.word[i], draws.knots) + 32768) >> 16
                luck = scratch.number[i] >> shift & np.uint64(0xFF)
                need = curves.need[which, mode_of_compiled(np.int64(links.flags[link])), luck]
                able[i] |= np.uint8(level >= sensitivity + need)
    for i in range(n):
        picked[count] = i
        count += np.uint64(able[i] & _BIT)
    for j in range(count):
        at = np.uint64(cell_at[np.uint64(picked[j])])
        cells[at - _ONE] |= _NEAR
        cells[at] |= _NEAR
        cells[at + _ONE] |= _NEAR
    counted = r < window.gateways
    received, weak = np.int64(0), np.int64(0)
    for j in range(count):
        row = np.uint64(picked[j])
        at = np.uint64(cell_at[row])
        others = (cells[at - _ONE] & _COUNT) + (cells[at] & _COUNT) + (cells[at + _ONE] & _COUNT)
        alone = np.int64(others == 1)
        received += alone
        able[row] |= np.uint8(alone << 2)
        if counted:
            outcome.heard[np.uint64(frame_at[row])] |= np.uint8(alone)
        if window.report == ONLY_RECEIVED and alone:
            level = np.int64(links.level_cdbm[np.uint64(link_at[row])])
            if draws.fading_cdb:
                level += (draws.fading_cdb * normal_of(scratch.word[row], draws.knots) + 32768) >> 16
            filled_row = outcome.rows[reported]
            filled_row[0], filled_row[1], filled_row[2], filled_row[3] = frame_at[row], r, RECEIVED, level
            reported += 1
    left = np.uint64(0)
    for i in range(n):
        state = np.int64(able[i])
        near = np.int64(cells[np.uint64(cell_at[i])]) >> 7
        weak += (near ^ 1) & (state >> 1)
        frame_at[left], link_at[left] = frame_at[i], link_at[i]
        left += np.uint64(near & (state >> 2 ^ 1))
    if counted:
        outcome.counts[r, RECEIVED] += received
        outcome.counts[r, OUT_OF_RANGE] += weak
    return np.int64(left), reported
