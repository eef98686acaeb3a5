"""Electricity: milliwatt hours a household has used by each hour of its week, in two tariffs, for each habit of rooms.

The shape is our own, not a standard load profile: a base load at night, a morning and a higher evening, at noon for
those who are at home, later and flatter at weekends. Every week is like every other, holidays and seasons included:
enough for registers that grow at a credible pace at credible hours. The high tariff is that of Monday to Friday, 6 to
22 h by the meter's clock; all other hours are low.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from sim.meters.physics.rooms import HABITS, HOURS_A_WEEK

WEEK_MWH: Final = 90_000_000  # at a factor of one; the median factor of a fleet makes some 2 600 kWh a year of it
HIGH_HOURS: Final = range(6, 22)

# Watts of an average household by hour; only their shares count.
_AT_HOME = (24, 20, 18, 18, 19, 24, 38, 48, 46, 44, 46, 54, 62, 54, 46, 44, 48, 60, 76, 84, 80, 68, 50, 34)
_OUT = (24, 20, 18, 18, 20, 32, 56, 52, 28, 24, 24, 24, 26, 25, 24, 26, 34, 60, 92, 98, 90, 74, 52, 34)
_SATURDAY = (32, 26, 22, 20, 20, 20, 26, 36, 52, 62, 66, 72, 74, 66, 58, 54, 54, 60, 70, 76, 72, 62, 52, 42)
_SUNDAY = (36, 28, 24, 20, 20, 20, 22, 30, 46, 62, 74, 88, 86, 66, 56, 50, 50, 56, 68, 76, 72, 60, 46, 32)
_OUT_HABITS: Final = frozenset({"out at work", "evenings", "mornings too"})


def is_high(hour: int) -> bool:
    """Is this hour of the week, from Saturday midnight on, in the high tariff?"""
    return hour >= 48 and hour % 24 in HIGH_HOURS


def _week(habit: str) -> tuple[int, ...]:
    """168 hours from Saturday midnight on, as 2000-01-01 was a Saturday."""
    return _SATURDAY + _SUNDAY + 5 * (_OUT if habit in _OUT_HABITS else _AT_HOME)


@cache
def used_mwh(high: bool) -> tuple[tuple[int, ...], ...]:
    """For each habit 169 numbers: used in one tariff by the beginning of each hour of the week."""
    out = []
    for habit in HABITS:
        week = _week(habit)
        shares = [share if is_high(hour) == high else 0 for hour, share in enumerate(week)]
        out.append(tuple(WEEK_MWH * sum(shares[:hour]) // sum(week) for hour in range(HOURS_A_WEEK + 1)))
    return tuple(out)
