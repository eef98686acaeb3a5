"""What a line is: bytes go out at once, and what comes back is answered on the line's own thread.

LINES.find("pty").open(spec, directory)     not open yet
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from sim.core.parts import Kinds, of_kind

Answer = Callable[[bytes], bytes]
"""What came over a line, in pieces of any size; the bytes to send back."""

BUFFER_BYTES: Final = 1 << 16
"""What a line holds back for a gateway that does not read; what is more is lost."""


class LineError(Exception):
    """A line cannot be made: one sentence that names it and the way out."""


class Line(Protocol):
    """One line to one gateway."""

    @property
    def place(self) -> str:
        """What the gateway is told to open; "" for its standard input."""

    @property
    def problem(self) -> str | None:
        """Why what is sent reaches nobody, and the way out."""

    @property
    def broken(self) -> str:
        """See feeders.port.Feeder.broken."""

    def open(self, answer: Answer) -> None:
        """Raises LineError."""

    def attach(self, descriptor: int) -> None:
        """See feeders.port.Feeder.attach."""

    def send(self, data: bytes) -> int:
        """Bytes handed over at once; the rest of `data` follows as the line takes it. 0: none of it will. Never waits,
        never raises."""

    def close(self) -> None:
        """Idempotent."""


@dataclass(frozen=True, slots=True)
class LineSpec:
    """`line` of a feeder: a kind, and the kind's own keys."""

    kind: str = ""


S = TypeVar("S", bound=LineSpec)


@dataclass(frozen=True, slots=True)
class LineKind(Generic[S]):
    """One kind. `make(spec, directory, bits_per_s)`: a line that is not open; `bits_per_s` is the format's own rate,
    None where it has none."""

    id: str
    title: str
    spec: type[S]
    make: Callable[[S, Path, int | None], Line]

    def open(self, spec: LineSpec, directory: Path, bits_per_s: int | None = None) -> Line:
        """Raises TypeError for settings of another kind."""
        return self.make(of_kind(spec, self.spec, f"line '{self.id}'"), directory, bits_per_s)


LINES: Kinds[LineKind[Any]] = Kinds("sim.feeders.lines", "LINE", "line", LineKind)
