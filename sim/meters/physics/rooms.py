"""Rooms and radiators: how warm people want it when, and how much warmer the radiator must be for that.

Rooms come in 64 classes, eight set points times eight habits, and a meter lives in one of them. In integers, with
operators that ints and numpy arrays share. What the chain computes for a class and an hour:

    free      the room unheated: outdoors over the last day, plus sun and people
    load      set point + habit - free, what the radiator must make up; zero above the heating limit
    over      radiator over room: 42 K at a load of 30 K, and heat goes with over ** 1.3 (EN 442's exponent)
    rate      what the meter counts: (over / 60 K) ** 1.3 an hour, nothing below the start threshold (EN 834)

The powers are tables made with decimal arithmetic, so they are the same on every machine.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]

SET_POINTS_MK: Final = (17_000, 18_500, 19_500, 20_000, 20_500, 21_000, 22_000, 23_000)
SET_POINT_SHARES: Final = (6, 9, 14, 18, 18, 17, 12, 6)  # of a hundred
GAINS_MK: Final = 4_000
HEATING_LIMIT_MK: Final = 14_000  # mean outdoor temperature of a day above which the boiler is off
DESIGN_LOAD_MK: Final = 30_000
DESIGN_OVER_MK: Final = 42_000
REFERENCE_OVER_MK: Final = 60_000
START_OVER_MK: Final = 4_500
EXPONENT: Final = Decimal("1.3")
MICRO: Final = 1_000_000
LOAD_STEP_MK: Final = 50
MAX_LOAD_MK: Final = 45_000
HOURS_A_WEEK: Final = 168
HABITS: Final = (
    "constant", "night setback", "out at work", "evenings", "weekends", "bedroom", "rarely used", "mornings too",
)  # fmt: skip
HABIT_SHARES: Final = (14, 26, 18, 12, 6, 12, 6, 6)
CLASSES: Final = len(SET_POINTS_MK) * len(HABITS)


def _offset_mk(habit: str, day: int, hour: int) -> int:
    """How far from the set point a room is kept; day 0 is Saturday, as 2000-01-01 was."""
    weekend = day < 2
    night = hour < 6 or hour >= 22
    if habit == "constant":
        return 0
    if habit == "out at work":
        return -2_500 if night else -3_000 if not weekend and 8 <= hour < 17 else 0
    if habit == "evenings":
        return 0 if 17 <= hour < 23 else -4_000
    if habit == "weekends":
        return -5_500 if not weekend else -2_500 if night else 0
    if habit == "bedroom":
        return -500 if hour >= 20 or hour < 1 else -3_500
    if habit == "rarely used":
        return -7_000
    if habit == "mornings too":
        return 1_500 if 6 <= hour < 9 else -2_500 if night else 0
    return -3_000 if night else 0


@cache
def wanted_mk() -> I64:
    """Set point and habit: shape (168, 64), the hour of the week from Saturday midnight, then the class."""
    out = np.empty((HOURS_A_WEEK, CLASSES), dtype=np.int64)
    for habit_number, habit in enumerate(HABITS):
        week = [_offset_mk(habit, hour // 24, hour % 24) for hour in range(HOURS_A_WEEK)]
        for set_point_number, set_point_mk in enumerate(SET_POINTS_MK):
            out[:, set_point_number * len(HABITS) + habit_number] = np.array(week) + set_point_mk
    return out


@cache
def over_of_load() -> tuple[int, ...]:
    """Over-temperature in mK for load in steps of 50 mK."""
    with localcontext() as context:
        context.prec = 18
        return tuple(
            int(DESIGN_OVER_MK * (Decimal(step * LOAD_STEP_MK) / DESIGN_LOAD_MK) ** (1 / EXPONENT)) if step else 0
            for step in range(MAX_LOAD_MK // LOAD_STEP_MK + 1)
        )


@cache
def rate_of_load() -> tuple[int, ...]:
    """Micro-units an hour at a rating factor of one, for load in steps of 50 mK."""
    with localcontext() as context:
        context.prec = 18
        return tuple(
            int(MICRO * (Decimal(over) / REFERENCE_OVER_MK) ** EXPONENT) if over >= START_OVER_MK else 0
            for over in over_of_load()
        )
