"""The times that gateways write: a format, and the zone of those that name none."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from sim.lines.reception import BadLine, stamp

_OFFSET: Final = re.compile(r"([+-])(\d{2}):?(\d{2})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_S: Final = {"unix s": 1.0, "unix ms": 1e-3, "unix us": 1e-6, "unix ns": 1e-9}
_SHOWN: Final = 40
ANY: Final = "any"
"""Date-times as people write them (ISO 8601, a blank for the T, no zone), or a number: seconds or milliseconds since
1970."""


class BadStamp(ValueError):
    """A time that is none; one sentence."""


def zone(text: str) -> tzinfo:
    """ "UTC", "+01:00", or a name as Europe/Berlin. Raises BadStamp."""
    if text == "UTC":
        return UTC
    if offset := _OFFSET.fullmatch(text):
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        if ahead < timedelta(days=1):
            return timezone(ahead if offset[1] == "+" else -ahead)
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise BadStamp(f"{text[:_SHOWN]!r} is no zone; UTC, +01:00 and Europe/Berlin are") from None


def check_format(text: str) -> None:
    """Raises BadStamp."""
    if text in _UNITS_S or text == ANY:
        return
    try:
        datetime.strptime(_EPOCH.strftime(text), text).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadStamp(f"{text!r}: {error}") from None
    if "%" not in text:
        raise BadStamp(f"{text!r} is no format of a time; {ANY}, {', '.join(_UNITS_S)} and %d.%m.%Y %H:%M:%S are")


def parsed(value: object, form: str, where: tzinfo) -> datetime:
    """Raises BadStamp."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadStamp(f"a time is text or a number, not {type(value).__name__}")
    text = str(value).strip()
    try:
        if form in _UNITS_S:
            return _EPOCH + timedelta(seconds=float(text) * _UNITS_S[form])
        if form == ANY:
            one = stamp(text)
            if one.dated and not _names_a_zone(text):
                return datetime.fromisoformat(text.replace(" ", "T", 1)).replace(tzinfo=where)
            return _EPOCH + timedelta(microseconds=one.ns // 1_000)
        if "%z" in form:
            return datetime.strptime(text, form)  # noqa: DTZ007  %z is in it
        return datetime.strptime(text, form).replace(tzinfo=where)
    except (ValueError, OverflowError, BadLine):
        raise BadStamp(f"{text[:_SHOWN]!a} is no time of the format {form!r}") from None


def _names_a_zone(text: str) -> bool:
    return datetime.fromisoformat(text.replace(" ", "T", 1)).tzinfo is not None
