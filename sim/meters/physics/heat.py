"""The tables a world's meters read: what a radiator in every room class counts, hour by hour, and the weeks' profiles.

Every room class has a table of cumulative micro-units, one entry an hour, made once for each calendar year from its
weather; between hours the count is a straight line. A meter multiplies its class's count by its rating factor (EN 834:
radiator size, make and contact). So any meter at any instant costs one look-up (`formulas`) and nothing accumulates.
Water and electricity follow a week that repeats.

Time in here is the meter's own clock, milliseconds since 2000: a meter latches its set date at its own midnight, and a
clock that only moves forward gives a count that only moves forward.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.core.seeds import Seeds
from sim.meters import civil
from sim.meters.physics import load_profile, rooms, water_draw, weather
from sim.meters.physics.formulas import MS_PER_DAY, MS_PER_HOUR, PROFILE_HOURS, Tables

I64 = NDArray[np.int64]

YEARS_BEFORE: Final = 3  # what meters remember: two accounting years and the months of a third
LAST_YEAR: Final = 2_080  # the calendar of two-digit years ends there


class Heat:
    """The weather of a run and the counts of every room class in it.

    `tables` for compiled code, `plain` the same memory for Python; both are new where a year is added.
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
        self._profiles: I64 = _profiles(self._first_hour)
        self._views()
        for _ in range(YEARS_BEFORE + 1):
            self._append_year()

    def _views(self) -> None:
        counts, wanted = self._counts.reshape(-1), self._wanted.reshape(-1)
        hour = self._first_hour
        self.tables = Tables(counts, self._free, wanted, self._over, self._profiles, hour)
        self.plain = Tables(counts.data, self._free.data, wanted.data, self._over.data, self._profiles.data, hour)

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
        """Hours from 2000 to where the tables begin."""
        return self._first_hour

    def covers_day(self, day: int) -> bool:
        """Do the tables reach over this whole day, growing if they must?"""
        try:
            self.cover(day * MS_PER_DAY)
            self.cover((day + 1) * MS_PER_DAY - 1)
        except ValueError:
            return False
        return True

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


def _profiles(first_hour: int) -> I64:
    """Cumulative weeks from the tables' first hour on: sources, then habits, then 169 hours, laid flat."""
    weeks_of = water_draw.drawn_ml(), load_profile.used_mwh(high=True), load_profile.used_mwh(high=False)
    from_saturday = np.array(weeks_of, np.int64)
    hours = first_hour % rooms.HOURS_A_WEEK + np.arange(PROFILE_HOURS)
    weeks, of_week = hours // rooms.HOURS_A_WEEK, hours % rooms.HOURS_A_WEEK
    rolled = weeks * from_saturday[..., -1:] + from_saturday[..., of_week]
    flat: I64 = (rolled - rolled[..., :1]).reshape(-1)
    return flat
