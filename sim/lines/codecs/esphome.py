"""ESPHome's log of its wmbus component: the telegram after `T:`, its level in dBm, mode and frame format.

    [15:18:54][D][wmbus:097]: ... RSSI: -72 dBm LQI: 168 Frame: C1 A T: 3144... (50)

The stamp is the time of day alone. Colours that a terminal was sent are passed over.
"""

from __future__ import annotations

import re

from sim.core.quoting import quoted
from sim.lines.codecs._text import always
from sim.lines.codecs.port import Codec
from sim.lines.reception import BadLine, Reception, Stamp, hex_bytes, level_dbm, mode_named, written_stamp

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TIME = re.compile(r"^\[(\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,6}))?\]")
_LEVEL = re.compile(r"RSSI:\s*(-?\d+(?:\.\d+)?)\s*dBm", re.IGNORECASE)
_FRAME = re.compile(r"(?:Frame|Mode):\s*([TCS]1?)\b", re.IGNORECASE)
_TELEGRAM = re.compile(r"\b(?:T|Telegram|Data|Frame):\s*(?:0x)?((?:[0-9A-Fa-f_|]{2}\s?){11,})", re.IGNORECASE)
_LINE = re.compile(rb"^\s*(?:\x1b\[[0-9;]*m)?\[\d{1,2}:\d\d:\d\d(?:\.\d+)?\]\[[A-Z]+\]")


def _claims(line: bytes) -> bool:
    return _LINE.match(line) is not None


def _parse(line: str) -> Reception | None:
    bare = _COLOUR.sub("", line)
    found = _TELEGRAM.search(bare)
    if found is None:
        if "RSSI" in bare:
            raise BadLine(f"ESPHome's line has no telegram after 'T:': {quoted(bare)}")
        return None  # the log is of the whole device
    time, level, frame = _TIME.search(bare), _LEVEL.search(bare), _FRAME.search(bare)
    return Reception(
        hex_bytes(found[1].strip()),
        level_dbm(level[1]) if level else None,
        _time_of_day(time) if time else None,
        None,
        mode_named(frame[1]) if frame else None,
    )


def _time_of_day(found: re.Match[str]) -> Stamp:
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3])
    if hours > 23 or minutes > 59 or seconds > 60:
        raise BadLine(f"{quoted(found[0])} is no time of day")
    ns = ((hours * 60 + minutes) * 60 + seconds) * 10**9 + int((found[4] or "").ljust(9, "0"))
    return Stamp(found[0].strip("[]"), ns, dated=False)


def _write(one: Reception) -> bytes:
    time = written_stamp(one.stamp, digits=0)[-8:]
    level = "" if one.rssi_dbm is None else f"RSSI: {one.rssi_dbm:g} dBm "
    hexa = one.frame.hex().upper()
    return (
        f"[{time}][D][wmbus:097]: Using driver 'auto' for ID [0x{one.id}] {level}LQI: 128 "
        f"Frame: {one.mode or 'T1'} A T: {hexa} ({len(one.frame)})\n"
    ).encode()


CODEC = Codec("esphome", "the log of an ESPHome receiver", _claims, always(_parse), _write)
