"""rtl_433 -F csv: a row of names, then rows of values; the same fields as its JSON (see rtl_433_json).

The names come first, once, and again whenever rtl_433 was started anew; a row before any names cannot be read.
"""

from __future__ import annotations

import csv
import io

from sim.lines.codecs import rtl_433_json
from sim.lines.codecs._text import LineReader
from sim.lines.codecs.port import Bad, Codec
from sim.lines.reception import BadLine, Reception

_NAMES = (
    "time", "msg", "codes", "model", "mode", "id", "version", "type", "type_string", "CI", "AC", "ST", "CW", "sn",
    "crc", "M", "C", "data_length", "data", "mic",
)  # fmt: skip
"""Of release 22.11, without those of its other protocols; the order is the program's own."""


def _is_names(row: list[str]) -> bool:
    return "time" in row and "data" in row and "model" in row


def _claims(line: bytes) -> bool:
    if b",%s," % rtl_433_json.MODEL.encode() in line and not line.lstrip().startswith(b"{"):
        return True
    return line.count(b",") > 1 and _is_names([name.strip() for name in line.decode("latin-1").split(",")])


class _Rows:
    def __init__(self) -> None:
        self._names: list[str] = []

    def parse(self, line: str) -> Reception | Bad | None:
        try:
            row = next(csv.reader([line]), [])
        except csv.Error as error:
            raise BadLine(f"not CSV: {error}") from None
        if _is_names(row):
            self._names = row
            return None
        if not self._names:
            raise BadLine("a row of rtl_433's CSV before the row of names (time,msg,...,data,...)")
        body: dict[str, object] = dict(zip(self._names, row, strict=False))
        if not body.get("data"):
            return None  # an event of another protocol
        return rtl_433_json.reception(body)


def _reader() -> LineReader:
    return LineReader(_Rows().parse)


def _write(one: Reception) -> bytes:
    """The row of names and one of values: a stream may repeat the names, as a restarted rtl_433 does."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(_NAMES)
    said = rtl_433_json.fields(one)
    rows.writerow([said.get(name, "") for name in _NAMES])
    return out.getvalue().encode()


CODEC = Codec("rtl_433-csv", "rows of rtl_433 -F csv", _claims, _reader, _write)
