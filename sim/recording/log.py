"""A recorded log, read: real telegrams to be put on the simulated air (see foreign).

Three line formats are understood, and recognised line by line; empty lines and lines beginning with # are passed over:

    rtl_wmbus   T1;1;1;2026-02-09 04:01:02.345;97;148;12345678;0x2e44...
    plain       2026-02-09T04:01:02,-71,2e44...      time, RSSI in dBm, hex (comma, semicolon, tab or blanks)
    JSON        {"time": "2026-02-09T04:01:02", "rssi": -71, "telegram": "2e44...", "mode": "C1"}

Times may be seconds instead (12.5), but not both in one log; a date-time without a zone is UTC. Hex may carry the CRCs
of frame format A or B; they are checked and stripped. One bare telegram in 65 536 ends as if it had the CRC of format
B: the bytes that its header announces decide, and where they do not, the other lines: among a thousand bare ones it is
bare, because a receiver leaves CRCs in or takes them off. `Played.cut` says what was taken off as format B. A log that
cannot be read is refused as a whole, with the line: half a recording played would look like half a fleet fallen silent.

rtl_wmbus writes what its receiver could not check with a 0 in the second field: such a line is no telegram, and is
counted and passed over. Its levels are raw numbers above 0 and no dBm; they, and lines of JSON without "rssi", are
taken as ASSUMED_DBM, and counted too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, Literal, NamedTuple

from sim.core.clock import NS_PER_DAY
from sim.core.quoting import quoted
from wmbus.dissect import parse
from wmbus.errors import BadTelegram
from wmbus.link import add_crcs_b, strip_crcs

Mode = Literal["T1", "C1", "S1"]
MODES: Final[tuple[Mode, ...]] = ("T1", "C1", "S1")
ASSUMED_DBM: Final = -70.0
LOG_MAX_BYTES: Final = 256 << 20
SPAN_MAX_DAYS: Final = 366
_ONE_CRC: Final = 2  # bytes
_BARE_FOR_ONE: Final = 1_000  # lines; by chance it is one of 65 536
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_MAX: Final = 10**11  # beyond the year 5000, counted from 1970


class BadLog(ValueError):
    """A log that cannot be played; the message names file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Played:
    """One telegram of a log. `at_ns` counts from the first one, `time` is as written, `telegram` is without CRCs."""

    line: int
    at_ns: int
    rssi_dbm: float
    telegram: bytes
    mode: Mode = "T1"
    time: str = ""
    rssi_assumed: bool = False
    cut: int = 0  # bytes that were taken off as CRCs of format B


@dataclass(frozen=True, slots=True)
class Log:
    """A recording: its telegrams in order of time, and the lines that the receiver itself marked as broken."""

    played: list[Played]
    broken_lines: tuple[int, ...] = ()

    @property
    def assumed(self) -> int:
        """How many telegrams came without a level in dBm."""
        return sum(one.rssi_assumed for one in self.played)

    @property
    def cut(self) -> list[Played]:
        """Telegrams of which bytes were taken off as CRCs of format B."""
        return [one for one in self.played if one.cut]


class _Fields(NamedTuple):
    """A line cut into its parts, still text. `raw`: its RSSI above 0 is a number of the receiver's own."""

    time: str
    rssi: str
    telegram: str
    mode: str = "T1"
    raw: bool = False


def read_log(path: Path) -> Log:
    """Raises BadLog, and nothing else, whatever the file holds."""
    text = _text(path)
    played: list[Played] = []
    broken: list[int] = []
    dated: bool | None = None
    bare = 0
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        where = f"{path}, line {number}"
        fields = _cut(stripped, where)
        if fields is None:
            broken.append(number)
            continue
        at_ns, has_date = _time_ns(fields.time, where)
        if dated is not None and dated is not has_date:
            raise BadLog(f"{where}: {fields.time!r}: the lines before count time the other way; use one kind, seconds "
                         "or date-times")  # fmt: skip
        dated = has_date
        rssi_dbm, assumed = _rssi_dbm(fields, where)
        telegram, cut = _telegram(fields.telegram, where)
        bare += cut is None
        mode = _mode(fields.mode, where)
        played.append(Played(number, at_ns, rssi_dbm, telegram, mode, fields.time, assumed, cut or 0))
    if not played:
        marked = f"; its {len(broken)} lines are marked as broken by the receiver" if broken else ""
        raise BadLog(f"{path}: no telegram in it{marked}; a line is TIME,RSSI,HEX: 2026-02-09T04:01:02,-71,2e44...")
    played.sort(key=lambda one: (one.at_ns, one.line))
    first_ns, span_ns = played[0].at_ns, played[-1].at_ns - played[0].at_ns
    if span_ns > SPAN_MAX_DAYS * NS_PER_DAY:
        raise BadLog(f"{path}: spans more than a year ({span_ns // NS_PER_DAY} days); cut it into parts")
    one_crc = sum(one.cut == _ONE_CRC for one in played)
    if one_crc * _BARE_FOR_ONE <= bare:
        played = [_whole(one) for one in played]
    return Log([replace(one, at_ns=one.at_ns - first_ns) for one in played], tuple(broken))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LOG_MAX_BYTES:
            raise BadLog(f"{path}: larger than {LOG_MAX_BYTES >> 20} MiB; cut it into parts")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadLog(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise BadLog(f"{path}: byte {error.start} is not UTF-8 text; a log is text, one telegram a line") from None


# --- a line ----------------------------------------------------------------------------------------------------


def _cut(line: str, where: str) -> _Fields | None:
    """The parts of a line; None for one that rtl_wmbus marks as broken."""
    if line.startswith("{"):
        return _cut_json(line, where)
    if line.count(";") >= 7:
        fields = [field.strip() for field in line.split(";")]
        if fields[1] == "0":
            return None
        return _Fields(fields[3], fields[4], fields[7], fields[0], raw=True)
    parts = [part.strip() for part in re.split(r"[,;\t]", line, maxsplit=2)]
    if len(parts) < 3:
        words = line.split()
        if len(words) > 3 and "-" in words[0][1:] and ":" in words[1]:
            words[:2] = [" ".join(words[:2])]
        parts = [*words[:2], "".join(words[2:])] if len(words) > 2 else words
    if len(parts) != 3 or not all(parts):
        found = len([part for part in parts if part])
        fields_found = f"{found} field{'' if found == 1 else 's'}"
        raise BadLog(f"{where}: TIME,RSSI,HEX expected, found {fields_found}: {quoted(line)}")
    return _Fields(parts[0], parts[1], parts[2])


def _cut_json(line: str, where: str) -> _Fields:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLog(f"{where}: not JSON: {error}") from None
    missing = [name for name in ("time", "telegram") if body.get(name) is None]
    if missing:
        raise BadLog(f"{where}: JSON without {' and '.join(map(repr, missing))}; time, rssi and telegram are expected")
    rssi = body.get("rssi")
    return _Fields(
        str(body["time"]), "" if rssi is None else str(rssi), str(body["telegram"]), str(body.get("mode", "T1"))
    )


# --- its parts -------------------------------------------------------------------------------------------------


def _mode(text: str, where: str) -> Mode:
    for mode in MODES:
        if text.upper() == mode:
            return mode
    raise BadLog(f"{where}: mode {quoted(text)} is not one of {', '.join(MODES)}")


def _rssi_dbm(fields: _Fields, where: str) -> tuple[float, bool]:
    """(dBm, whether they are assumed)."""
    if not fields.rssi:
        return ASSUMED_DBM, True
    try:
        rssi_dbm = float(fields.rssi)
    except ValueError:
        raise BadLog(f"{where}: RSSI {quoted(fields.rssi)} is not a number") from None
    if fields.raw and 0 <= rssi_dbm <= 65_535:
        return ASSUMED_DBM, True
    if not -200 <= rssi_dbm <= 50:
        raise BadLog(f"{where}: RSSI {rssi_dbm:g} dBm is not between -200 and 50")
    return rssi_dbm, False


def _time_ns(text: str, where: str) -> tuple[int, bool]:
    """(nanoseconds, whether it is a date). Whole numbers throughout: a double holds no nanoseconds since 1970."""
    try:
        at_s = Decimal(text.strip())
    except InvalidOperation:
        at_s = None
    if at_s is not None:
        if not at_s.is_finite() or abs(at_s) > _SECONDS_MAX:
            raise BadLog(f"{where}: {quoted(text)} seconds is no time")
        return int(at_s.scaleb(9).to_integral_value()), False
    try:
        instant = datetime.fromisoformat(text.strip().replace(" ", "T", 1))
    except ValueError:
        raise BadLog(
            f"{where}: {quoted(text)} is neither seconds nor a date-time like 2026-02-09T04:01:02"
        ) from None
    aware = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1_000, True


def _telegram(text: str, where: str) -> tuple[bytes, int | None]:
    """(telegram, bytes taken off as CRCs of format B; None when it had no CRCs)."""
    cleaned = text.strip().removeprefix("0x").removeprefix("0X").strip("|").replace(" ", "")
    bad = next((i for i, c in enumerate(cleaned) if c not in "0123456789abcdefABCDEF"), None)
    if bad is not None:
        around = cleaned[max(0, bad - 4) : bad + 4]
        raise BadLog(f"{where}: character {bad + 1} of the telegram is no hex digit: {around!r}")
    if len(cleaned) % 2:
        raise BadLog(f"{where}: the telegram has {len(cleaned)} hex digits, an odd number; one is missing")
    try:
        data = bytes.fromhex(cleaned)
        telegram = strip_crcs(data)
        if len(telegram) == len(data):
            return telegram, None
        if len(data) == data[0] + 1:  # format B, or a bare frame that passes for it
            if _announces(data) and not _announces(telegram):
                return data, None
            return telegram, len(data) - len(telegram)
        return telegram, 0
    except BadTelegram as error:
        raise BadLog(f"{where}: {error}") from None


def _announces(telegram: bytes) -> bool:
    """Does its header say in advance how many bytes are encrypted, and are these all?"""
    try:
        parsed = parse(telegram)
    except BadTelegram:
        return False
    blocks = parsed.encrypted_blocks
    return blocks > 0 and len(parsed.payload) == 16 * blocks


def _whole(one: Played) -> Played:
    """With the two bytes that were taken off, unless its header shows that they were none of it."""
    if one.cut != _ONE_CRC or _announces(one.telegram):
        return one
    return replace(one, telegram=add_crcs_b(one.telegram), cut=0)
