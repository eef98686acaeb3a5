"""Local time of Germany: UTC+1, and UTC+2 from the last Sunday of March to that of October, both at 01:00 UTC
(Directive 2000/84/EC). Written out, since not every machine has a data base of time zones; the tests hold it against
one. Times are whole seconds since 1970, UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

DAY_S: Final = 86_400
WINTER_S: Final = 3_600
SUMMER_S: Final = 7_200
_EPOCH: Final = date(1970, 1, 1)


@lru_cache(maxsize=256)
def changes(year: int) -> tuple[int, int]:
    """When summer time begins and ends."""
    begin, end = (_last_sunday(year, month) + 3_600 for month in (3, 10))
    return begin, end


def _last_sunday(year: int, month: int) -> int:
    day = date(year, month, 31)  # both months have 31 days
    return seconds_of(day - timedelta(days=(day.weekday() + 1) % 7))


def seconds_of(day: date) -> int:
    """Its midnight as if it were UTC."""
    return (day - _EPOCH).days * DAY_S


def offset_s(at_s: int) -> int:
    """What local time is ahead of UTC at this instant."""
    begin, end = changes(datetime.fromtimestamp(at_s, UTC).year)
    return SUMMER_S if begin <= at_s < end else WINTER_S


def midnight_s(day: date) -> int:
    """When this local day begins; it has 23, 24 or 25 hours."""
    local_s = seconds_of(day)
    return local_s - offset_s(local_s - WINTER_S)


def local(at_s: int) -> datetime:
    """The wall clock at this instant, without a zone."""
    return datetime.fromtimestamp(at_s + offset_s(at_s), UTC).replace(tzinfo=None)


def text(at_s: int) -> str:
    """ISO 8601 with the local offset."""
    return f"{local(at_s).isoformat()}+0{offset_s(at_s) // 3_600}:00"


def instant_s(wall: datetime) -> int:
    """The instant at which the wall clock shows this; of the two in October the first."""
    as_utc_s = int(wall.replace(tzinfo=UTC).timestamp())
    summer_s = as_utc_s - SUMMER_S
    return summer_s if offset_s(summer_s) == SUMMER_S else as_utc_s - WINTER_S
