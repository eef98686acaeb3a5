"""Frames of many meters, compiled: schedule, clock, count, calendar and field table, a block of rows at a time.

What numpy does in some hundred passes over arrays, this does while everything about a block of meters is in the
first-level cache. It is a third writing of the same formulas (schedule.py, physics.py, fields.py), so it is held to
them byte for byte by the tests, and it knows only the common case: healthy meters whose clocks show the plan's day.
Rows of another day are named and left; a value that does not fit is left to numpy, which says what is wrong.

A Plan says for one group and one day which operation fills which bytes; quantities that have no operation here are
worked out by numpy and handed in as columns. What cannot be negative is divided as unsigned, and bytes are stored by
address: an index's check for negative ones would be most of the work.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from arrays.unaligned import copy_16, load_8, load_32, store
from sim.meters.physics import rooms
from sim.meters.physics.heat import FACTOR_ONE, MS_PER_DAY, MS_PER_HOUR
from sim.meters.sending_times import ACC_PREFIX

UNITS, LATCHED, DIFFERENCE, ROOM, RADIATOR, DATETIME, NUMBER, UNMEASURED, COLUMN = range(9)
BINARY, BCD, ASCII = range(3)
BLOCK: Final = 128  # rows whose frames, keys and values stay in the first-level cache
WORK: Final = (7, BLOCK)

PREFIX: Final[NDArray[np.int64]] = np.array(ACC_PREFIX, dtype=np.int64)
_CLASSES, _GAINS, _LIMIT = rooms.CLASSES, rooms.GAINS_MK, rooms.HEATING_LIMIT_MK
_MAX_LOAD, _STEP, _WEEK_DAYS = rooms.MAX_LOAD_MK, np.uint64(rooms.LOAD_STEP_MK), rooms.HOURS_A_WEEK // 24
_MICRO, _HOUR, _MINUTE = np.uint64(rooms.MICRO), np.uint64(MS_PER_HOUR), np.uint64(60_000)
_NS_A_MS, _BYTES_OF_ONE = np.uint64(1_000_000), np.uint64(0x0101010101010101)
_TEN_THOUSAND, _SIXTY = np.uint64(10_000), np.uint64(60)
assert FACTOR_ONE == 1 << 16


@njit(cache=True, nogil=True, error_model="numpy")
def digits_of(number: Any) -> Any:
    """Eight decimal digits as packed BCD, the last two in the lowest byte: fours, twos and ones side by side in one
    word. Division by 100 and 10 is a product and a shift, exact for what can stand there."""
    high = number // _TEN_THOUSAND
    fours = number - high * _TEN_THOUSAND | high << np.uint64(32)
    hundreds = fours * np.uint64(5_243) >> np.uint64(19) & np.uint64(0x0000007F0000007F)
    twos = fours - hundreds * np.uint64(100) | hundreds << np.uint64(16)
    tens = twos * np.uint64(103) >> np.uint64(10) & np.uint64(0x000F000F000F000F)
    packed = twos + np.uint64(6) * tens
    packed = (packed | packed >> np.uint64(8)) & np.uint64(0x0000FFFF0000FFFF)
    return np.uint32((packed | packed >> np.uint64(16)) & np.uint64(0xFFFFFFFF))


@njit(cache=True, nogil=True, error_model="numpy")
def _letters_of(digits: Any) -> Any:
    """Packed BCD as eight ASCII digits, the last one first."""
    word = np.uint64(digits)
    word = (word | word << np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    word = (word | word << np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    return (word | word << np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F) | np.uint64(0x3030303030303030)


@njit(cache=True, nogil=True, error_model="numpy")
def _write(to: int, stride: int, rows: int, offset: int, encoding: int, width: int, values: Any) -> None:
    """One value a row, at `offset` of each frame. The number as ASCII is made of the address, which has its digits."""
    at = to + offset
    if encoding == BINARY and width == 2:
        for row in range(rows):
            store(np.uint16(values[row]), at + row * stride)
    elif encoding == BINARY and width == 4:
        for row in range(rows):
            store(np.uint32(values[row]), at + row * stride)
    elif encoding == BINARY:
        for row in range(rows):
            for byte in range(width):
                store(np.uint8(values[row] >> 8 * byte), at + row * stride + byte)
    elif encoding == BCD:
        for row in range(rows):
            digits = digits_of(np.uint64(values[row])) if values[row] >= 0 else np.uint32(0xFFFFFFFF)
            for byte in range(width):
                store(np.uint8(digits >> np.uint32(8 * byte)), at + row * stride + byte)
    else:
        for row in range(rows):
            store(_letters_of(load_32(to + row * stride + 4)), at + row * stride)


@njit(cache=True, nogil=True, error_model="numpy")
def _since(counts: Any, end: int, begin: int, rows: int, room: Any, factor: Any, less: bool, value: Any) -> None:
    """Units from one hour of the tables to another into `value`, or taken off it."""
    for row in range(rows):
        until = counts[np.uint64(end * _CLASSES + room[row])] * factor[row] >> 16
        since = counts[np.uint64(begin * _CLASSES + room[row])] * factor[row] >> 16
        units = np.int64(np.uint64(until - since) // _MICRO)
        value[row] = value[row] - units if less else units


@njit(cache=True, nogil=True, error_model="numpy")
def fill_block(
    to: int, stride: int, size: int, first: int, rows: int, keys: Any, ivs: Any, work: Any, left: Any, lefts: int,
    template: Any, places: Any, operations: Any, columns: Any, meter: Any, k: Any, day: int, epoch_ms: int,
    t0_ns: Any, period_ns: Any, drift_ppb: Any, offset_ms: Any, all_keys: Any, acc0: Any, number: Any, rooms_of: Any,
    factors: Any, unmeasured: Any, battery_low_day: Any, counts: Any, free: Any, wanted: Any, over: Any,
    first_hour: int,
) -> int:  # fmt: skip
    """All of each frame but what its key makes, of rows `first` to `first + rows`, to the address `to`; each row's key
    and mode 5 IV as two 64-bit words. Rows whose clock shows another day go into `left`, which has `lefts` already;
    returns how many it has then, or -1 where a value does not fit.

    `places`: where ACC, the ELL's ACC (or -1), STS and the long header's ID (or -1) stand, then the status byte idle
    and with low power. `operations`: rows of operation, place, encoding, width, lowest, limit, four parameters.
    """
    room, factor, count, want, freed, value, clock = (
        work[0], work[1], work[2], work[3], work[4], work[5], work[6],
    )  # fmt: skip
    template_at = np.int64(template.ctypes.data)
    addressed = np.uint64(0)  # the address as one word, the id still zero
    for byte in range(8):
        addressed |= np.uint64(template[2 + byte]) << np.uint64(8 * byte)
    midnight = day * MS_PER_DAY
    week_hour, hour_0 = day % _WEEK_DAYS * 24, day * 24 - first_hour
    for row in range(rows):
        one, number_k = np.uint64(meter[first + row]), k[first + row]
        acc = np.int64(acc0[one])
        access = acc + number_k & 255
        period = period_ns[one]
        start = t0_ns[one] + number_k * period + ((PREFIX[np.uint64(access)] - PREFIX[np.uint64(acc)]) * period >> 11)
        gained = np.int64(np.uint64(start) // _NS_A_MS) * np.int64(drift_ppb[one]) // 1_000
        now: Any = np.int64(np.uint64(start + gained) // _NS_A_MS) + np.int64(offset_ms[one]) + epoch_ms - midnight
        if np.uint64(now) >= np.uint64(MS_PER_DAY):
            left[lefts] = first + row
            lefts += 1
            now = 0
        clock[row] = now
        its_room, its_factor = np.int64(rooms_of[one]), np.int64(factors[one])
        frame = to + row * stride
        if size < 16:
            for byte in range(size):
                store(load_8(template_at + byte), frame + byte)
        else:  # sixteen bytes at a time, the last over what is there already
            for byte in range(0, size - 15, 16):
                copy_16(template_at + byte, frame + byte)
            copy_16(template_at + size - 16, frame + size - 16)
        digits = digits_of(np.uint64(number[one]))
        store(digits, frame + 4)
        if places[3] >= 0:
            store(digits, frame + places[3])
        ivs[row, 0] = addressed | np.uint64(digits) << np.uint64(16)
        ivs[row, 1] = np.uint64(access) * _BYTES_OF_ONE
        keys[row, 0], keys[row, 1] = all_keys[one, 0], all_keys[one, 1]
        store(np.uint8(access), frame + places[0])
        if places[1] >= 0:
            store(np.uint8(access), frame + places[1])
        store(np.uint8(places[4] if day < battery_low_day[one] else places[5]), frame + places[2])
        hour = np.int64(np.uint64(now) // _HOUR)
        cell = (hour_0 + hour) * _CLASSES + its_room
        before = counts[np.uint64(cell)]
        step = np.uint64(counts[np.uint64(cell + _CLASSES)] - before) * np.uint64(now - hour * MS_PER_HOUR)
        room[row], factor[row] = its_room, its_factor
        count[row] = (before + np.int64(step // _HOUR)) * its_factor >> 16
        want[row] = wanted[np.uint64((week_hour + hour) * _CLASSES + its_room)]
        freed[row] = free[np.uint64(hour_0 + hour)]
    for index in range(len(operations)):
        what, p, q = operations[index, 0], operations[index, 6], operations[index, 7]
        if what == UNITS:
            for row in range(rows):
                begun = counts[np.uint64(p * _CLASSES + room[row])] * factor[row] >> 16
                value[row] = np.int64(np.uint64(count[row] - begun) // _MICRO)
        elif what in (LATCHED, DIFFERENCE):
            _since(counts, p, q, rows, room, factor, False, value)
            if what == DIFFERENCE:
                _since(counts, operations[index, 8], operations[index, 9], rows, room, factor, True, value)
        elif what == ROOM:
            half = p // 2
            for row in range(rows):
                value[row] = max(want[row], freed[row]) + half
        elif what == RADIATOR:
            half = p // 2
            for row in range(rows):
                load = min(max(want[row] - freed[row], 0), _MAX_LOAD)
                if freed[row] - _GAINS >= _LIMIT:
                    load = 0
                value[row] = max(want[row], freed[row]) + over[np.uint64(load) // _STEP] + half
        elif what == DATETIME:
            for row in range(rows):
                minute = np.uint64(clock[row]) // _MINUTE
                hours = minute // _SIXTY
                value[row] = minute - hours * _SIXTY | hours << np.uint64(8) | np.uint64(p) << np.uint64(16)
        elif what == NUMBER:
            for row in range(rows):
                value[row] = number[np.uint64(meter[first + row])]
        elif what == UNMEASURED:
            for row in range(rows):
                value[row] = unmeasured[np.uint64(meter[first + row])]
        else:
            for row in range(rows):
                value[row] = columns[p, first + row]
        if what in (ROOM, RADIATOR):  # only two units occur, and dividing by a constant is many times faster
            if p == 100:
                for row in range(rows):
                    value[row] = np.uint64(value[row]) // np.uint64(100)
            else:
                for row in range(rows):
                    value[row] = np.uint64(value[row]) // np.uint64(10)
        lowest, beyond = operations[index, 4], np.uint64(operations[index, 5] - operations[index, 4])
        amiss: Any = False
        for row in range(rows):
            amiss |= np.uint64(value[row] - lowest) >= beyond
        if amiss:
            return -1
        _write(to, stride, rows, operations[index, 1], operations[index, 2], operations[index, 3], value)
    return lefts


@njit(cache=True, nogil=True, error_model="numpy")
def fill(
    frames: Any, keys: Any, ivs: Any, left: Any,
    template: Any, places: Any, operations: Any, columns: Any, meter: Any, k: Any, day: int, epoch_ms: int,
    t0_ns: Any, period_ns: Any, drift_ppb: Any, offset_ms: Any, all_keys: Any, acc0: Any, number: Any, rooms_of: Any,
    factors: Any, unmeasured: Any, battery_low_day: Any, counts: Any, free: Any, wanted: Any, over: Any,
    first_hour: int,
) -> Any:  # fmt: skip
    """`fill_block` for all rows, for processors whose ciphers come after."""
    work, lefts, stride = np.empty(WORK, np.int64), np.int64(0), frames.strides[0]
    for first in range(0, len(meter), BLOCK):
        rows = min(BLOCK, len(meter) - first)
        lefts = fill_block(
            np.int64(frames.ctypes.data) + first * stride, stride, len(template), first, rows, keys[first:],
            ivs[first:], work, left, lefts, template, places, operations, columns, meter, k, day, epoch_ms, t0_ns,
            period_ns, drift_ppb, offset_ms, all_keys, acc0, number, rooms_of, factors, unmeasured, battery_low_day,
            counts, free, wanted, over, first_hour,
        )
        if lefts < 0:
            return -1
    return lefts
