"""One received telegram as a tool tells it, and the parts that many tools write alike: stamps, levels, hex.

The rule kept here: a codec passes on what the line says and invents nothing. A level that is no dBm is `None` with the
number kept in words; a line without a time has none; bytes are as they stood there, CRCs and all, until `found` looks
for the telegram in them.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Final, Literal, NamedTuple

from sim.core.quoting import quoted
from wmbus.errors import BadTelegram
from wmbus.link import HEADER_BYTES
from wmbus.recover import Recovered, recover

Mode = Literal["T1", "C1", "S1"]
MODES: Final[tuple[Mode, ...]] = ("T1", "C1", "S1")
RSSI_LEAST_DBM: Final = -200.0
RSSI_MOST_DBM: Final = 50.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_UTC: Final = _EPOCH.replace(tzinfo=None)
"""For a date-time that names no zone and is UTC."""
_SECONDS_MAX: Final = 10**11  # beyond the year 5000, counted from 1970; more of them are milliseconds
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_DATE: Final = re.compile(r"(?:(\d{4})[./](\d\d)[./](\d\d)|(\d\d)\.(\d\d)\.(\d{4}))[ T_]+(?=\d)", re.ASCII)
"""Dates that logs and spreadsheets write otherwise: 2026.02.09, 2026/02/09, 09.02.2026."""
_BETWEEN: Final = re.compile(r"0[xX]|[\s|_]+")


class BadLine(ValueError):
    """A line or a block of bytes that a format cannot mean; one sentence, without the place, which the reader knows.
    `offset`: the character or byte in the line that it is about; `around`: what stands there."""

    def __init__(self, words: str, offset: int = 0, around: str = "") -> None:
        super().__init__(words)
        self.offset = offset
        self.around = around


class Stamp(NamedTuple):
    """A time as written, and in nanoseconds: since 1970 UTC where `dated`, else seconds since whatever began."""

    text: str
    ns: int
    dated: bool


@dataclass(frozen=True)
class Reception:
    """One telegram received. `data`: its bytes as printed or sent, CRCs included where the tool left them on.
    `rssi_dbm` None: not said, or no dBm. `crc_ok`: what the receiver says of the CRCs, None if nothing.
    `notes`: what a reader should know of the line itself."""

    data: bytes
    rssi_dbm: float | None = None
    stamp: Stamp | None = None
    crc_ok: bool | None = None
    mode: Mode | None = None
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def found(self) -> Recovered:
        """The telegram in `data`. Raises BadTelegram."""
        return recover(self.data)

    @property
    def found_or_none(self) -> Recovered | None:
        """`found`, None where there is no telegram."""
        try:
            return self.found
        except BadTelegram:
            return None

    @property
    def frame(self) -> bytes:
        """The telegram without CRCs. Raises BadTelegram."""
        return self.found.frame

    @property
    def id(self) -> str:
        """The eight digits of the link layer's id, as tools print them; zeros where there is no telegram."""
        try:
            return self.frame[7:3:-1].hex() if len(self.frame) >= HEADER_BYTES else "00000000"
        except BadTelegram:
            return "00000000"


def hex_bytes(text: str) -> bytes:
    """Hex with blanks, bars, underscores or 0x in it -> bytes. Raises BadLine with the place."""
    try:
        return bytes.fromhex(text[2:] if text[:2] in ("0x", "0X") else text)
    except ValueError:
        spaced = _BETWEEN.sub(lambda found: " " * len(found[0]), text)  # so that a place stays the place
    if spaced.isascii():  # fromhex is for the usual forms, the rest says what is wrong with others
        with contextlib.suppress(ValueError):
            return bytes.fromhex(spaced)
    for at, letter in enumerate(spaced):
        if letter != " " and letter not in _HEX:
            raise BadLine(f"{letter!a} is no hex digit", at, quoted(text[max(0, at - 4) : at + 4]))
    bare = spaced.replace(" ", "")
    if len(bare) % 2:
        raise BadLine(f"{len(bare)} hex digits, an odd number, are no whole number of bytes", len(text))
    return bytes.fromhex(bare)


def stamp(text: str) -> Stamp:
    """Seconds, milliseconds since 1970, or a date-time (UTC where no zone is said; years first, or 09.02.2026), to the
    nanosecond; whole numbers throughout, since a double holds no nanoseconds since 1970. Raises BadLine."""
    bare = text.strip()
    if not bare.isprintable():  # a date-time may have any letter between its parts, an escape too
        raise BadLine(f"{quoted(text)} is no time")
    at_s: Decimal | None = None
    found = None
    if bare[4:5] != "-" or not bare[:4].isdigit():  # a date begins so, and no number
        found = _DATE.match(bare)
        with contextlib.suppress(InvalidOperation):
            at_s = Decimal(bare)
    if at_s is not None:
        if at_s.is_finite() and _SECONDS_MAX < at_s < _SECONDS_MAX * 1000 and "." not in bare:
            at_s = at_s.scaleb(-3)
        if not at_s.is_finite() or abs(at_s) > _SECONDS_MAX:
            raise BadLine(f"{quoted(text)} seconds is no time")
        return Stamp(bare, int(at_s.scaleb(9).to_integral_value()), dated=False)
    if found is not None:
        year, month, day = found.group(1, 2, 3) if found[1] else found.group(6, 5, 4)
        bare, written = f"{year}-{month}-{day} {bare[found.end() :]}", bare
    else:
        written = bare
    try:
        instant = datetime.fromisoformat(bare.replace(" ", "T", 1))
    except ValueError:
        raise BadLine(f"{quoted(text)} is neither seconds nor a date-time like 2026-02-09T04:01:02") from None
    since = instant - (_EPOCH_UTC if instant.tzinfo is None else _EPOCH)
    return Stamp(written, ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000, dated=True)


def written_stamp(one: Stamp | None, *, digits: int = 3, separator: str = " ") -> str:
    """A date-time in UTC with `digits` (0, 3 or 6) after the second; a stamp without a date counts from 1970."""
    spec = {0: "seconds", 3: "milliseconds", 6: "microseconds"}[digits]
    instant = _EPOCH + timedelta(microseconds=(one.ns if one is not None else 0) // 1_000)
    return instant.replace(tzinfo=None).isoformat(sep=separator, timespec=spec)


def level_dbm(text: str) -> float | None:
    """A level with or without its unit; None where nothing is written. Raises BadLine."""
    bare = text.strip()
    if bare.lower().endswith("dbm"):
        bare = bare[:-3].strip()
    if not bare:
        return None
    try:
        rssi_dbm = float(bare)
    except ValueError:
        raise BadLine(f"RSSI {quoted(text)} is not a number") from None
    if not RSSI_LEAST_DBM <= rssi_dbm <= RSSI_MOST_DBM:
        raise BadLine(f"RSSI {rssi_dbm:g} dBm is not between {RSSI_LEAST_DBM:g} and {RSSI_MOST_DBM:g}")
    return rssi_dbm


def mode_named(text: str) -> Mode:
    """T1, C1, S1, or the letter alone. Raises BadLine."""
    for mode in MODES:
        if text.strip().upper() in (mode, mode[0]):
            return mode
    raise BadLine(f"mode {quoted(text)} is not one of {', '.join(MODES)}")
