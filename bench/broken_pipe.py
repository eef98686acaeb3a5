"""Standard output and error that survive their reader. `./wmbench run | head -1` must not end a run half-way, nor must
a terminal that is closed: output that has no reader any more is dropped, and the run goes on to its end and its exit
code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO


class Pipe:
    """A text stream that goes on into nothing once its reader has left. All else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return int(self._stream.write(text))
        except BrokenPipeError:
            self.drop()
            return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self.drop()

    def drop(self) -> None:
        """Into nothing from here on, so that the interpreter's last flush finds no fault either."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def lay() -> None:
    """Put pipes in the place of sys.stdout and sys.stderr; a closed one (`2>&-`) leads nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, Pipe):
            setattr(sys, name, Pipe(stream or open(os.devnull, "w", encoding="utf-8")))  # noqa: SIM115


def drop_stdout_if_full() -> None:
    """After an error on standard output itself (`> /dev/full`) the interpreter must not try again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout.drop()  # type: ignore[union-attr]  # lay() put a Pipe there
