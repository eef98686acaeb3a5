"""Date patterns: Joda's, which parse_time writes, and the JDK's, which time_to_epoch reads (developer guide:
iot-sql-functions; Joda-Time DateTimeFormat; JDK 11 DateTimeFormatter). English names, as on the service.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

_PARTS: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OFFSET: Final = re.compile(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?")
_ZONES: Final = {
    "Z": "UTC", "UT": "UTC", "GMT": "UTC", "EST": "America/New_York", "EDT": "America/New_York",
    "CST": "America/Chicago", "CDT": "America/Chicago", "MST": "America/Denver", "MDT": "America/Denver",
    "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "CET": "Europe/Paris", "CEST": "Europe/Paris",
    "BST": "Europe/London", "WET": "Europe/Lisbon", "EET": "Europe/Athens", "JST": "Asia/Tokyo", "IST": "Asia/Kolkata",
}  # fmt: skip
_MONTHS: Final = calendar.month_name[1:]
_DAYS: Final = calendar.day_name[:]


class BadTime(ValueError):
    """A pattern, zone or text that does not fit."""


def zone(name: str) -> tzinfo:
    """A zone by its id (America/Belize), abbreviation, or offset (UTC+01:00, +0100). Raises BadTime."""
    match = _OFFSET.fullmatch(name)
    if match:
        sign = -1 if match[1] == "-" else 1
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0), seconds=int(match[4] or 0))
        if offset >= timedelta(hours=24):
            raise BadTime(f"no offset {name!r}")
        return timezone(sign * offset)
    try:
        return ZoneInfo(_ZONES.get(name, name))
    except (KeyError, ValueError, OSError):
        raise BadTime(f"no time zone {name!r}") from None


def _pieces(pattern: str) -> list[tuple[str, int, str]]:
    """(letter, how many, literal text); the letter is empty for a literal. Raises BadTime."""
    found, at = [], 0
    while at < len(pattern):
        match = _PARTS.match(pattern, at)
        if match is None:
            raise BadTime("a quote without its end")
        if match[2]:
            found.append((match[2], len(match[0]), ""))
        else:
            text = match[0] if match[1] is None else (match[1].replace("''", "'") or "'")
            found.append(("", 0, text))
        at = match.end()
    return found


def write(pattern: str, unix_ms: int, zone_name: str = "UTC") -> str:
    """parse_time: the moment by a Joda pattern. Raises BadTime."""
    try:
        moment = (_EPOCH + timedelta(milliseconds=unix_ms)).astimezone(zone(zone_name))
    except (OverflowError, ValueError):
        raise BadTime(f"{unix_ms} ms is outside of the years 1 to 9999") from None
    return "".join(text if not letter else _written(letter, count, moment) for letter, count, text in _pieces(pattern))


def _written(letter: str, count: int, moment: datetime) -> str:
    week_year, week, weekday = moment.isocalendar()
    hour = moment.hour
    numbers = {
        "C": moment.year // 100, "x": week_year, "w": week, "e": weekday, "D": moment.timetuple().tm_yday,
        "d": moment.day, "K": hour % 12, "h": hour % 12 or 12, "H": hour, "k": hour or 24, "m": moment.minute,
        "s": moment.second,
    }  # fmt: skip
    if letter in "yY" or letter == "x":
        year = week_year if letter == "x" else moment.year
        return f"{year % 100:02d}" if count == 2 else f"{year:0{count}d}"
    if letter in numbers:
        return f"{numbers[letter]:0{count}d}"
    if letter == "S":
        return (f"{moment.microsecond // 1000:03d}" + "0" * count)[:count]
    if letter == "M":
        name = _MONTHS[moment.month - 1]
        return f"{moment.month:0{count}d}" if count < 3 else name[:3] if count == 3 else name
    if letter == "E":
        name = _DAYS[moment.weekday()]
        return name[:3] if count < 4 else name
    if letter == "a":
        return "AM" if hour < 12 else "PM"
    if letter == "G":
        return "AD"
    if letter == "z":
        return moment.tzname() or ""
    if letter == "Z":
        offset = moment.strftime("%z")[:5]
        if count >= 3:
            return getattr(moment.tzinfo, "key", None) or offset[:3] + ":" + offset[3:]
        return offset if count == 1 else offset[:3] + ":" + offset[3:]
    raise BadTime(f"a pattern letter {letter!r}")


# --- reading -----------------------------------------------------------------------------------------------------

_NAME_OF_ZONE: Final = r"[A-Za-z]+(?:/[A-Za-z_+\-0-9]+)*(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{1,2}(?::?\d{2})?"
_OFFSETS: Final = r"[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?|Z"


def read(text: str, pattern: str) -> int:
    """time_to_epoch: milliseconds since 1970 of a text by a JDK pattern; UTC where it names no zone. Raises BadTime."""
    expression, fields = "", []
    for letter, count, literal in _pieces(pattern):
        if not letter:
            expression += re.escape(literal)
            continue
        form = _form(letter, count)
        expression += f"({form})"
        fields.append((letter, count))
    match = re.fullmatch(expression, text)
    if match is None:
        raise BadTime(f"{text[:60]!r} does not fit the pattern")
    return _moment({letter: (match[index + 1], count) for index, (letter, count) in enumerate(fields)})


def _form(letter: str, count: int) -> str:
    if letter in "yu":
        return r"\d{2}" if count == 2 else r"\d{4}" if count == 4 else r"\d{1,4}"
    if letter in "ML" and count >= 3:
        return "|".join(name[:3] if count == 3 else name for name in _MONTHS)
    if letter == "E":
        return "|".join(name[:3] if count < 4 else name for name in _DAYS)
    if letter in "MLdHhKkms":
        return rf"\d{{{count}}}" if count > 1 else r"\d{1,2}"
    if letter == "D":
        return rf"\d{{{count}}}" if count > 1 else r"\d{1,3}"
    if letter in "SnN":
        return rf"\d{{{count}}}"
    if letter == "a":
        return "AM|PM|am|pm"
    if letter == "G":
        return "AD|BC|CE"
    if letter in "Vzv":
        return _NAME_OF_ZONE
    if letter in "XxZO":
        return _NAME_OF_ZONE if letter == "O" or count >= 4 else _OFFSETS
    raise BadTime(f"a pattern letter {letter!r}")


def _moment(found: dict[str, tuple[str, int]]) -> int:
    def number(letters: str, default: int) -> int:
        return next((int(found[letter][0]) for letter in letters if letter in found), default)

    year = number("yu", 0)
    if not year and "y" not in found and "u" not in found:
        raise BadTime("the pattern has no year")
    if found.get("y", found.get("u", ("", 0)))[1] == 2:
        year += 2000
    month, name = 1, next((found[letter] for letter in "ML" if letter in found), ("1", 1))
    if name[1] >= 3:
        month = [one[:3] for one in _MONTHS].index(name[0][:3]) + 1
    else:
        month = int(name[0])
    hour = number("Hk", -1)
    if hour < 0:
        hour = number("hK", 0) % 12 + 12 * (found.get("a", ("AM", 1))[0].upper() == "PM")
    where: tzinfo = UTC
    for letter in "VzvXxZO":
        if letter in found:
            where = zone(found[letter][0])
    fraction_ms = int((found["S"][0] + "000")[:3]) if "S" in found else number("n", 0) // 1_000_000
    try:
        moment = datetime(year, month, number("d", 1), hour % 24, number("m", 0), number("s", 0), tzinfo=where)
        if "D" in found:
            moment += timedelta(days=number("D", 1) - 1)
        return (moment - _EPOCH) // timedelta(milliseconds=1) + fraction_ms
    except (ValueError, OverflowError) as error:
        raise BadTime(str(error)) from None
