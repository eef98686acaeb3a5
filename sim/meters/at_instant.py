"""A moment: one meter at one instant, or many of each, and what the calendar and the count say then.

The same lines serve Python ints and numpy arrays. Time is the meter's own clock. Months and half months are counted
since 2000; a boundary is the midnight with which one begins. The accounting year ends at the boundary of `set_month`;
at it the count is latched and starts again from zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sim.meters import civil
from sim.meters.physics.heat import MS_PER_DAY, Reader
from sim.meters.physics.rooms import MICRO

NEVER_MS: Final = 1 << 62


class Moment:
    """Meters at instants. `number` is the eight-digit id, `stop_ms` when it stopped counting, `fault_ms` when the
    first fault happened (both NEVER_MS when not), `flags` its error flags, `unmeasured` minutes it lost last year."""

    __slots__ = (
        "_day", "_half", "_memo", "_month", "factor", "fault_ms", "flags", "ms", "number", "reader", "room",
        "set_month", "stop_ms", "unmeasured",
    )  # fmt: skip

    def __init__(
        self, reader: Reader, set_month: int, number: Any, room: Any, factor: Any, ms: Any, stop_ms: Any,
        fault_ms: Any, flags: Any, unmeasured: Any,
    ) -> None:  # fmt: skip
        self.reader = reader
        self.set_month = set_month
        self.number = number
        self.room = room
        self.factor = factor
        self.ms = ms
        self.stop_ms = stop_ms
        self.fault_ms = fault_ms
        self.flags = flags
        self.unmeasured = unmeasured
        self._day: Any = None
        self._month: Any = None
        self._half: Any = None
        self._memo: dict[tuple[str, Any], Any] = {}

    # --- the calendar ------------------------------------------------------------------------------------------

    @property
    def day(self) -> Any:
        """The day it is; one number for all meters where it is the same."""
        if self._day is None:
            self._day = self.reader.of.same(self.ms // MS_PER_DAY)
        return self._day

    @property
    def month(self) -> Any:
        """The month it is."""
        if self._month is None:
            self._month = civil.month_of(self.day)
        return self._month

    @property
    def half_month(self) -> Any:
        """Twice the month, plus one from the 16th on."""
        if self._half is None:
            gone = self.day - civil.month_start(self.month)  # 0 to 30 days
            self._half = self.month * 2 + gone // 15 - gone // 30
        return self._half

    @property
    def healthy(self) -> bool:
        """Nothing ever happened to any of these meters."""
        return self.fault_ms is NEVER_MS

    def last_set(self, month: Any) -> Any:
        """The set-date boundary at or before a boundary."""
        return month - (month - self.set_month) % 12

    # --- the count ---------------------------------------------------------------------------------------------

    def count(self, ms: Any) -> Any:
        """Micro-units since the tables begin, up to where the meter stopped counting."""
        return self.reader.count(self.room, self.factor, self.reader.of.minimum(ms, self.stop_ms))

    def since_set(self, ms: Any, set_boundary: Any) -> Any:
        """Whole units from a set date to an instant."""
        begin = self._once("set", set_boundary, lambda: self.count(civil.month_start(set_boundary) * MS_PER_DAY))
        return (self.count(ms) - begin) // MICRO

    def latched(self, month: Any) -> Any:
        """What the meter latched at a month's boundary: units since the set date before it."""
        return self._once("month", month, lambda: self.since_set(
            civil.month_start(month) * MS_PER_DAY, self.last_set(month - 1)
        ))  # fmt: skip

    def latched_half(self, half: Any) -> Any:
        """The same at a half month's boundary, the 1st or the 16th."""
        day = civil.month_start(half // 2) + half % 2 * 15
        return self._once("half", half, lambda: self.since_set(day * MS_PER_DAY, self.last_set((half - 1) // 2)))

    def _once(self, what: str, boundary: Any, work: Callable[[], Any]) -> Any:
        """Neighbouring differences ask for the same boundary twice."""
        if not isinstance(boundary, int):
            return work()
        key = (what, boundary)
        if key not in self._memo:
            self._memo[key] = work()
        return self._memo[key]
