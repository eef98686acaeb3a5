"""A named pipe, or a file: made where it is named, for programs that open a path themselves."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sim.feeders.lines._descriptor import Descriptor, OverDescriptor
from sim.feeders.lines.port import Answer, LineError, LineKind, LineSpec


@dataclass(frozen=True, slots=True)
class PathSpec(LineSpec):
    """`path`: below the gateway's directory unless it is a whole one. `is_a` "file": everything is appended to it."""

    kind: str = "path"
    path: str = "pipe"
    is_a: Literal["pipe", "file"] = "pipe"


class PathLine(OverDescriptor):
    """See port.Line. A pipe is opened when somebody reads it, and again when that one has gone."""

    def __init__(self, spec: PathSpec, directory: Path) -> None:
        super().__init__()
        self._path = directory / spec.path
        self._pipe = spec.is_a == "pipe"
        self._open = False

    @property
    def place(self) -> str:
        return str(self._path)

    @property
    def problem(self) -> str | None:
        if not self._open:
            return f"{self._path} is not there"
        if not self._at_hand():
            return f"nobody reads {self._path}; point the gateway at it"
        return None

    def open(self, answer: Answer) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._pipe and not (self._path.exists() and stat.S_ISFIFO(self._path.stat().st_mode)):
                os.mkfifo(self._path, 0o600)
            elif not self._pipe:
                self._path.touch()
        except OSError as error:
            raise LineError(f"cannot make {self._path}: {error.strerror or error}; name another path") from None
        self._open = True

    def _at_hand(self) -> bool:
        if self._descriptor is not None and self._descriptor.away:
            self._descriptor.close()
            self._descriptor = None
        if self._descriptor is None and self._open:
            flags = os.O_WRONLY | os.O_NONBLOCK | (0 if self._pipe else os.O_APPEND)
            with contextlib.suppress(OSError):  # a pipe that nobody reads
                self._descriptor = Descriptor(os.open(self._path, flags), lambda _: b"", reads=False)
        return self._descriptor is not None

    def send(self, data: bytes) -> int:
        return super().send(data) if self._at_hand() else 0

    def close(self) -> None:
        self._open = False
        super().close()
        if self._pipe:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)


LINE = LineKind("path", "Named pipe or file", PathSpec, lambda spec, where, _: PathLine(spec, where))
