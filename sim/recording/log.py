"""A recorded log, read: real telegrams to be put on the simulated air (see replayed_meters).

Every format of sim.lines is understood and recognised line by line; empty lines and lines beginning with # are passed
over. Times may be seconds instead of date-times (12.5, or +25 as wmbusmeters prints it), but not both in one log; a
date-time without a zone is UTC. Hex may carry CRCs, which are checked and stripped, and bytes that receivers add.

What real logs are like is no reason to refuse them: a line torn by a full disk, a stamp of 1970 from a receiver whose
clock was not yet set, are set aside, counted and named by number (`Log.set_aside`). A receiver's two copies of a
telegram with one stamp (rtl_wmbus demodulates twice) are one reception (`Log.copies`). A log in which nothing can be
read is refused, with its first line.

Levels that are no dBm, as rtl_wmbus and rtl_433 write them, and telegrams without one are taken as ASSUMED_DBM, and
counted. One bare telegram in 65 536 ends as if it had the CRC of format B: the bytes that its header announces decide,
and where they do not, the other lines: among a thousand bare ones it is bare, because a receiver leaves CRCs in or
takes them off. `Played.cut` says what was taken off as format B.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from sim.core.clock import NS_PER_DAY
from sim.core.quoting import quoted
from sim.lines.codecs.port import Bad, Got
from sim.lines.reception import BadLine, Mode, Reception
from sim.lines.recognise import AnyReader
from wmbus.dissect import parse
from wmbus.errors import BadTelegram
from wmbus.link import add_crcs_b

ASSUMED_DBM: Final = -70.0
LOG_MAX_BYTES: Final = 256 << 20
SPAN_MAX_DAYS: Final = 366
_ONE_CRC: Final = 2  # bytes
_BARE_FOR_ONE: Final = 1_000  # lines; by chance it is one of 65 536
SET_CLOCK_NS: Final = 10_957 * NS_PER_DAY
"""1 January 2000: a date before it is of a clock that was not yet set; wireless M-Bus is younger."""


class BadLog(ValueError):
    """A log that cannot be played; the message names file, line and what is wrong."""


class SetAside(NamedTuple):
    """A line that is not played, and why."""

    line: int
    why: str


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
    """A recording: its telegrams in order of time; the lines that the receiver itself marked as broken, those that were
    set aside, and those that repeat a reception."""

    played: list[Played]
    broken_lines: tuple[int, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    copies: tuple[int, ...] = ()

    @property
    def assumed(self) -> int:
        """How many telegrams came without a level in dBm."""
        return sum(one.rssi_assumed for one in self.played)

    @property
    def cut(self) -> list[Played]:
        """Telegrams of which bytes were taken off as CRCs of format B."""
        return [one for one in self.played if one.cut]


def read_log(path: Path) -> Log:
    """Raises BadLog, and nothing else, whatever the file holds."""
    played: list[Played] = []
    broken: list[int] = []
    aside: list[SetAside] = []
    dated: bool | None = None
    bare = 0
    for number, what in _read(path):
        if isinstance(what, Bad):
            if what.marked:
                broken.append(number)
            else:
                aside.append(SetAside(number, what.words))
            continue
        try:
            one, has_date, bare_too = _played(number, what)
        except (BadLine, BadTelegram) as error:
            aside.append(SetAside(number, str(error)))
            continue
        if dated is not None and dated is not has_date:
            raise BadLog(f"{path}, line {number}: {one.time!r}: the lines before count time the other way; use one "
                         "kind, seconds or date-times")  # fmt: skip
        dated = has_date
        bare += bare_too
        played.append(one)
    if not played:
        raise BadLog(f"{path}{_nothing(broken, aside)}")
    played.sort(key=lambda one: (one.at_ns, one.line))
    played, copies = _once(played)
    first_ns, span_ns = played[0].at_ns, played[-1].at_ns - played[0].at_ns
    if span_ns > SPAN_MAX_DAYS * NS_PER_DAY:
        raise BadLog(
            f"{path}: spans more than a year ({span_ns // NS_PER_DAY} days, from line {played[0].line}, "
            f"{played[0].time}, to line {played[-1].line}, {played[-1].time}); cut it into parts"
        )
    one_crc = sum(one.cut == _ONE_CRC for one in played)
    if one_crc * _BARE_FOR_ONE <= bare:
        played = [_whole(one) for one in played]
    return Log([replace(one, at_ns=one.at_ns - first_ns) for one in played], tuple(broken), tuple(aside), copies)


def _read(path: Path) -> list[Got]:
    reader = AnyReader()
    got: list[Got] = []
    for line in _text(path).encode().split(b"\n"):
        got += reader.line(b"" if line.lstrip().startswith(b"#") else line)
    return [*got, *reader.end()]


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LOG_MAX_BYTES:
            raise BadLog(f"{path}: larger than {LOG_MAX_BYTES >> 20} MiB; cut it into parts")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadLog(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise BadLog(f"{path}: byte {error.start} is not UTF-8 text; a log is text, one telegram a line") from None


def _played(number: int, one: Reception) -> tuple[Played, bool, bool]:
    """(the telegram, whether its time is a date, whether it came without CRCs). Raises BadLine, BadTelegram."""
    telegram, cut = _telegram(one)
    if one.stamp is None:
        raise BadLine("a telegram without a time; a line is TIME,RSSI,HEX: 2026-02-09T04:01:02,-71,2e44...")
    if one.stamp.dated and one.stamp.ns < SET_CLOCK_NS:
        raise BadLine(f"stamp {quoted(one.stamp.text)}: the receiver's clock was not yet set")
    level = ASSUMED_DBM if one.rssi_dbm is None else one.rssi_dbm
    stamp = one.stamp
    return (
        Played(number, stamp.ns, level, telegram, one.mode or "T1", stamp.text, one.rssi_dbm is None, cut or 0),
        stamp.dated,
        cut is None,
    )


def _once(played: list[Played]) -> tuple[list[Played], tuple[int, ...]]:
    """One of those with the same bytes and stamp, and the lines of the others."""
    first: dict[tuple[int, bytes], Played] = {}
    copies = [one.line for one in played if first.setdefault((one.at_ns, one.telegram), one) is not one]
    return list(first.values()), tuple(copies)


def _telegram(one: Reception) -> tuple[bytes, int | None]:
    """(telegram, bytes taken off as CRCs of format B; None when it had no CRCs). Raises BadTelegram."""
    found = one.found
    if found.format != "B":
        return found.frame, None if found.format == "none" else 0
    if len(one.data) == one.data[0] + 1 and _announces(one.data) and not _announces(found.frame):
        return one.data, None
    return found.frame, len(one.data) - found.begin - len(found.rest) - len(found.frame)


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


def _nothing(broken: list[int], aside: list[SetAside]) -> str:
    if aside:
        others = f"; {len(aside) - 1} other lines cannot be read either" if len(aside) > 1 else ""
        return f", line {aside[0].line}: {aside[0].why}{others}"
    marked = f"; its {len(broken)} lines are marked as broken by the receiver" if broken else ""
    return f": no telegram in it{marked}; a line is TIME,RSSI,HEX: 2026-02-09T04:01:02,-71,2e44..."
