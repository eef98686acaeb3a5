"""A recorded log on the simulated air: real telegrams among the simulated ones.

Three line formats are understood, and told apart line by line; empty lines and lines beginning with # are passed over:

    rtl_wmbus   T1;1;1;2026-02-09 04:01:02.345;-71;-71;12345678;0x2e44...
    plain       2026-02-09T04:01:02,-71,2e44...      time, RSSI in dBm, hex (comma, semicolon or blanks)
    JSON        {"time": "2026-02-09T04:01:02", "rssi": -71, "telegram": "2e44..."}

Times may be seconds instead (12.5), counted from the first line's. Hex may carry the CRCs of frame format A or B;
they are checked and stripped. The log keeps its own rhythm: its first telegram is sent `delay_s` after the world began.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sim.clock import NS_PER_S, ns
from wmbus.errors import BadTelegram
from wmbus.link import strip_crcs

MODES = ("T1", "C1", "S1")
LENGTH_MAX_BYTES = 1_048_576


class BadLog(ValueError):
    """A log that cannot be played; the message names file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Played:
    """One telegram of a log. `at_ns` counts from the first one; `telegram` is without CRCs."""

    line: int
    at_ns: int
    rssi_dbm: float
    telegram: bytes
    mode: str = "T1"


def read_log(path: Path) -> list[Played]:
    """The telegrams of a log, in order of time. Raises BadLog."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadLog(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise BadLog(f"{path}: byte {error.start} is not UTF-8 text; a log is text, one telegram a line") from None
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            rows.append(_line(stripped, f"{path}, line {number}", number))
    if not rows:
        raise BadLog(f"{path}: no telegram in it; a line is TIME,RSSI,HEX")
    first_s = min(at_s for at_s, _ in rows)
    played = [
        Played(p.line, ns(at_s - first_s), p.rssi_dbm, p.telegram, p.mode)
        for at_s, p in sorted(rows, key=lambda row: (row[0], row[1].line))
    ]
    if played[-1].at_ns > 366 * 86_400 * NS_PER_S:
        raise BadLog(
            f"{path}: spans more than a year ({played[-1].at_ns / NS_PER_S / 86_400:.0f} days); cut it into parts"
        )
    return played


def _line(line: str, where: str, number: int) -> tuple[float, Played]:
    mode = "T1"
    if line.startswith("{"):
        try:
            body = json.loads(line)
            when, rssi, hex_ = str(body["time"]), str(body.get("rssi", -70)), str(body["telegram"])
            mode = str(body.get("mode", "T1"))
        except (ValueError, KeyError, TypeError) as error:
            raise BadLog(f"{where}: JSON with time, rssi and telegram expected: {error}") from None
    elif line.count(";") >= 7:
        fields = line.split(";")
        mode, when, rssi, hex_ = fields[0], fields[3], fields[4], fields[7]
    else:
        parts = re.split(r"[,;\t]| (?=-?\d+(?:\.\d+)?[ ,;])| (?=[0-9A-Fa-f]{20,}$)", line)
        parts = [part.strip() for part in parts if part.strip()]
        if len(parts) != 3:
            raise BadLog(f"{where}: TIME,RSSI,HEX expected, found {len(parts)} fields: {line[:60]!r}")
        when, rssi, hex_ = parts
    if mode not in MODES:
        raise BadLog(f"{where}: mode {mode!r} is not one of {', '.join(MODES)}")
    try:
        rssi_dbm = float(rssi)
    except ValueError:
        raise BadLog(f"{where}: RSSI {rssi!r} is not a number") from None
    if not -200 <= rssi_dbm <= 50:
        raise BadLog(f"{where}: RSSI {rssi_dbm:g} dBm is not between -200 and 50")
    return _time_s(when, where), Played(number, 0, rssi_dbm, _telegram(hex_, where), mode)


def _time_s(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(text.strip().replace(" ", "T"))
    except ValueError:
        raise BadLog(f"{where}: {text!r} is neither seconds nor a date-time like 2026-02-09T04:01:02") from None
    return (instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant).timestamp()


def _telegram(text: str, where: str) -> bytes:
    cleaned = text.strip().removeprefix("0x").removeprefix("0X").strip("|").replace(" ", "")
    try:
        raw = bytes.fromhex(cleaned)
    except ValueError:
        bad = next((i for i, c in enumerate(cleaned) if c not in "0123456789abcdefABCDEF"), len(cleaned) - 1)
        raise BadLog(f"{where}: hex digit {bad + 1} is not one: {cleaned[max(0, bad - 4) : bad + 4]!r}") from None
    try:
        return strip_crcs(raw)
    except BadTelegram as error:
        raise BadLog(f"{where}: {error}") from None
