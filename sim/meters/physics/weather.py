"""Outdoor temperature, hour by hour, in integer millidegrees: a pure function of (seed, year, annual mean).

A year's cosine, a day's cosine that is wider in summer, and weather: a moving average over twelve days of independent
normal draws, so that cold spells last. Averages over a central European year are what heat.md validates it against.

The cosines are rounded to thousandths before they are used: the last bit of a libm never reaches a reading.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sim.core.seeds import Seeds
from sim.meters import civil

I64 = NDArray[np.int64]

ANNUAL_MK = 9_200  # half the swing of the monthly means
COLDEST_DAY = 17  # of the year
DAILY_WINTER_MK = 2_300
DAILY_SUMMER_MK = 4_600
COLDEST_HOUR = 4
WEATHER_SIGMA_MK = 3_600
# 0.6 * 0.8**n in Q16: an exponential memory cut after twelve days, unit variance
_MEMORY = tuple(round(65_536 * 0.6 * 0.8**n) for n in range(12))


@cache
def _cosine_milli(steps: int, of: float) -> tuple[int, ...]:
    return tuple(round(1_000 * math.cos(2 * math.pi * step / of)) for step in range(steps))


def _weather_mk(seeds: Seeds, first_day: int, days: int) -> I64:
    """The weather's part at noon of each day. Days are counted since 2000."""
    draws = seeds.normal_q16("weather", np.arange(first_day - len(_MEMORY) + 1, first_day + days))
    total = np.zeros(days, dtype=np.int64)
    for lag, weight in enumerate(_MEMORY):
        start = len(_MEMORY) - 1 - lag
        total += weight * draws[start : start + days]
    weather: I64 = (total >> 16) * WEATHER_SIGMA_MK >> 16
    return weather


def year_mk(seeds: Seeds, year: int, mean_mk: int) -> I64:
    """Millidegrees Celsius for each hour of a year."""
    first = civil.day_of(year, 1, 1)
    days = civil.day_of(year + 1, 1, 1) - first
    season = np.array(_cosine_milli(days, 365.25), dtype=np.int64)
    season = np.roll(season, COLDEST_DAY)
    clock = np.roll(np.array(_cosine_milli(24, 24.0), dtype=np.int64), COLDEST_HOUR)
    weather = _weather_mk(seeds, first, days + 1)
    hours = np.arange(24, dtype=np.int64)
    smooth = (weather[:-1, None] * (24 - hours) + weather[1:, None] * hours) // 24
    swing = DAILY_WINTER_MK + (DAILY_SUMMER_MK - DAILY_WINTER_MK) * (1_000 - season) // 2_000
    out: I64 = mean_mk - ANNUAL_MK * season[:, None] // 1_000 - swing[:, None] * clock // 1_000 + smooth
    return out.reshape(-1)
