"""Paste a line, get the telegram: which tool printed this, line by line, and what is inside a block of hex.

    for got in read("T1;1;1;2026-..."): got.what     a Reception, or a Bad that says why not

A format is recognised by a line that can be no other's (`Codec.claims`). Lines that no format claims belong to the one
recognised last, since a log's rows may need those before them; without one they are told what a line looks like. Hex
that is no telegram as it stands is looked at as a block of a serial dongle or of wired M-Bus.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from functools import lru_cache
from typing import Final

from sim.lines.codecs.port import CODECS, Bad, Codec, Got, Reader
from sim.lines.reception import Reception
from wmbus.errors import BadTelegram

_LAST: Final = ("plain", "hex")  # of them any line of numbers may remind
_DEFAULT: Final = "plain"


@lru_cache(maxsize=1)
def _codecs() -> tuple[tuple[Codec, ...], tuple[Codec, ...]]:
    """(text, binary)."""
    every = CODECS.parts().values()
    text = [one for one in every if not one.binary]
    text.sort(key=lambda one: _LAST.index(one.id) + 1 if one.id in _LAST else 0)
    return tuple(text), tuple(one for one in every if one.binary)


def of_line(line: bytes) -> Codec | None:
    """The format that claims this line of text."""
    return next((one for one in _codecs()[0] if one.claims(line)), None)


def of_block(data: bytes) -> Codec | None:
    """The dongle or bus whose block these bytes begin with."""
    return next((one for one in _codecs()[1] if one.claims(data)), None)


def inside(one: Reception) -> list[Reception | Bad]:
    """The reception itself where its bytes are a telegram or nothing known; else those in the block that they are."""
    try:
        whole = bool(one.frame)
    except BadTelegram:
        whole = not one.data
    codec = None if whole else of_block(one.data)
    if codec is None:
        return [one]
    reader = codec.reader()
    found = [got.what for got in [*reader.feed(one.data), *reader.end()]]
    named = [Bad(f"{codec.title}: {what.words}") if isinstance(what, Bad) else what for what in found]
    return [replace(what, stamp=what.stamp or one.stamp) if isinstance(what, Reception) else what for what in named]


class _Places:
    """Which lines of a stream one reader was given, as runs of consecutive ones: a stream may never end."""

    def __init__(self) -> None:
        self._count = 0
        self._firsts: list[int] = []  # of each run, the reader's number of its first line
        self._ahead: list[int] = []  # by how much the stream's numbers are ahead of the reader's

    def add(self, number: int) -> None:
        self._count += 1
        ahead = number - self._count
        if not self._ahead or self._ahead[-1] != ahead:
            self._firsts.append(self._count)
            self._ahead.append(ahead)

    def of(self, line: int) -> int:
        """The stream's number of the reader's line."""
        if line >= self._firsts[-1]:
            return line + self._ahead[-1]
        return line + self._ahead[bisect_right(self._firsts, line) - 1]


class AnyReader:
    """A stream of lines in any of the formats, also mixed. `seen`: which were recognised."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}
        self._readers: dict[str, Reader] = {}
        self._places: dict[str, _Places] = {}
        self._current: str | None = None
        self._number = 0
        self._last: Codec | None = None  # tried first: a stream is of one tool mostly
        self._asked: tuple[bytes, Codec | None] = b"", None  # a line is asked about more than once

    def knows(self, line: bytes) -> bool:
        """Whether any format claims this line."""
        return self._codec(line) is not None

    def claims(self, line: bytes) -> bool:
        """Whether this is surely a line of some tool, and not hex alone."""
        codec = self._codec(line)
        return codec is not None and codec.id != "hex"

    def _codec(self, line: bytes) -> Codec | None:
        if self._asked[0] is not line:
            last = self._last
            self._asked = line, last if last is not None and last.claims(line) else of_line(line)
        return self._asked[1]

    def line(self, line: bytes) -> list[Got]:
        """One line without its end; what it completed, with the number of the line in which that began."""
        self._number += 1
        if not line.strip():
            return []
        codec = self._codec(line)
        self._last = codec if codec is not None and codec.id not in _LAST else None
        name = codec.id if codec is not None else (self._current or _DEFAULT)
        got = self._end_of(self._current) if self._current not in (None, name) else []
        if codec is not None:
            self._current = name
            self.seen[name] = self.seen.get(name, 0) + 1
        reader = self._readers.get(name)
        if reader is None:
            reader = self._readers[name] = CODECS.find(name).reader()
            self._places[name] = _Places()
        self._places[name].add(self._number)
        now = self._numbered(name, reader.feed(line + b"\n"))
        return got + now if got else now

    def end(self) -> list[Got]:
        """What was left in a reader that waits for more."""
        return [one for name in list(self._readers) for one in self._end_of(name)]

    def _end_of(self, name: str | None) -> list[Got]:
        reader = self._readers.get(name or "")
        return [] if reader is None or name is None else self._numbered(name, reader.end())

    def _numbered(self, name: str, got: list[Got]) -> list[Got]:
        places = self._places[name]
        out: list[Got] = []
        for line, what in got:
            number = places.of(line)
            if isinstance(what, Reception):
                out += [Got(number, one) for one in inside(what)]
            else:
                out.append(Got(number, what))
        return out


def read(text: str) -> list[Got]:
    """Everything in some pasted text."""
    reader = AnyReader()
    got = [one for line in text.encode("utf-8", "replace").split(b"\n") for one in reader.line(line)]
    return got + reader.end()
