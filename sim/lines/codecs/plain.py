"""`TIME,RSSI,HEX`: what people keep in files and spreadsheets; comma, semicolon, tab or blanks between them.

    2026-02-09T04:01:02,-71,2e44...

The level may carry its unit and may be missing where the commas stand; a row of names is passed over.
"""

from __future__ import annotations

import re

from sim.core.quoting import quoted
from sim.lines.codecs._text import always
from sim.lines.codecs.port import Codec
from sim.lines.reception import BadLine, Reception, hex_bytes, level_dbm, stamp, written_stamp

_PARTS = 3
_NAMES = re.compile(r"^\W*(time|timestamp|date|datetime)\W.*(telegram|hex|data|frame|raw)", re.IGNORECASE)
_LINE = re.compile(
    rb"^\s*[-+]?\d[-+0-9T:.Z ]*[,;\t ]\s*[-+0-9.]*( ?dBm)?\s*[,;\t ]\s*[|_]*(0x)?[0-9a-fA-F]{2}", re.IGNORECASE
)


def _claims(line: bytes) -> bool:
    return _LINE.match(line) is not None


def _parse(line: str) -> Reception | None:
    if _NAMES.match(line):
        return None
    parts = [part.strip() for part in re.split(r"[,;\t]", line, maxsplit=_PARTS - 1)]
    if len(parts) < _PARTS:
        words = line.split()
        if len(words) > _PARTS and "-" in words[0][1:] and ":" in words[1]:
            words[:2] = [" ".join(words[:2])]
        if len(words) > _PARTS and words[2].lower() == "dbm":
            del words[2]
        parts = [*words[:2], "".join(words[2:])] if len(words) >= _PARTS else words
    if len(parts) != _PARTS or not parts[0] or not parts[2]:
        found = len([part for part in parts if part])
        raise BadLine(f"TIME,RSSI,HEX expected, found {found} field{'' if found == 1 else 's'}: {quoted(line)}")
    return Reception(hex_bytes(parts[2]), level_dbm(parts[1]), stamp(parts[0]))


def _write(one: Reception) -> bytes:
    level = "" if one.rssi_dbm is None else f"{one.rssi_dbm:g}"
    return f"{written_stamp(one.stamp, digits=6, separator='T')},{level},{one.frame.hex()}\n".encode()


CODEC = Codec("plain", "lines TIME,RSSI,HEX", _claims, always(_parse), _write)
