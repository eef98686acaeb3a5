"""Compact and inverse compact profiles (EN 13757-3): one record that carries a row of values at equal spacing.

A profile is an LVAR value ``control(1) spacing(1) element element ...`` with VIFE 1F (compact: ascending from the base
time), 13 (inverse: descending from it) or 1E (compact, as registers).  Base value and base time are the records of
the same storage, tariff and subunit.

    control  b7-6 0 absolute values, 1 increments, 2 decrements, 3 signed differences
             b5-4 spacing in 0 seconds, 1 minutes, 2 hours, 3 days
             b3-0 data field of each element, as in a DIF
    spacing  1-250 units; with unit 3 also 253 half a month, 254 a month

The first element stands one spacing away from the base time.  Ascending monthly, absolute and incremental, was seen to
add up in field telegrams; half a month and modes 2 and 3 follow the standard's words only.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from wmbus import values
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.records import Record

COMPACT, COMPACT_REGISTERS, INVERSE = 0x1F, 0x1E, 0x13
ABSOLUTE, INCREMENTS, DECREMENTS, DIFFERENCES = range(4)
HALF_MONTH, MONTH = 253, 254
_SECONDS = (1, 60, 3600, 86400)


@dataclass(frozen=True, slots=True)
class Point:
    """One element: ``value`` as sent (scaled), ``total`` the absolute value it leads to, ``when`` its time.

    ``total`` and ``when`` are None where base value or base time are missing, ``value`` where the meter has none.
    """

    index: int
    when: date | datetime | None
    value: int | float | None
    total: int | float | None


def is_profile(record: Record) -> bool:
    return record.chain.is_profile and isinstance(record.value, bytes)


def expand(record: Record, others: Iterable[Record]) -> list[Point]:
    """The points of one profile record; ``others`` are the telegram's records, where the base is looked for.

    Raises BadTelegram (bad-record) when the elements do not fill the value evenly.
    """
    data = record.value
    if not is_profile(record) or not isinstance(data, bytes):
        return []
    if len(data) < 2:
        raise BadTelegram(Reason.BAD_RECORD, "a profile begins with two bytes of spacing", record.offset)
    control, spacing = data[0], data[1]
    field = control & 15
    size = values.INTEGER_BYTES.get(field) or values.BCD_BYTES.get(field)
    if size is None or (len(data) - 2) % size:
        raise BadTelegram(
            Reason.BAD_RECORD, f"{len(data) - 2} bytes are no row of elements of data field {field:X}", record.offset
        )
    decode = values.decode_bcd if field in values.BCD_BYTES else values.decode_signed
    base_value, base_time = _base(record, others)
    sign = -1 if _vife(record) == INVERSE else 1
    mode = control >> 6
    total = base_value
    points = []
    for index in range((len(data) - 2) // size):
        number = decode(data[2 + index * size : 2 + (index + 1) * size])
        value = values.scaled(number, record.chain.exponent)
        if mode == ABSOLUTE:
            total = value
        elif total is not None and value is not None:
            total = total - sign * value if mode == DECREMENTS else total + sign * value
        else:
            total = None
        points.append(Point(index, _step(base_time, control >> 4 & 3, spacing, sign * (index + 1)), value, total))
    return points


def encode(control: int, spacing: int, numbers: Iterable[int | None]) -> bytes:
    """Control byte, spacing and unscaled elements -> the value of a profile record.  Raises CannotEncode."""
    field = control & 15
    out = bytes((control, spacing))
    for number in numbers:
        if field in values.BCD_BYTES:
            out += values.encode_bcd(number, values.BCD_BYTES[field])
        elif field in values.INTEGER_BYTES:
            out += values.encode_integer(number, values.INTEGER_BYTES[field])
        else:
            raise CannotEncode(f"data field {field:X} cannot be an element of a profile")
    return out


def _vife(record: Record) -> int:
    return record.dif_vif[-1] & 0x7F


def _base(record: Record, others: Iterable[Record]) -> tuple[int | float | None, date | datetime | None]:
    value: int | float | None = None
    when: date | datetime | None = None
    place = (record.storage, record.tariff, record.subunit)
    for other in others:
        if (other.storage, other.tariff, other.subunit) != place or other.chain.is_profile:
            continue
        if other.chain.is_date and isinstance(other.value, date) and not other.modifiers:
            when = other.value
        elif other.quantity == record.quantity and isinstance(other.value, (int, float)):
            value = other.value
    return value, when


def _step(base: date | datetime | None, unit: int, spacing: int, steps: int) -> date | datetime | None:
    """``base`` moved by ``steps`` spacings; the last day of a month stays the last day."""
    if base is None or spacing == 0:
        return None
    try:
        if unit == 3 and spacing == MONTH:
            return _months(base, steps)
        if unit == 3 and spacing == HALF_MONTH:
            return _half_months(base, steps)
        if spacing > 250:
            return None
        if unit == 3:
            return base + timedelta(days=spacing * steps)
        moment = base if isinstance(base, datetime) else datetime(base.year, base.month, base.day)  # noqa: DTZ001
        return moment + timedelta(seconds=_SECONDS[unit] * spacing * steps)
    except (OverflowError, ValueError):
        return None


def _months(base: date, steps: int) -> date:
    month = base.year * 12 + base.month - 1 + steps
    year, month = divmod(month, 12)
    last = monthrange(year, month + 1)[1]
    stays_last = base.day == monthrange(base.year, base.month)[1]
    return base.replace(year=year, month=month + 1, day=last if stays_last else min(base.day, last))


def _half_months(base: date, steps: int) -> date:
    """Days up to 15 alternate with that day + 15 or the month's end: 15, 31, 15, 28 ... and 1, 16, 1, 16 ..."""
    halves = steps + (base.day > 15)
    first = base.replace(day=base.day - 15 if 15 < base.day < 31 else min(base.day, 15))
    if base.day == monthrange(base.year, base.month)[1] and base.day > 15:
        first = base.replace(day=15)
    months, second = divmod(halves, 2)
    moved = _months(first, months)
    if not second:
        return moved
    last = monthrange(moved.year, moved.month)[1]
    return moved.replace(day=last if first.day == 15 else min(first.day + 15, last))
