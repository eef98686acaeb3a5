"""What a meter on a radiator counts: a pure function of (room class, rating factor, time), for one meter or a million.

Every room class has a table of cumulative micro-units, one entry an hour, made once for each calendar year from its
weather; between hours the count is a straight line. A meter multiplies its class's count by its rating factor (EN 834:
radiator size, make and contact). So any meter at any instant costs one look-up and nothing accumulates.

Time in here is the meter's own clock, milliseconds since 2000: a meter latches its set date at its own midnight, and a
clock that only moves forward gives a count that only moves forward.

The same lines serve Python ints and numpy arrays: only where the tables come from differs (`scalar` or `vector`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.core.seeds import Seeds
from sim.meters import civil
from sim.meters.physics import rooms, water_draw, weather

I64 = NDArray[np.int64]

MS_PER_HOUR: Final = 3_600_000
MS_PER_DAY: Final = 24 * MS_PER_HOUR
YEARS_BEFORE: Final = 3  # what meters remember: two accounting years and the months of a third
LAST_YEAR: Final = 2_080  # the calendar of two-digit years ends there
FACTOR_ONE: Final = 1 << 16  # rating factors are Q16


class Arithmetic(NamedTuple):
    """What ints and arrays do not share by operators."""

    minimum: Callable[[Any, Any], Any]
    maximum: Callable[[Any, Any], Any]
    where: Callable[[Any, Any, Any], Any]
    same: Callable[[Any], Any]  # one int for an array whose elements are all equal


def _same(values: Any) -> Any:
    """A window's telegrams mostly share the day; then the calendar is asked once and not a million times."""
    if isinstance(values, np.ndarray) and len(values) and bool((values == values[0]).all()):
        return int(values[0])
    return values


SCALAR = Arithmetic(min, max, lambda condition, a, b: a if condition else b, lambda value: value)
VECTOR = Arithmetic(np.minimum, np.maximum, np.where, _same)


class Heat:
    """The weather of a run and the counts of every room class in it.

    `start` is the year the world begins in. Raises ValueError for a time before three years before that, or after
    2080: there a meter's two-digit year would lie.
    """

    def __init__(self, seeds: Seeds, outdoor_mean_c: float, start_year: int) -> None:
        self._seeds = seeds
        self._mean_mk = round(outdoor_mean_c * 1_000)
        self._first_year = start_year - YEARS_BEFORE
        self._next_year = self._first_year
        self._first_hour: int = civil.day_of(self._first_year, 1, 1) * 24
        self._last_day_mk: I64 = np.empty(0, dtype=np.int64)
        self._counts: I64 = np.zeros((1, rooms.CLASSES), dtype=np.int64)
        self._free: I64 = np.empty(0, dtype=np.int64)
        self._hours = 0
        self._over: I64 = np.array(rooms.over_of_load(), dtype=np.int64)
        self._wanted: I64 = rooms.wanted_mk()
        self._drawn: I64 = np.array(water_draw.drawn_ml(), dtype=np.int64).reshape(-1)
        self._views()
        for _ in range(YEARS_BEFORE + 1):
            self._append_year()

    def _views(self) -> None:
        flat = self._counts.reshape(-1)
        self.vector = Reader(self, VECTOR, flat, self._free, self._wanted.reshape(-1), self._over, self._drawn)
        self.scalar = Reader(
            self, SCALAR, flat.data, self._free.data, self._wanted.reshape(-1).tolist(),
            self._over.tolist(), self._drawn.tolist(),
        )  # fmt: skip

    def cover(self, ms: int) -> None:
        """Make sure that the tables reach this instant of a meter's clock."""
        hour = ms // MS_PER_HOUR
        if hour < self._first_hour:
            raise ValueError(f"{civil.datetime_of(ms // 60_000)} is before what a meter of this world remembers")
        while hour - self._first_hour >= self._hours - 1:
            if self._next_year > LAST_YEAR:
                raise ValueError(f"a meter's calendar ends with {LAST_YEAR}: shorten the run or start it earlier")
            self._append_year()

    @property
    def first_hour(self) -> int:
        return self._first_hour

    @property
    def tables(self) -> tuple[I64, I64, I64, I64]:
        """Counts by hour and class, free temperatures by hour, wanted ones by hour of the week and class, all laid
        flat, and over-temperature by load: what compiled code reads."""
        return self._counts.reshape(-1), self._free, self._wanted.reshape(-1), self._over

    def outdoor_mk(self, year: int) -> I64:
        """The outdoor temperature of each hour of a year, millidegrees."""
        return weather.year_mk(self._seeds, year, self._mean_mk)

    def _append_year(self) -> None:
        year = self._next_year
        outdoor = self.outdoor_mk(year)
        if not len(self._last_day_mk):
            self._last_day_mk = self.outdoor_mk(year - 1)[-24:]
        joined = np.concatenate((self._last_day_mk, outdoor))
        sums = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(joined)))
        day_mean = (sums[25:] - sums[1:-24]) // 24
        free = day_mean + rooms.GAINS_MK
        rates = np.array(rooms.rate_of_load(), dtype=np.int64)[self._load_steps(free, civil.day_of(year, 1, 1) * 24)]
        counts = self._counts[-1] + np.cumsum(rates, axis=0)
        self._counts = np.concatenate((self._counts, counts))
        self._free = np.concatenate((self._free, free))
        self._last_day_mk = outdoor[-24:]
        self._hours += len(outdoor)
        self._next_year = year + 1
        self._views()

    def _load_steps(self, free: I64, first_hour: int) -> I64:
        """Index into the load tables, shape (hours, classes)."""
        week = (first_hour + np.arange(len(free))) % rooms.HOURS_A_WEEK
        load = np.clip(self._wanted[week] - free[:, None], 0, rooms.MAX_LOAD_MK)
        load[free - rooms.GAINS_MK >= rooms.HEATING_LIMIT_MK] = 0
        steps: I64 = load // rooms.LOAD_STEP_MK
        return steps


@lru_cache(maxsize=2)
def heat_of(seed: int, outdoor_mean_c: float, start_year: int) -> Heat:
    """The one Heat of a world: its tables, 18 MB, are a pure function of these, so fleets of the same world, as a
    city's shards are, share them."""
    return Heat(Seeds(seed), outdoor_mean_c, start_year)


class Reader:
    """Look-ups in Heat's tables, for ints (memoryviews, lists) or for int64 arrays."""

    __slots__ = ("_counts", "_first_hour", "_free", "_over", "_taps", "_wanted", "of")

    def __init__(
        self, heat: Heat, of: Arithmetic, counts: Any, free: Any, wanted: Any, over: Any, of_taps: Any
    ) -> None:
        self.of = of
        self._first_hour = heat.first_hour
        self._counts = counts
        self._free = free
        self._wanted = wanted
        self._over = over
        self._taps = of_taps

    def count(self, room: Any, factor: Any, ms: Any) -> Any:
        """Micro-units counted since the tables begin, at an instant of the meter's clock."""
        hour = ms // MS_PER_HOUR
        at = (hour - self._first_hour) * rooms.CLASSES + room
        before = self._counts[at]
        step = self._counts[at + rooms.CLASSES] - before
        return (before + step * (ms - hour * MS_PER_HOUR) // MS_PER_HOUR) * factor >> 16

    def rate(self, room: Any, factor: Any, ms: Any) -> Any:
        """Micro-units an hour, now."""
        at = (ms // MS_PER_HOUR - self._first_hour) * rooms.CLASSES + room
        return (self._counts[at + rooms.CLASSES] - self._counts[at]) * factor >> 16

    def millilitres(self, room: Any, factor: Any, ms: Any) -> Any:
        """Water drawn since the tables begin: the household's habit is the room's, the factor scales it."""
        ms = ms - self._first_hour * MS_PER_HOUR
        day = ms // MS_PER_DAY
        rest = ms - day * MS_PER_DAY
        hour = rest // MS_PER_HOUR
        at = room % len(rooms.HABITS) * (water_draw.HOURS_A_DAY + 1) + hour
        before = self._taps[at]
        step = self._taps[at + 1] - before
        of_day = before + step * (rest - hour * MS_PER_HOUR) // MS_PER_HOUR
        return (day * water_draw.DAY_ML + of_day) * factor >> 16

    def room_mk(self, room: Any, ms: Any) -> Any:
        """Room temperature, millidegrees: what is wanted, or what it is anyway."""
        hour = ms // MS_PER_HOUR
        wanted = self._wanted[hour % rooms.HOURS_A_WEEK * rooms.CLASSES + room]
        return self.of.maximum(wanted, self._free[hour - self._first_hour])

    def radiator_mk(self, room: Any, ms: Any) -> Any:
        """Radiator temperature, millidegrees."""
        hour = ms // MS_PER_HOUR
        free = self._free[hour - self._first_hour]
        wanted = self._wanted[hour % rooms.HOURS_A_WEEK * rooms.CLASSES + room]
        off = free - rooms.GAINS_MK >= rooms.HEATING_LIMIT_MK
        load = self.of.minimum(self.of.maximum(wanted - free, 0), rooms.MAX_LOAD_MK)
        load = self.of.where(off, 0, load)
        return self.of.maximum(wanted, free) + self._over[load // rooms.LOAD_STEP_MK]
