"""The formulas of what meters measure, each written once: called as plain Python for one meter, compiled for many.

Plain integers only: the caller looks the numbers up in `Tables`, which holds arrays for compiled code and memoryviews
for Python. (An array passed to a function costs compiled code a reference count, more than the formula.) Time is the
meter's own clock, in hours or milliseconds since the tables begin; all of it is past then, so nothing is negative.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays.plain_or_compiled import quotient, shared
from sim.meters.physics import rooms

MS_PER_HOUR: Final = 3_600_000
MS_PER_DAY: Final = 24 * MS_PER_HOUR
FACTOR_ONE: Final = 1 << 16  # rating factors are Q16
HEAT, WATER, HIGH_TARIFF, LOW_TARIFF = range(4)
"""What is counted: millionths of a unit, millilitres, and milliwatt hours in each tariff."""
CLASSES, HOURS_A_WEEK, MICRO = rooms.CLASSES, rooms.HOURS_A_WEEK, rooms.MICRO
PROFILE_HOURS: Final = HOURS_A_WEEK + 1
_HABITS = len(rooms.HABITS)
_GAINS, _LIMIT, _MAX_LOAD, _STEP = rooms.GAINS_MK, rooms.HEATING_LIMIT_MK, rooms.MAX_LOAD_MK, rooms.LOAD_STEP_MK
SMALL_ML: Final = 8_000
LARGE_ML: Final = 48_000
"""Taps, cisterns and a kitchen; a shower, a bath or a machine. Assumed, not measured: docs/models/meters.md."""
FLAT_KWH_A_UNIT: Final = 9
_WH_A_UNIT: Final = FLAT_KWH_A_UNIT * 1_000
Numbers = NDArray[np.int64] | memoryview


class Tables(NamedTuple):
    """What `formulas` look up, laid flat. `counts`: by hour and room class; `free`: the unheated room by hour, mK;
    `wanted`: by hour of the week and class, mK; `over`: radiator over room by load, mK; `profiles`: for each source
    after HEAT and each habit, what was used by each hour of a week; `first_hour`: hours from 2000 to the tables."""

    counts: Numbers
    free: Numbers
    wanted: Numbers
    over: Numbers
    profiles: Numbers
    first_hour: int


@shared
def heat_cell(hour: int, room: int) -> int:
    """Where a room class's count at the beginning of an hour stands; that of an hour later is CLASSES further on."""
    return hour * CLASSES + room


@shared
def profile_row(source: int, room: int) -> int:
    """Where the week of WATER or a tariff begins, for the habit of a room class; the whole week's stands at its end,
    HOURS_A_WEEK further on."""
    return ((source - 1) * _HABITS + room % _HABITS) * PROFILE_HOURS


@shared
def rated(amount: int, factor: int) -> int:
    """What a meter of this rating factor shows of what its class counts."""
    return amount * factor >> 16


@shared
def between(before: int, after: int, ms_of_hour: int) -> int:
    """Counted within an hour that began with `before` and ends with `after`: a straight line."""
    return before + quotient((after - before) * ms_of_hour, MS_PER_HOUR)


@shared
def _word(number: int, place: int) -> int:
    """31 bits that are always the same for a meter's number and a place, and look like nothing: where a draw falls is
    drawn, not computed from the clock. Products stay below 2**62."""
    word = number + place * 0x9E3779B1 & 0x7FFFFFFF
    word = (word ^ word >> 15) * 0x2C1B3C6D & 0x7FFFFFFF
    word = (word ^ word >> 12) * 0x297A2D39 & 0x7FFFFFFF
    return word ^ word >> 15


@shared
def drawn(expected: int, number: int) -> int:
    """ml that the household with meter `number` has drawn when `expected` ml were to be: half of it as two draws of any
    size in every SMALL_ML, the other half as one in every LARGE_ML, each at once at its own place in there. So taps are
    shut between draws, sums stay what they were within a draw, and a day's place in the calendar is not asked."""
    small = expected >> 1
    large = expected - small
    turn = quotient(small, SMALL_ML)
    rest = small - turn * SMALL_ML
    one, other = _word(number, 2 * turn), _word(number, 2 * turn + 1)
    size = quotient(one, SMALL_ML) % SMALL_ML
    out = turn * SMALL_ML
    if rest >= one % SMALL_ML:
        out += size
    if rest >= other % SMALL_ML:
        out += SMALL_ML - size
    turn = quotient(large, LARGE_ML)
    out += turn * LARGE_ML
    if large - turn * LARGE_ML >= _word(number + 1, turn) % LARGE_ML:
        out += LARGE_ML
    return out


@shared
def power_w(before: int, after: int, factor: int) -> int:
    """Heat a flat takes in an hour with these counts at its ends, W."""
    return quotient(rated(after - before, factor) * _WH_A_UNIT, MICRO)


@shared
def room_mk(wanted: int, free: int) -> int:
    """Room temperature, mK: what is wanted, or what it is anyway."""
    return max(wanted, free)


@shared
def load_step(wanted: int, free: int) -> int:
    """What the radiator must make up, as an index into Tables.over; nothing above the heating limit."""
    load = min(max(wanted - free, 0), _MAX_LOAD)
    if free - _GAINS >= _LIMIT:
        load = 0
    return quotient(load, _STEP)


@shared
def pipe_c(radiator_mk: int, offset_ck: int) -> int:
    """Temperature of a heating pipe, whole degrees C."""
    return quotient(quotient(radiator_mk + 5, 10) + offset_ck + 50, 100)


@shared
def minutes_word(ms_of_day: int) -> int:
    """Time of day as date and time type F has it: minute, then hour."""
    minute = quotient(ms_of_day, 60_000)
    hour = quotient(minute, 60)
    return minute - hour * 60 | hour << 8


@shared
def seconds_word(ms_of_day: int) -> int:
    """Time of day as date and time type I has it: second, minute, hour."""
    second = quotient(ms_of_day, 1_000)
    minute = quotient(second, 60)
    hour = quotient(minute, 60)
    return second - minute * 60 | minute - hour * 60 << 8 | hour << 16
