"""FHEM's raw message of a CUL: `b` + hex with CRCs + `::RSSI` in dBm.

b3144...ae7a::-71
"""

from __future__ import annotations

import re

from sim.lines.codecs import _culfw
from sim.lines.codecs._text import always
from sim.lines.codecs.port import Codec
from sim.lines.reception import Reception, level_dbm, stamp

_LINE = re.compile(rb"\bbY?[0-9a-fA-F]{24,}::-?\d")
_DATE = re.compile(r"^\d{4}[.-]\d\d[.-]\d\d[ _]\d\d:\d\d:\d\d(?:\.\d+)?")
_MESSAGE = re.compile(r"\b(bY?[0-9a-fA-F]{24,})(?:::(-?[\d.]+))?")


def _claims(line: bytes) -> bool:
    return _LINE.search(line) is not None


def _parse(line: str) -> Reception | None:
    found = _MESSAGE.search(line)
    if found is None:
        return None  # FHEM's log is of everything
    when = _DATE.match(line)
    return Reception(
        _culfw.received(found[1])[0], level_dbm(found[2] or ""), stamp(when[0]) if when is not None else None
    )


def _write(one: Reception) -> bytes:
    level = "" if one.rssi_dbm is None else f"::{one.rssi_dbm:g}"
    return f"{_culfw.printed(one)}{level}\n".encode()


CODEC = Codec("fhem", "raw messages of FHEM", _claims, always(_parse), _write)
