"""Which meters a planner misses: without a reading on a day, at a month's end, in the whole run, and the worst of them.

A reading is a telegram that at least one gateway received; one a day is enough. Days are those of 24 hours from the
run's start, whole ones alone; a month ends with the last of them that begins in it, by the world's calendar, and with
the run. Ten bytes a meter, and nothing that grows with telegrams.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.city.plan import CityPlan
from sim.city.shard import Heard, Shard
from sim.core.clock import NS_PER_DAY, NS_PER_S, Calendar

I64 = NDArray[np.int64]
WORST: Final = 5
_NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class Bad:
    """One meter, as the world numbers it. `share`: of its telegrams, as many as its interval asks for, that were heard;
    sorted so, the worst come first."""

    days_missed: int
    share: float
    meter: int
    heard: int

    @property
    def rank(self) -> tuple[float, ...]:
        return -self.days_missed, self.share, self.meter


@dataclass(slots=True)
class Missed:
    """Of meters of one shard, or of all. `days[d]`: without a reading on day d. `months`: (last day of a month, without
    a reading on it, without one in the whole month); the last one is where the run ends. `never`: in the whole run."""

    days: list[int] = field(default_factory=list)
    months: list[tuple[int, int, int]] = field(default_factory=list)
    never: int = 0
    worst: list[Bad] = field(default_factory=list)

    def __add__(self, other: Missed) -> Missed:
        return Missed(
            [a + b for a, b in zip(self.days, other.days, strict=True)],
            [(day, a + c, b + d) for (day, a, b), (_, c, d) in zip(self.months, other.months, strict=True)],
            self.never + other.never,
            sorted([*self.worst, *other.worst], key=lambda one: one.rank)[:WORST],
        )

    def as_json(self, calendar: Calendar) -> dict[str, Any]:
        """Days by their dates; `meter` is a number in the world."""

        def date(day: int) -> str:
            return calendar.at(day * NS_PER_DAY).date().isoformat()

        return {
            "without_a_reading": {date(day): count for day, count in enumerate(self.days)},
            "at_month_end": [
                {"last_day": date(day), "without_that_day": on_day, "without_in_month": in_month}
                for day, on_day, in_month in self.months
            ],
            "never": self.never,
        }  # fmt: skip


class MissedTally:
    """Of one shard, window by window."""

    def __init__(self, plan: CityPlan, shard: Shard) -> None:
        self._own = np.flatnonzero(shard.own)
        self._names = shard.names
        rows = shard.fleet.n
        self._last_day = np.full(rows, _NEVER, dtype=np.int32)
        self._heard = np.zeros(rows, dtype=np.int32)
        self._days_missed = np.zeros(rows, dtype=np.int16)
        interval_s = np.array([group.interval_s for group in plan.spec.fleet])
        self._expected = np.maximum(1.0, plan.duration_ns / NS_PER_S / interval_s)[shard.fleet.population.group]
        self._days = plan.duration_ns // NS_PER_DAY
        self._calendar = Calendar(plan.spec.start)
        self._month_began = 0
        self.result = Missed()

    def add(self, heard: Heard, until_ns: int) -> None:
        """One window, which ends with a day where a day ends in it (CityPlan.windows)."""
        day = (until_ns - 1) // NS_PER_DAY
        _mark(heard.meter, day, self._last_day, self._heard)
        if until_ns % NS_PER_DAY == 0:
            self._end_of(day)

    def _end_of(self, day: int) -> None:
        last = self._last_day[self._own]
        without = last != day
        self._days_missed[self._own[without]] += 1
        self.result.days.append(int(np.count_nonzero(without)))
        month, next_month = (self._calendar.at(at * NS_PER_DAY).month for at in (day, day + 1))
        if month != next_month or day == self._days - 1:
            in_month = int(np.count_nonzero(last < self._month_began))
            self.result.months.append((day, self.result.days[-1], in_month))
            self._month_began = day + 1

    def finish(self) -> Missed:
        """The counts are complete."""
        own, result = self._own, self.result
        heard, missed = self._heard[own], self._days_missed[own]
        result.never = int(np.count_nonzero(heard == 0))
        share = heard / self._expected[own]
        worst = np.lexsort((self._names[own], share, -missed))[:WORST].tolist()
        result.worst = [
            Bad(int(missed[at]), round(float(share[at]), 6), int(self._names[own[at]]), int(heard[at])) for at in worst
        ]
        return result


@njit(cache=True, error_model="numpy")
def _mark(meter: I64, day: int, last_day: NDArray[np.int32], heard: NDArray[np.int32]) -> None:
    for at in range(len(meter)):
        row = meter[at]
        last_day[row] = day
        heard[row] += 1
