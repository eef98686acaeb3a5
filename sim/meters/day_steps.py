"""A meter type's quantities on one day of the calendar: names, boundaries and dates become numbers.

The calendar of a day is known before any meter is looked at: which hours its counts lie between, which dates it shows.
`evaluate` works a step out for one meter, `fill_kernels` for many.

Months and half months are counted since 2000; a boundary is the midnight with which one begins. The accounting year
ends at the boundary of the type's `set_month`; at it a count is latched and starts again from zero.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sim.meters import civil, quantities
from sim.meters.meter_type import Kind
from sim.meters.quantities import CLOCK, CONSTANT, COUNT, DATE, FAULT_TIME, HALF, NOW, SET_DATE, SINCE, START, Quantity

NONE: Final = -1  # as an hour: there is no such boundary; as the end of a count: now
MINUTES, SECONDS, DAYS = range(3)
_FORMS: Final = {"F": MINUTES, "I": SECONDS, "G": DAYS}


class Step(NamedTuple):
    """What one value of a telegram takes: operation and numbers. Hours count since the tables begin. `of`: source, own
    number, or form of a time. CONSTANT: `value` is it; CLOCK: what the day adds to the time of day; PIPE: offset."""

    op: int
    of: int = 0
    sources: int = 1
    end: int = NONE
    begin: int = NONE
    less_end: int = NONE
    less_begin: int = NONE
    times: int = 1
    per: int = 1
    value: int = 0


class Day:
    """One day of a meter's calendar, since 2000, for meters whose accounting year ends with `set_month`."""

    def __init__(self, day: int, set_month: int, first_hour: int) -> None:
        self.day = day
        self._set_month = set_month
        self._first_hour = first_hour
        self.month = int(civil.month_of(day))
        gone = day - int(civil.month_start(self.month))  # 0 to 30 days
        self.half_month = 2 * self.month + (gone >= 15)

    def last_set(self, month: int) -> int:
        """The set-date boundary, as a month, at or before a month's."""
        return month - (month - self._set_month) % 12

    def steps(self, kind: Kind) -> tuple[Step, ...]:
        """One for each slot of a type. Raises ValueError for what a meter of this world does not remember."""
        return tuple(self.step(kind.quantity(slot.quantity), slot.back) for slot in kind.slots)

    def step(self, what: Quantity, back: int) -> Step:
        """A quantity `back` months or half months ago."""
        half = self._boundary(what.end, back)
        if what.op == DATE:
            day = self.day if what.end == NOW else _first_day(half)
            return Step(CONSTANT, value=int(civil.type_g(day + what.days)))
        if what.op == CLOCK:
            if what.form == "F":
                return Step(CLOCK, MINUTES, value=int(civil.type_g(self.day)) << 16)
            value = civil.type_i_date(self.day, weekday=what.weekday) | what.bits
            return Step(CLOCK, SECONDS, value=value)
        if what.op == COUNT:
            return self._count(what, half)
        if what.op == FAULT_TIME:
            return Step(FAULT_TIME, _FORMS[what.form])
        begin = self._hour(2 * self.last_set(self.month)) if what.op == SINCE else NONE
        value = what.days if what.op == CONSTANT else what.offset_ck
        return Step(what.op, what.of, begin=begin, times=what.times, per=what.per, value=value)

    def _count(self, what: Quantity, half: int) -> Step:
        end = NONE if what.end == NOW else self._hour(half)
        step = Step(COUNT, what.of, what.sources, end, self._begin(what, half), times=what.times, per=what.per)
        if what.less == quantities.WHOLE:
            return step
        before = half - (1 if what.end == HALF else 2)
        if what.less == quantities.INCREMENT and before == 2 * self.last_set(before // 2):
            return step
        return step._replace(less_end=self._hour(before), less_begin=self._begin(what, before))

    def _begin(self, what: Quantity, half: int) -> int:
        if what.begin == START:
            return NONE
        return self._hour(2 * self.last_set(self.month if what.end == NOW else (half - 1) // 2))

    def _boundary(self, end: int, back: int) -> int:
        """An instant as half months since 2000."""
        if end == SET_DATE:
            return 2 * self.last_set(self.month)
        return self.half_month - back if end == HALF else 2 * (self.month - back)

    def _hour(self, half: int) -> int:
        hour = _first_day(half) * 24 - self._first_hour
        if hour < 0:
            when = civil.datetime_of(_first_day(half) * 1_440)
            raise ValueError(f"{when} is before what a meter of this world remembers")
        return hour


def _first_day(half: int) -> int:
    """The day with which a half month begins: the 1st or the 16th."""
    return int(civil.month_start(half // 2)) + half % 2 * 15
