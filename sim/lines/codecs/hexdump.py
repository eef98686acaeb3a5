"""Bare hex, a telegram a line, as programs send it over TCP; and dumps with an offset before each sixteen bytes.

    2e44...
    0000  31 44 93 44 28 42 00 30  36 08 7a c2 00 00 20 0b  1D.D(B.06.z...
    0010  6e 57 04 00 ...

A dump is joined until its offsets begin anew or a line without one comes.
"""

from __future__ import annotations

import re

from sim.core.quoting import quoted
from sim.lines.codecs._text import LineReader
from sim.lines.codecs.port import Bad, Codec, Got
from sim.lines.reception import BadLine, Reception, hex_bytes

_DUMP = re.compile(r"^(?:0x)?([0-9a-fA-F]{4,8}):?\s+((?:[0-9a-fA-F]{2}[ \-]{1,3}|[0-9a-fA-F]{4} ){1,16}|"
                   r"(?:[0-9a-fA-F]{2} ?)+$)")  # fmt: skip
_HEX = re.compile(rb"^[\s|_]*(?:0[xX])?(?:[0-9a-fA-F][\s|_]*){22,}$")
_MAX_BYTES = 1 << 12


class _Dump:
    """Joins the rows of a dump."""

    def __init__(self) -> None:
        self.data = b""

    def row(self, line: str) -> tuple[int, bytes] | None:
        found = _DUMP.match(line + " ")
        if found is None or len(found[1]) > 8:
            return None
        try:
            row = bytes.fromhex(found[2].replace("-", " "))
        except ValueError:
            return None
        offset = int(found[1], 16)
        return (offset, row) if offset in (0, len(self.data)) and len(row) <= 32 else None

    def taken(self) -> Reception | None:
        data, self.data = self.data, b""
        return Reception(data) if data else None


class HexReader:
    """Lines of hex, and rows of dumps joined."""

    def __init__(self) -> None:
        self._dump = _Dump()
        self._begun = 0
        self._got: list[Got] = []
        self._lines = LineReader(self._parse)

    def feed(self, data: bytes) -> list[Got]:
        return self._after(self._lines.feed(data))

    def end(self) -> list[Got]:
        got = self._after(self._lines.end())
        self._flush()
        return [*got, *self._after([])]

    def _after(self, read: list[Got]) -> list[Got]:
        joined, self._got = self._got, []
        return sorted([*joined, *read], key=lambda one: one.line)

    def _flush(self) -> None:
        one = self._dump.taken()
        if one is not None:
            self._got.append(Got(self._begun, one))

    def _parse(self, line: str) -> Reception | Bad | None:
        row = self._dump.row(line)
        if row is None or (row[0] == 0 and not line.startswith(("0000", "0x0000"))):
            self._flush()
            if not _HEX.match(line.encode()):
                raise BadLine(f"no line of hex: {quoted(line)}")
            return Reception(hex_bytes(line))
        offset, data = row
        if offset == 0:
            self._flush()
            self._begun = self._lines.number
        self._dump.data += data
        if len(self._dump.data) > _MAX_BYTES:
            self._dump.data = b""
            raise BadLine(f"a dump of more than {_MAX_BYTES} bytes is no telegram")
        return None


def _claims(line: bytes) -> bool:
    return _HEX.match(line) is not None or line.lstrip().startswith((b"0000 ", b"00000000 ", b"0000:", b"00000000:"))


def _write(one: Reception) -> bytes:
    return one.frame.hex().encode() + b"\n"


CODEC = Codec("hex", "hex, a telegram a line, or a dump with offsets", _claims, HexReader, _write)
