"""What the store grows by, from the bytes that the trials left in it, and what keeping less does to that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

MONTH_S: Final = 86_400 * 365.25 / 12
KEPT_MONTHS: Final = (1, 13, 39)
"""A month to look back; a year with the set date and a month to object; three years of bills and a quarter."""


def bytes_a_reading(trials: Sequence[tuple[int, int]]) -> float | None:
    """`trials`: (readings, bytes) of stores with the same meters. What one more reading adds, between the smallest and
    the largest; of trials that are all alike, the whole over its readings. None without a reading."""
    stored = sorted(one for one in trials if one[0] > 0)
    if not stored:
        return None
    (few, small), (many, large) = stored[0], stored[-1]
    if many >= 2 * few and large > small:
        return (large - small) / (many - few)
    return large / many


def growth(a_reading: float, readings_per_s: float, interval_s: float) -> dict[str, Any]:
    """GB (1e9 bytes) a month at so many readings a second, and the size at which the store stays when readings are kept
    for some months: all of them, or all for a month and one a day of a meter after it."""
    month = a_reading * readings_per_s * MONTH_S / 1e9
    one_a_day = min(1.0, interval_s / 86_400)
    kept = [
        {"months": months, "all_gb": months * month, "one_a_day_gb": month + (months - 1) * month * one_a_day}
        for months in KEPT_MONTHS
    ]
    return {"bytes_a_reading": a_reading, "readings_per_s": readings_per_s, "gb_a_month": month, "kept": kept}
