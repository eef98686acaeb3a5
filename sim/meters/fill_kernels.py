"""Frames of many meters, compiled: schedule, clock, calendar and field table, a block of rows at a time.

Everything about a block of meters is in the first-level cache while it is worked on. It knows only the common case:
healthy meters whose clocks show the form's day. Rows of another day are named and left; where a value does not fit all
are left to `Fleet.telegram`, which says what is wrong.

A Form says for one group and one day which operation fills which bytes; each operation is one branch here over the
formulas that `evaluate` uses too. Bytes are stored by address: an index's check for negative ones would be most of the
work.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from arrays.plain_or_compiled import signed
from arrays.unaligned import copy_16, load_8, store
from sim.meters import quantities
from sim.meters.day_steps import MINUTES
from sim.meters.physics.formulas import (
    CLASSES,
    FACTOR_ONE,
    HEAT,
    HOURS_A_WEEK,
    MS_PER_DAY,
    MS_PER_HOUR,
    WATER,
    Tables,
    between,
    drawn,
    heat_cell,
    load_step,
    minutes_word,
    pipe_c,
    power_w,
    profile_row,
    rated,
    room_mk,
    seconds_word,
)  # fmt: skip
from sim.meters.sending_times import ACC_PREFIX
from sim.meters.write_kernels import digits_of, fits, write

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
U8 = NDArray[np.uint8]
Records = NDArray[np.void]  # of population.METER

BLOCK: Final = 192  # rows whose frames, keys and values stay in the first-level cache
ROOM, FACTOR, WANTED, FREE, CLOCK, VALUE, OTHER, METER_NUMBER = range(8)
"""Columns of values, each BLOCK long: a meter's room class and factor, its temperatures in mK, ms of its day, what is
being worked out; its number."""
WORK: Final = (8, BLOCK)
OP, PLACE, KIND, WIDTH, LOWEST, BEYOND = range(6)
OF, SOURCES, END, BEGIN, LESS_END, LESS_BEGIN, TIMES, PER, VALUE_OF_DAY = range(6, 15)
PREFIX: Final[I64] = np.array(ACC_PREFIX, dtype=np.int64)
_WEEK_DAYS = HOURS_A_WEEK // 24
_HOUR, _NS_A_MS, _BYTES_OF_ONE = np.uint64(MS_PER_HOUR), np.uint64(1_000_000), np.uint64(0x0101010101010101)
assert FACTOR_ONE == 1 << 16


class Form(NamedTuple):
    """The frames of one group on one day of the meters' clocks, days since 2000; `epoch_ms`: of world time 0.

    `places`: where access number, the ELL's access number, status and the long header's id stand (-1: nowhere), then
    the status byte idle and with low power. `steps`: rows of operation, place in the frame, encoding, and the numbers
    of a day_steps.Step, in the columns OP to VALUE_OF_DAY."""

    template: U8
    places: I64
    steps: I64
    day: int
    epoch_ms: int


class Asked(NamedTuple):
    """Telegram `k` of `meter`, and room for one row more: those `left` because their clocks show another day, and
    those to be made `again`."""

    meter: I64
    k: I64
    left: I64
    again: I64


class Scratch(NamedTuple):
    """Each row's key and mode 5 IV, two words each, and columns of values."""

    keys: U64
    ivs: U64
    work: I64


class Block(NamedTuple):
    """Rows `first` to `first + rows`, whose frames go to the address `to` and every `stride` bytes after it; `lefts`:
    so many rows are left already."""

    to: int
    stride: int
    first: int
    rows: int
    lefts: int


class Span(NamedTuple):
    """What is counted between: hours since the tables begin, `end` -1: now, `begin` -1: since they begin; and `since`,
    ms from the tables to the day."""

    end: int
    begin: int
    since: int


@njit(cache=True, nogil=True, error_model="numpy")
def _scale(work: I64, of: int, rows: int, times: int, per: int) -> None:
    """times / per of what is not negative. Dividing by a constant is many times faster than by a variable."""
    if times != 1:
        for row in range(rows):
            work[of, row] *= times
    if per == 1_000_000:
        for row in range(rows):
            work[of, row] = np.uint64(work[of, row]) // np.uint64(1_000_000)
    elif per == 1_000:
        for row in range(rows):
            work[of, row] = np.uint64(work[of, row]) // np.uint64(1_000)
    elif per == 100:
        for row in range(rows):
            work[of, row] = np.uint64(work[of, row]) // np.uint64(100)
    elif per == 10:
        for row in range(rows):
            work[of, row] = np.uint64(work[of, row]) // np.uint64(10)
    elif per != 1:
        for row in range(rows):
            work[of, row] = np.uint64(work[of, row]) // np.uint64(per)


@njit(cache=True, nogil=True, error_model="numpy")
def _count_heat(span: Span, rows: int, counts: I64, work: I64, out: int) -> None:
    """What each radiator's meter counted."""
    end, begin, since = span
    if end >= 0 and begin >= 0:
        for row in range(rows):
            room, factor = work[ROOM, row], work[FACTOR, row]
            before = rated(counts[np.uint64(heat_cell(begin, room))], factor)
            work[out, row] = rated(counts[np.uint64(heat_cell(end, room))], factor) - before
        return
    if end >= 0:
        for row in range(rows):
            work[out, row] = rated(counts[np.uint64(heat_cell(end, work[ROOM, row]))], work[FACTOR, row])
    else:
        hour_0 = since // MS_PER_HOUR
        for row in range(rows):
            hour = signed(np.uint64(work[CLOCK, row]) // _HOUR)
            cell = heat_cell(hour_0 + hour, work[ROOM, row])
            before, after = counts[np.uint64(cell)], counts[np.uint64(cell + CLASSES)]
            work[out, row] = rated(between(before, after, work[CLOCK, row] - hour * MS_PER_HOUR), work[FACTOR, row])
    if begin >= 0:
        for row in range(rows):
            work[out, row] -= rated(counts[np.uint64(heat_cell(begin, work[ROOM, row]))], work[FACTOR, row])


@njit(cache=True, nogil=True, error_model="numpy")
def _count_used(source: int, span: Span, rows: int, profiles: I64, work: I64, out: int) -> None:
    """The same of water or a tariff."""
    end, begin, since = span
    for row in range(rows):
        ms = since + work[CLOCK, row] if end < 0 else end * MS_PER_HOUR
        hour = signed(np.uint64(ms) // _HOUR)
        week = signed(np.uint64(hour) // np.uint64(HOURS_A_WEEK))
        first = profile_row(source, work[ROOM, row])
        cell = first + hour - week * HOURS_A_WEEK
        of_week = between(profiles[np.uint64(cell)], profiles[np.uint64(cell + 1)], ms - hour * MS_PER_HOUR)
        used = rated(week * profiles[np.uint64(first + HOURS_A_WEEK)] + of_week, work[FACTOR, row])
        if source == WATER:
            used = drawn(used, work[METER_NUMBER, row])
        if begin >= 0:
            week = begin // HOURS_A_WEEK
            of_week = profiles[np.uint64(first + begin - week * HOURS_A_WEEK)]
            before = rated(week * profiles[np.uint64(first + HOURS_A_WEEK)] + of_week, work[FACTOR, row])
            used -= drawn(before, work[METER_NUMBER, row]) if source == WATER else before
        work[out, row] = used


@njit(cache=True, nogil=True, error_model="numpy")
def _heat(rows: int, since: int, counts: I64, work: I64, out: int) -> None:
    """Heat each row's flat takes now, W."""
    for row in range(rows):
        cell = heat_cell(signed(np.uint64(since + work[CLOCK, row]) // _HOUR), work[ROOM, row])
        work[out, row] = power_w(counts[np.uint64(cell)], counts[np.uint64(cell + CLASSES)], work[FACTOR, row])


@njit(cache=True, nogil=True, error_model="numpy")
def _radiators(rows: int, over: I64, work: I64, more: int) -> None:
    """Radiator temperature of each row, mK, and `more`."""
    for row in range(rows):
        wanted, free = work[WANTED, row], work[FREE, row]
        work[VALUE, row] = room_mk(wanted, free) + over[np.uint64(load_step(wanted, free))] + more


@njit(cache=True, nogil=True, error_model="numpy")
def _clocks(form: int, rows: int, of_day: int, work: I64) -> None:
    """Each row's date and time."""
    if form == MINUTES:
        for row in range(rows):
            work[VALUE, row] = minutes_word(work[CLOCK, row]) | of_day
    else:
        for row in range(rows):
            work[VALUE, row] = seconds_word(work[CLOCK, row]) | of_day


@njit(cache=True, nogil=True, error_model="numpy")
def _own(of: int, first: int, rows: int, meter: I64, meters: Records, work: I64) -> None:
    """What each row's meter holds."""
    if of == quantities.NUMBER:
        for row in range(rows):
            work[VALUE, row] = meters[np.uint64(meter[first + row])].number
    else:
        for row in range(rows):
            work[VALUE, row] = meters[np.uint64(meter[first + row])].unmeasured_minutes


@njit(cache=True, nogil=True, error_model="numpy")
def fill_block(block: Block, form: Form, asked: Asked, scratch: Scratch, meters: Records, tables: Tables) -> int:
    """All of each frame but what its key makes. Rows whose clock shows another day go into `asked.left`; returns how
    many stand there then, or -1 where a value does not fit."""
    to, stride, first, rows, _ = block
    hour_0 = form.day * 24 - tables.first_hour
    lefts: int = _begin(block, form, asked, scratch, meters, tables, hour_0)
    work, steps, counts, profiles, over = scratch.work, form.steps, tables.counts, tables.profiles, tables.over
    since = hour_0 * MS_PER_HOUR
    for index in range(len(steps)):
        op, of, add = steps[index, OP], steps[index, OF], steps[index, VALUE_OF_DAY]
        times, per = steps[index, TIMES], steps[index, PER]
        if op == quantities.COUNT:
            for source in range(of, of + steps[index, SOURCES]):
                for part in range(1 if steps[index, LESS_END] < 0 else 2):
                    end = steps[index, LESS_END if part else END]
                    begin = steps[index, LESS_BEGIN if part else BEGIN]
                    span = Span(end, begin, since)
                    out = VALUE if source == of and part == 0 else OTHER
                    if source == HEAT:
                        _count_heat(span, rows, counts, work, out)
                    else:
                        _count_used(source, span, rows, profiles, work, out)
                    _scale(work, out, rows, times, per)
                    if part:
                        for row in range(rows):
                            work[VALUE, row] -= work[OTHER, row]
                    elif out == OTHER:
                        for row in range(rows):
                            work[VALUE, row] += work[OTHER, row]
        elif op == quantities.CLOCK:
            _clocks(of, rows, add, work)
        elif op == quantities.OWN:
            _own(of, first, rows, asked.meter, meters, work)
        elif op == quantities.ROOM:
            for row in range(rows):
                work[VALUE, row] = room_mk(work[WANTED, row], work[FREE, row]) + per // 2
            _scale(work, VALUE, rows, 1, per)
        elif op == quantities.RADIATOR:
            _radiators(rows, over, work, per // 2)
            _scale(work, VALUE, rows, 1, per)
        elif op == quantities.PIPE:
            _radiators(rows, over, work, 0)
            _heat(rows, since, counts, work, OTHER)
            for row in range(rows):
                work[VALUE, row] = pipe_c(work[VALUE, row], add if work[OTHER, row] > 0 else 0)
        elif op == quantities.POWER:
            _heat(rows, since, counts, work, VALUE)
            _scale(work, VALUE, rows, times, per)
        else:  # SPREAD
            _heat(rows, since, counts, work, OTHER)
            for row in range(rows):
                work[VALUE, row] = times if work[OTHER, row] > 0 else 0
        if not fits(work, VALUE, rows, steps[index, LOWEST], steps[index, BEYOND]):
            return -1
        write(to + steps[index, PLACE], stride, rows, steps[index, KIND], steps[index, WIDTH], work, VALUE)
    return lefts


@njit(cache=True, nogil=True, error_model="numpy")
def _begin(
    block: Block, form: Form, asked: Asked, scratch: Scratch, meters: Records, tables: Tables, hour_0: int
) -> int:
    """Template, address, access number and status of each row, and the columns that its values need. Returns how many
    rows are left. `hour_0`: from the tables to the day."""
    to, stride, first, rows, lefts = block
    size, day, epoch_ms = len(form.template), form.day, form.epoch_ms
    work, keys, ivs = scratch.work, scratch.keys, scratch.ivs
    asked_meter, asked_k, left = asked.meter, asked.k, asked.left
    wanted, free, template_at = tables.wanted, tables.free, signed(form.template.ctypes.data)
    places = form.places
    acc_at, ell_at, sts_at, id_at, idle, low_power = places[0], places[1], places[2], places[3], places[4], places[5]
    addressed = np.uint64(0)  # the address as one word, the id still zero
    for byte in range(8):
        addressed |= np.uint64(form.template[2 + byte]) << np.uint64(8 * byte)
    midnight = day * MS_PER_DAY
    week_hour = day % _WEEK_DAYS * 24
    for row in range(rows):
        one, k = meters[np.uint64(asked_meter[first + row])], asked_k[first + row]
        acc = signed(one.acc0)
        access = acc + k & 255
        period = one.period_ns
        start = one.t0_ns + k * period + ((PREFIX[np.uint64(access)] - PREFIX[np.uint64(acc)]) * period >> 11)
        gained = signed(np.uint64(start) // _NS_A_MS) * signed(one.drift_ppb) // 1_000
        shown = signed(np.uint64(start + gained) // _NS_A_MS) + signed(one.clock_offset_ms)
        now: Any = shown + epoch_ms - midnight
        if np.uint64(now) >= np.uint64(MS_PER_DAY):
            left[lefts] = first + row
            lefts += 1
            now = 0
        frame = to + row * stride
        if size < 16:
            for byte in range(size):
                store(load_8(template_at + byte), frame + byte)
        else:  # sixteen bytes at a time, the last over what is there already
            for byte in range(0, size - 15, 16):
                copy_16(template_at + byte, frame + byte)
            copy_16(template_at + size - 16, frame + size - 16)
        digits = digits_of(np.uint64(one.number))
        store(digits, frame + 4)
        if id_at >= 0:
            store(digits, frame + id_at)
        ivs[row, 0] = addressed | np.uint64(digits) << np.uint64(16)
        ivs[row, 1] = np.uint64(access) * _BYTES_OF_ONE
        keys[row, 0], keys[row, 1] = one.key_first, one.key_last
        if acc_at >= 0:
            store(np.uint8(access), frame + acc_at)
            store(np.uint8(idle if day < one.battery_low_day else low_power), frame + sts_at)
        if ell_at >= 0:
            store(np.uint8(access), frame + ell_at)
        hour, room = signed(np.uint64(now) // _HOUR), signed(one.room)
        work[ROOM, row], work[FACTOR, row], work[CLOCK, row] = room, signed(one.factor_q16), now
        work[METER_NUMBER, row] = signed(one.number)
        work[WANTED, row] = wanted[np.uint64(heat_cell(week_hour + hour, room))]
        work[FREE, row] = free[np.uint64(hour_0 + hour)]
    return lefts


@njit(cache=True, nogil=True, error_model="numpy")
def fill(frames: U8, keys: U64, ivs: U64, form: Form, asked: Asked, meters: Records, tables: Tables) -> int:
    """`fill_block` for all rows, for processors whose ciphers come after. Returns how many rows are left, or -1."""
    work, lefts, stride = np.empty(WORK, np.int64), signed(0), frames.strides[0]
    for first in range(0, len(asked.meter), BLOCK):
        rows = min(BLOCK, len(asked.meter) - first)
        block = Block(signed(frames.ctypes.data) + first * stride, stride, first, rows, lefts)
        lefts = fill_block(block, form, asked, Scratch(keys[first:], ivs[first:], work), meters, tables)
        if lefts < 0:
            return -1
    return lefts
