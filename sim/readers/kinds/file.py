"""Files that a gateway appends to, or leaves in a folder, described as messages are."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.core.clock import ns, wall_ns
from sim.core.settings import number
from sim.readers.message_content import MESSAGE_MOST_BYTES, Content, ContentSpec
from sim.readers.port import Delivered, Reader, ReaderKind, ReadGround
from sim.readers.tail import Tail

_FILES_MOST: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSpec(ContentSpec):
    """`path`: below the gateway's directory unless it is a whole one; with * and ? in its name, every file that fits,
    also those that come later. A line of another kind than described is passed over: programs write other things too.
    `whole`: each file is one message, once it has not changed for `settled_s`."""

    kind: str = "file"
    path: str
    whole: bool = False
    settled_s: float = number(1.0, low=0.0, high=3_600.0)


class LineFiles:
    """See port.Reader: the lines of every file that fits `pattern`."""

    place = ""

    def __init__(self, content: Content, pattern: Path) -> None:
        self.content = content
        self._pattern = pattern
        self._tails: dict[str, Tail] = {}

    @property
    def problem(self) -> str | None:
        if len(self._tails) >= _FILES_MOST:
            return f"{self._pattern} fits {_FILES_MOST} files and more; take old ones away"
        return None

    def start(self) -> None:
        """What stands in the files already is of an earlier run."""
        for path in _fitting(self._pattern):
            self._tails[path] = Tail(Path(path), from_end=True)

    def take(self) -> list[Delivered]:
        there = _fitting(self._pattern)
        for path in there:
            if path not in self._tails and len(self._tails) < _FILES_MOST:
                self._tails[path] = Tail(Path(path), from_end=False)
        rows: list[Delivered] = []
        for path, tail in list(self._tails.items()):
            name = Path(path).name
            for line in tail.lines():
                rows += self.content.line(name, line, wall_ns())
            if path not in there:
                self._tails.pop(path).close()
        return rows

    def stop(self) -> None:
        for tail in self._tails.values():
            tail.close()


@dataclass(slots=True)
class _Seen:
    state: tuple[int, int, int]
    since_ns: int
    was_read: bool


class WholeFiles:
    """See port.Reader: every file that fits `pattern` is a message, each time that it was written anew."""

    place = ""

    def __init__(self, content: Content, pattern: Path, settled_s: float) -> None:
        self.content = content
        self._pattern, self._settled_ns = pattern, ns(settled_s)
        self._seen: dict[str, _Seen] = {}

    @property
    def problem(self) -> str | None:
        return None

    def start(self) -> None:
        """What is there already is of an earlier run."""
        for path in _fitting(self._pattern):
            if (state := _state(path)) is not None:
                self._seen[path] = _Seen(state, wall_ns(), was_read=True)

    def take(self) -> list[Delivered]:
        rows: list[Delivered] = []
        paths = _fitting(self._pattern)
        self._seen = {path: self._seen[path] for path in paths if path in self._seen}
        for path in paths:
            state, now_ns = _state(path), wall_ns()
            if state is None:
                continue
            seen = self._seen.get(path)
            if seen is None or seen.state != state:
                seen = self._seen[path] = _Seen(state, now_ns, was_read=False)
            if not seen.was_read and now_ns - seen.since_ns >= self._settled_ns:
                try:
                    with open(path, "rb") as file:
                        payload = file.read(MESSAGE_MOST_BYTES + 1)
                except OSError:
                    continue
                rows += self.content.rows(Path(path).name, payload, now_ns)
                seen.was_read = True
        return rows

    def stop(self) -> None:
        """It holds nothing open."""


def _state(path: str) -> tuple[int, int, int] | None:
    try:
        said = os.stat(path)
    except OSError:
        return None
    return said.st_ino, said.st_size, said.st_mtime_ns


def _fitting(pattern: Path) -> list[str]:
    if not glob.has_magic(pattern.name):
        return [str(pattern)]
    return sorted(glob.glob(str(Path(glob.escape(str(pattern.parent))) / pattern.name)))


def _make(spec: FileSpec, ground: ReadGround) -> Reader:
    pattern = ground.directory / spec.path
    return WholeFiles(Content(spec), pattern, spec.settled_s) if spec.whole else LineFiles(Content(spec), pattern)


KIND = ReaderKind("file", "What it writes to files", FileSpec, _make)
