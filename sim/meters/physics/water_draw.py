"""Water: millilitres a household is expected to draw by each hour of its week, for each of the habits of rooms.py.

The shares are our own and no standard profile; Saturday and Sunday are like those of who is at home at weekends. Every
week is like every other, holidays and seasons included. When the taps are open within an hour, `formulas.drawn` says:
so there are pauses, and a pipe that leaks has none.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from sim.meters.physics.rooms import HABITS, HOURS_A_WEEK

HOURS_A_DAY: Final = 24
DAY_ML: Final = 180_000  # at a factor of one; the median factor of a fleet makes about 100 litres of it

# Shares of the day's water by hour, in any unit: most in the mornings and evenings, when people are at home.
_SHARES: Final = {
    "constant": (1, 1, 1, 1, 1, 2, 5, 8, 7, 6, 5, 5, 6, 5, 4, 4, 4, 5, 7, 7, 6, 4, 3, 2),
    "night setback": (1, 0, 0, 0, 1, 3, 8, 9, 7, 5, 4, 5, 6, 4, 3, 3, 4, 6, 8, 8, 6, 4, 3, 2),
    "out at work": (0, 0, 0, 0, 1, 6, 14, 10, 2, 1, 1, 1, 1, 1, 1, 1, 3, 9, 13, 12, 10, 7, 4, 2),
    "evenings": (1, 0, 0, 0, 0, 2, 8, 7, 2, 1, 1, 1, 1, 1, 1, 1, 2, 7, 14, 17, 15, 10, 5, 3),
    "weekends": (0, 0, 0, 0, 0, 1, 3, 6, 9, 10, 9, 8, 8, 6, 5, 5, 5, 6, 7, 6, 3, 2, 1, 0),
    "bedroom": (1, 0, 0, 0, 0, 3, 12, 12, 6, 3, 2, 2, 3, 2, 2, 2, 3, 5, 7, 8, 9, 9, 6, 3),
    "rarely used": (0, 0, 0, 0, 0, 0, 1, 3, 5, 7, 8, 9, 10, 9, 8, 8, 8, 8, 7, 5, 3, 1, 0, 0),
    "mornings too": (0, 0, 0, 0, 2, 8, 16, 13, 8, 4, 3, 3, 4, 3, 2, 2, 3, 4, 6, 7, 5, 4, 2, 1),
}  # fmt: skip


@cache
def drawn_ml() -> tuple[tuple[int, ...], ...]:
    """For each habit 169 numbers: drawn by the beginning of each hour of the week from Saturday midnight on, DAY_ML a
    day."""
    return tuple(_week(habit) for habit in HABITS)


def _week(habit: str) -> tuple[int, ...]:
    return tuple(_drawn_ml(habit, hour) for hour in range(HOURS_A_WEEK + 1))


def _drawn_ml(habit: str, hour: int) -> int:
    day, of_day = divmod(hour, HOURS_A_DAY)
    shares = _SHARES["weekends" if day < 2 else habit]
    return day * DAY_ML + DAY_ML * sum(shares[:of_day]) // sum(shares)
