"""wmbusmeters' log: `telegram=|HEX|+SECONDS`, with an underscore where its parser stood, and lines before it.

    Received telegram from: 27511378
                      rssi: -55 dBm
    telegram=|_314493447813512735087abf000020_0b6e...|+25

`--logtelegrams` prints the last line alone. Seconds count from the program's start; a log with time stamps has
`[2026-02-09_04:01:02]` before each line, which is taken instead. Older releases print two bars. A
level belongs to the telegram that follows it.
"""

from __future__ import annotations

import re

from sim.core.clock import NS_PER_S
from sim.core.quoting import quoted
from sim.lines.codecs._text import LineReader
from sim.lines.codecs.port import Bad, Codec
from sim.lines.reception import BadLine, Reception, Stamp, hex_bytes, level_dbm, stamp

_LINE = re.compile(r"telegram=\|(?P<hex>[^+]*)\|(?:\+(?P<s>\d+))?")
_DATE = re.compile(r"^\[(\d{4}-\d\d-\d\d[_ T]\d\d:\d\d:\d\d)\]")
_HEADERS = (b"Received telegram from:", b"telegram=|")


def _claims(line: bytes) -> bool:
    return any(header in line for header in _HEADERS)


class _Log:
    def __init__(self) -> None:
        self._level: float | None = None

    def parse(self, line: str) -> Reception | Bad | None:
        name, colon, said = _DATE.sub("", line).partition(":")
        if colon and name.strip() == "rssi":
            self._level = level_dbm(said)
            return None
        if "telegram=" not in line:
            return None
        level, self._level = self._level, None
        found = _LINE.search(line)
        if found is None:
            raise BadLine(f"a line of wmbusmeters is telegram=|HEX|+SECONDS: {quoted(line)}")
        date = _DATE.match(line)
        when = date[1] if date is not None else found["s"]
        return Reception(hex_bytes(found["hex"]), level, stamp(when) if when else None)


def _reader() -> LineReader:
    return LineReader(_Log().parse)


def _write(one: Reception) -> bytes:
    seconds = (one.stamp or Stamp("", 0, dated=False)).ns // NS_PER_S
    head = f"Received telegram from: {one.id}\n"
    if one.rssi_dbm is not None:
        head += f"                  rssi: {one.rssi_dbm:g} dBm\n"
    return f"{head}telegram=|_{one.frame.hex().upper()}|+{seconds}\n".encode()


CODEC = Codec("wmbusmeters", "the log of wmbusmeters --logtelegrams", _claims, _reader, _write)
