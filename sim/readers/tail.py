"""Whole lines of a file that somebody appends to, through rotation, cutting and torn writes.

A line counts when its end is there. A file that was renamed is read to its end before the new one of that name is;
a file that was cut begins anew. Nothing is remembered on disk.
"""

from __future__ import annotations

import contextlib
import os
from io import FileIO
from pathlib import Path
from typing import Final

READ_BYTES: Final = 1 << 20
LINE_MOST_BYTES: Final = 1 << 20


class Tail:
    """One name. `torn`: bytes of a line whose end never came before the file was gone; `too_long`: lines given up."""

    def __init__(self, path: Path, *, from_end: bool) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._rest = b""
        self._skipping = False
        self.torn = self.too_long = 0
        if from_end and self._open() and self._file is not None:
            self._file.seek(0, os.SEEK_END)

    def lines(self) -> list[bytes]:
        """What was completed since the last call, at most READ_BYTES of it a file. Never raises."""
        out: list[bytes] = []
        with contextlib.suppress(OSError):
            if self._file is None and not self._open():
                return out
            out += self._read()
            if self._replaced():
                out += self._read_all()
                self.close()
                if self._open():
                    out += self._read()
        return out

    def close(self) -> None:
        """Idempotent."""
        file, self._file = self._file, None
        self.torn += len(self._rest)
        self._rest, self._skipping = b"", False
        if file is not None:
            file.close()

    def _open(self) -> bool:
        try:
            self._file = FileIO(str(self._path), "r")
        except OSError:
            return False
        return True

    def _replaced(self) -> bool:
        """The name is another file's, and the one that we have has been read to its end."""
        file = self._file
        if file is None:
            return False
        try:
            now = os.stat(self._path)
        except OSError:
            return False  # between the renaming and the new one
        mine = os.fstat(file.fileno())
        return (now.st_dev, now.st_ino) != (mine.st_dev, mine.st_ino)

    def _read_all(self) -> list[bytes]:
        out: list[bytes] = []
        file = self._file
        while file is not None and file.tell() < os.fstat(file.fileno()).st_size:
            out += self._read()
        return out

    def _read(self) -> list[bytes]:
        file = self._file
        if file is None:
            return []
        if os.fstat(file.fileno()).st_size < file.tell():  # cut by its writer
            file.seek(0)
            self.torn += len(self._rest)
            self._rest, self._skipping = b"", False
        came = file.read(READ_BYTES) or b""
        *lines, rest = (self._rest + came).split(b"\n")
        if lines and self._skipping:
            self._skipping = False
            del lines[0]
        if self._skipping or len(rest) > LINE_MOST_BYTES:
            self.too_long += not self._skipping
            self._skipping, rest = True, b""
        self._rest = rest
        return [line.rstrip(b"\r") for line in lines]
