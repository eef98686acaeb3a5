"""Time as meters write it: types F, G, I and J of EN 13757-3, Annex A.

A meter's clock has no zone: what is decoded is the naive local time it shows.  A year has two digits: 0-80 are
2000-2080, 81-99 are 1981-1999 unless the hundred-year bits are set.  (Taken literally those bits would move a real
meter of 2026 to 2126; they choose between 1900 and 2000 and no more.)  A date that does not exist decodes to None,
never to a neighbour: month 0, 31 April, FFFF for "none", year 127 for "every year", the invalid bit.
"""

from __future__ import annotations

from datetime import date, datetime, time

from wmbus.errors import CannotEncode


def _year(two_digits: int, hundreds: int) -> int:
    if two_digits > 99:
        raise ValueError("every year")
    if hundreds:
        return 2000 + two_digits
    return 1900 + two_digits if two_digits > 80 else 2000 + two_digits


def _two_digits(year: int) -> int:
    if not 1981 <= year <= 2080:
        raise CannotEncode(f"a meter's two-digit year reaches from 1981 to 2080, not {year}")
    return year % 100


def decode_g(raw: bytes) -> date | None:
    """Type G, two bytes -> date.  FFFF, day 0 ("every day") and impossible dates -> None."""
    low, high = raw
    try:
        return date(_year(low >> 5 | (high & 0xF0) >> 1, 0), high & 15, low & 31)
    except ValueError:
        return None


def encode_g(value: date | None) -> bytes:
    """Date -> type G; None -> FFFF.  Raises CannotEncode for a year outside 1981-2080."""
    if value is None:
        return b"\xff\xff"
    year = _two_digits(value.year)
    return bytes((value.day | (year & 7) << 5, value.month | (year >> 3) << 4))


def decode_f(raw: bytes) -> datetime | None:
    """Type F, four bytes, minutes -> naive local datetime.  The invalid bit and impossible dates -> None."""
    minute, hour, low, high = raw
    if minute & 0x80:
        return None
    try:
        return datetime(  # noqa: DTZ001  a meter has no zone
            _year(low >> 5 | (high & 0xF0) >> 1, hour >> 5 & 3), high & 15, low & 31, hour & 31, minute & 63
        )
    except ValueError:
        return None


def summer_f(raw: bytes) -> bool:
    """Whether a type F time says that summer time is in force: what tells the repeated hour of October apart."""
    return len(raw) == 4 and bool(raw[1] & 0x80) and not raw[0] & 0x80


def encode_f(value: datetime | None, *, summer: bool = False) -> bytes:
    """Naive local datetime -> type F (seconds are dropped); None -> the invalid bit.  Raises CannotEncode."""
    if value is None:
        return b"\x80\x00\x00\x00"
    return bytes((value.minute, value.hour | summer << 7)) + encode_g(value.date())


def decode_i(raw: bytes) -> datetime | None:
    """Type I, six bytes, seconds -> naive local datetime.  Day of week, week and summer time are ignored."""
    second, minute, hour, low, high, _week = raw
    if minute & 0x80:
        return None
    try:
        return datetime(  # noqa: DTZ001
            _year(low >> 5 | (high & 0xF0) >> 1, 0), high & 15, low & 31, hour & 31, minute & 63, second & 63
        )
    except ValueError:
        return None


def encode_i(value: datetime | None) -> bytes:
    """Naive local datetime -> type I with day of week and week number "not specified" (0).  Raises CannotEncode."""
    if value is None:
        return b"\x00\x80\x00\x00\x00\x00"
    return bytes((value.second, value.minute, value.hour)) + encode_g(value.date()) + b"\x00"


def decode_j(raw: bytes) -> time | None:
    """Type J, three bytes -> time of day; every-hour marks and impossible times -> None."""
    second, minute, hour = raw
    try:
        return time(hour & 31, minute & 63, second & 63)
    except ValueError:
        return None


def encode_j(value: time | None) -> bytes:
    """Time of day -> type J; None -> FFFFFF."""
    return b"\xff\xff\xff" if value is None else bytes((value.second, value.minute, value.hour))
