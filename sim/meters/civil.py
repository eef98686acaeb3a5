"""The calendar in integers, for one instant or for a million: days and months since 2000-01-01, and dates as wire bits.

The rule kept here: no float, no datetime, and only operators that Python ints and numpy integer arrays share, so that
the scalar and the vectorised fleet run the same line of code. The day arithmetic counts years from March, which puts
the leap day last and makes every step a division.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

N = TypeVar("N", int, NDArray[np.int64])
EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001  (meters have no zone; the world's UTC)
MINUTES_A_DAY = 1_440
_MARCH_0 = 730_425  # days from 0000-03-01 to the epoch
NONE_G = 0xFFFF  # type G "no date"
NONE_F = 0x2000  # day 0 of month 0, as a published telegram has it for "no error yet"


def ymd(day: N) -> tuple[N, N, N]:
    """Days since the epoch -> year, month 1-12, day of month 1-31."""
    shifted = day + _MARCH_0
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * of_year + 2) // 153
    next_year = from_march // 10
    month = from_march + 3 - 12 * next_year
    return year_of_era + era * 400 + next_year, month, of_year - (153 * from_march + 2) // 5 + 1


def day_of(year: N, month: N, day: N | int) -> N:
    """Year, month 1-12, day of month -> days since the epoch."""
    year = year - (14 - month) // 12
    era = year // 400
    year_of_era = year - era * 400
    of_year: N = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    out: N = era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + of_year - _MARCH_0
    return out


def month_of(day: N) -> N:
    """Days since the epoch -> months since the epoch; January 2000 is 0."""
    year, month, _ = ymd(day)
    return (year - 2_000) * 12 + month - 1


def month_start(month: N) -> N:
    """Months since the epoch -> its first day, in days since the epoch."""
    return day_of(month // 12 + 2_000, month % 12 + 1, 1)


def type_g(day: N) -> N:
    """Days since the epoch -> date type G (EN 13757-3, Annex A) as a little endian number of 16 bits."""
    year, month, of_month = ymd(day)
    two_digits = year % 100
    return of_month | (two_digits & 7) << 5 | month << 8 | (two_digits >> 3) << 12


def type_f(minute: N) -> N:
    """Minutes since the epoch -> date and time type F as a little endian number of 32 bits."""
    day = minute // MINUTES_A_DAY
    return type_f_of(day, minute - day * MINUTES_A_DAY)


def type_f_of(day: N, minute: N) -> N:
    """Days since the epoch and minutes of that day -> date and time type F."""
    return minute % 60 | (minute // 60) << 8 | type_g(day) << 16


def type_i_date(day: int, *, weekday: bool) -> int:
    """The part of date and time type I (48 bits) that a day decides: leap year, date, and the day of the week (1 is
    Monday, 0 not specified). Week number and daylight savings bits are zero; the time of day is zero too."""
    year = int(ymd(day)[0])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return leap << 6 | ((day + 5) % 7 + 1 if weekday else 0) << 21 | int(type_g(day)) << 24


def datetime_of(minute: int) -> datetime:
    """Minutes since the epoch -> naive datetime, for people and for truth."""
    return EPOCH + timedelta(minutes=minute)
