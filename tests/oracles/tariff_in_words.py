"""TAF 2 in words: look at every minute of every gap on the wall clock of a data base of time zones."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")


def zone(at_s: int, profile: list[tuple[str, int]], default: int | None) -> int | None:
    """The zone at this instant, every day having this profile of (HH:MM, zone)."""
    clock = f"{datetime.fromtimestamp(at_s, UTC).astimezone(BERLIN):%H:%M}"
    ruling = default
    for begins, number in profile:
        if begins <= clock:
            ruling = number
    return ruling


def registers(
    readings: list[tuple[int, int, int]], profile: list[tuple[str, int]], default: int | None
) -> Counter[int]:
    """Zone -> what it counted, 63 what none may have. `readings`: (seconds, value, status) on whole minutes."""
    counted: Counter[int] = Counter()
    valid = [(at_s, value) for at_s, value, status in readings if status <= 2]
    for (begin_s, before), (end_s, after) in pairwise(valid):
        zones = {zone(at_s, profile, default) for at_s in range(begin_s, end_s, 60)}
        one = zones.pop() if len(zones) == 1 else None
        counted[63 if one is None else one] += after - before
    return counted


def dates(start_s: int, end_s: int) -> list[str]:
    """The local dates of a period."""
    day = datetime.fromtimestamp(start_s, UTC).astimezone(BERLIN).date()
    last = datetime.fromtimestamp(end_s, UTC).astimezone(BERLIN).date()
    return [str(day + timedelta(days=n)) for n in range((last - day).days + 1)]
