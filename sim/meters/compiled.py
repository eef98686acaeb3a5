"""Frames of many meters in one pass, compiled: schedule, clock, count, calendar and field table in a single loop.

What numpy does in some hundred passes over arrays, this does row by row while everything about a meter is in the
processor's registers. It is a third writing of the same formulas (schedule.py, physics.py, fields.py), so it is held to
them byte for byte by the tests, and it knows only the common case: healthy meters whose clocks all show the same day.
Whatever else comes is left to numpy.

A Plan says for one group and one day which operation fills which bytes; quantities that have no operation here are
worked out by numpy and handed in as columns.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.meters import rooms
from sim.meters.physics import FACTOR_ONE, MS_PER_DAY, MS_PER_HOUR
from sim.meters.schedule import ACC_PREFIX
from wmbus.crc_instructions import copy_16

# Imported by name: type checkers meet a machine without numba too.
njit: Any = importlib.import_module("numba").njit

UNITS, LATCHED, DIFFERENCE, ROOM, RADIATOR, DATETIME, NUMBER, UNMEASURED, COLUMN = range(9)
BINARY, BCD, ASCII = range(3)
_BLOCK: Final = 256

PREFIX: Final[NDArray[np.int64]] = np.array(ACC_PREFIX, dtype=np.int64)
_CLASSES, _MICRO, _GAINS, _LIMIT = rooms.CLASSES, rooms.MICRO, rooms.GAINS_MK, rooms.HEATING_LIMIT_MK
_MAX_LOAD, _STEP, _WEEK = rooms.MAX_LOAD_MK, rooms.LOAD_STEP_MK, rooms.HOURS_A_WEEK
assert FACTOR_ONE == 1 << 16


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def clocks(
    meter: Any, k: Any, t0_ns: Any, period_ns: Any, acc0: Any, drift_ppb: Any, offset_ms: Any, epoch_ms: int, ms: Any
) -> Any:
    """What each meter's clock shows when its telegram begins, into `ms`; the earliest and the latest of them."""
    low, high = np.int64(1 << 62), np.int64(-1 << 62)
    for row in range(len(meter)):
        one = meter[row]
        acc = np.int64(acc0[one])
        ahead = PREFIX[acc + k[row] & 255] - PREFIX[acc]
        start = t0_ns[one] + k[row] * period_ns[one] + (ahead * period_ns[one] >> 11)
        gained = start // 1_000_000 * np.int64(drift_ppb[one]) // 1_000
        now = (start + gained) // 1_000_000 + np.int64(offset_ms[one]) + epoch_ms
        ms[row] = now
        low, high = min(low, now), max(high, now)
    return low, high


@njit(cache=True, nogil=True, error_model="numpy", inline="always")  # type: ignore[untyped-decorator]
def _at_hour(counts: Any, hour: Any, room: Any, factor: Any) -> Any:
    return counts[hour * _CLASSES + room] * factor >> 16


@njit(cache=True, nogil=True, error_model="numpy", inline="always")  # type: ignore[untyped-decorator]
def _rounded(mk: Any, per: Any) -> Any:
    """Only two units occur, and dividing by a constant is many times faster."""
    return (mk + 50) // 100 if per == 100 else (mk + 5) // 10


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _write(frames: Any, first: Any, rows: Any, at: Any, encoding: Any, width: Any, values: Any) -> None:
    """One value a row into the frames. The number as ASCII is copied from the address, which has its digits."""
    if encoding == BINARY and width == 2:
        for row in range(rows):
            frames[first + row, at] = values[row] & 0xFF
            frames[first + row, at + 1] = values[row] >> 8 & 0xFF
    elif encoding == BINARY and width == 4:
        for row in range(rows):
            for byte in range(4):  # of a known length: the compiler unrolls it
                frames[first + row, at + byte] = values[row] >> 8 * byte & 0xFF
    elif encoding == BINARY:
        for byte in range(width):
            for row in range(rows):
                frames[first + row, at + byte] = values[row] >> 8 * byte & 0xFF
    elif encoding == BCD:
        for row in range(rows):
            rest = values[row]
            for byte in range(width):
                pair = rest % 100
                rest //= 100
                frames[first + row, at + byte] = pair // 10 << 4 | pair % 10
            if values[row] < 0:
                for byte in range(width):
                    frames[first + row, at + byte] = 0xFF
    elif width == 8:
        for row in range(rows):
            for byte in range(4):
                both = np.int64(frames[first + row, 4 + byte])
                frames[first + row, at + 2 * byte] = 0x30 | both & 0x0F
                frames[first + row, at + 2 * byte + 1] = 0x30 | both >> 4
    else:
        for row in range(rows):
            for byte in range(width):
                both = np.int64(frames[first + row, 4 + (byte >> 1)])
                frames[first + row, at + byte] = 0x30 | (both >> 4 if byte & 1 else both & 0x0F)


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def fill(
    frames: Any, keys: Any, ivs: Any, template: Any, places: Any, operations: Any, columns: Any,
    meter: Any, k: Any, ms: Any, day: int,
    all_keys: Any, acc0: Any, number: Any, rooms_of: Any, factors: Any, unmeasured: Any, battery_low_day: Any,
    counts: Any, free: Any, wanted: Any, over: Any, first_hour: int,
) -> int:  # fmt: skip
    """All of each frame but what its key makes, and each row's key and mode 5 IV as two 64-bit words. Returns a row
    with a value that does not fit, else -1.

    `places`: where ACC, the ELL's ACC (or -1), STS and the long header's ID (or -1) stand, then the status byte idle
    and with low power. `operations`: rows of operation, place, encoding, width, lowest, limit, four parameters.
    Rows go through in blocks, so that each operation is chosen once a block and its inputs are still at hand.
    """
    room, factor, count = np.empty(_BLOCK, np.int64), np.empty(_BLOCK, np.int64), np.empty(_BLOCK, np.int64)
    want, freed, value = np.empty(_BLOCK, np.int64), np.empty(_BLOCK, np.int64), np.empty(_BLOCK, np.int64)
    addressed = np.int64(0)  # the address as one word, the id still zero
    for byte in range(8):
        addressed |= np.int64(template[2 + byte]) << 8 * byte
    size = len(template)
    frames_at, template_at = np.int64(frames.ctypes.data), np.int64(template.ctypes.data)
    for first in range(0, len(meter), _BLOCK):
        rows = min(_BLOCK, len(meter) - first)
        for row in range(rows):
            at = first + row
            one = meter[at]
            its_room, its_factor = np.int64(rooms_of[one]), np.int64(factors[one])
            now = ms[at]
            hour = now // MS_PER_HOUR
            if size < 16:
                for byte in range(size):
                    frames[at, byte] = template[byte]
            else:  # sixteen bytes at a time, the last over what is there already
                to = frames_at + at * frames.strides[0]
                for byte in range(0, size - 15, 16):
                    copy_16(template_at + byte, to + byte)
                copy_16(template_at + size - 16, to + size - 16)
            rest = np.int64(number[one])
            address = addressed
            for byte in range(4):
                pair = rest % 100
                rest //= 100
                pair = pair // 10 << 4 | pair % 10
                frames[at, 4 + byte] = pair
                address |= pair << 16 + 8 * byte
            if places[3] >= 0:
                for byte in range(4):
                    frames[at, places[3] + byte] = frames[at, 4 + byte]
            access = (np.int64(acc0[one]) + k[at]) & 0xFF
            ivs[at, 1] = access * 0x0101010101010101
            ivs[at, 0] = address
            keys[at, 0], keys[at, 1] = all_keys[one, 0], all_keys[one, 1]
            frames[at, places[0]] = access
            if places[1] >= 0:
                frames[at, places[1]] = access
            frames[at, places[2]] = places[4] if day < battery_low_day[one] else places[5]
            cell = (hour - first_hour) * _CLASSES + its_room
            before = counts[cell]
            grown = (counts[cell + _CLASSES] - before) * (now - hour * MS_PER_HOUR) // MS_PER_HOUR
            room[row], factor[row] = its_room, its_factor
            count[row] = (before + grown) * its_factor >> 16
            want[row] = wanted[hour % _WEEK * _CLASSES + its_room]
            freed[row] = free[hour - first_hour]
        for index in range(len(operations)):
            what, p, q = operations[index, 0], operations[index, 6], operations[index, 7]
            if what == UNITS:
                for row in range(rows):
                    value[row] = (count[row] - _at_hour(counts, p, room[row], factor[row])) // _MICRO
            elif what in (LATCHED, DIFFERENCE):
                for row in range(rows):
                    begun = _at_hour(counts, q, room[row], factor[row])
                    value[row] = (_at_hour(counts, p, room[row], factor[row]) - begun) // _MICRO
                if what == DIFFERENCE:
                    p, q = operations[index, 8], operations[index, 9]
                    for row in range(rows):
                        begun = _at_hour(counts, q, room[row], factor[row])
                        value[row] -= (_at_hour(counts, p, room[row], factor[row]) - begun) // _MICRO
            elif what == ROOM:
                for row in range(rows):
                    value[row] = _rounded(max(want[row], freed[row]), p)
            elif what == RADIATOR:
                for row in range(rows):
                    load = min(max(want[row] - freed[row], 0), _MAX_LOAD)
                    if freed[row] - _GAINS >= _LIMIT:
                        load = 0
                    value[row] = _rounded(max(want[row], freed[row]) + over[load // _STEP], p)
            elif what == DATETIME:
                for row in range(rows):
                    minute = (ms[first + row] - day * MS_PER_DAY) // 60_000
                    value[row] = minute % 60 | (minute // 60) << 8 | p << 16
            elif what == NUMBER:
                for row in range(rows):
                    value[row] = number[meter[first + row]]
            elif what == UNMEASURED:
                for row in range(rows):
                    value[row] = unmeasured[meter[first + row]]
            else:
                for row in range(rows):
                    value[row] = columns[p, first + row]
            lowest, limit = operations[index, 4], operations[index, 5]
            amiss = False
            for row in range(rows):
                amiss |= (value[row] < lowest) | (value[row] >= limit)
            if amiss:
                return first
            _write(frames, first, rows, operations[index, 1], operations[index, 2], operations[index, 3], value)
    return -1
