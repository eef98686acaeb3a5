"""The port: what a desk asks of a feeder.

A feeder is a format (sim.lines) on a line (sim.feeders.lines). It is fed from one thread, at the instant at
which a frame ends on the air, and writes at once; what a gateway says to it (a dongle is configured) it answers on a
thread of its own, so that a world that computes keeps no gateway waiting.

    FEEDERS.find("codec").open(spec, FeedGround(directory))     not started
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

from sim.core.parts import Kinds, of_kind
from sim.core.vocabulary import Link
from sim.feeders.handed import Handed


class FeederError(Exception):
    """A feeder cannot start: one sentence that names the line and the way out."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame that ended on the air. `frame`: bytes without CRCs, L first; not always a good one. `ended_ns`: when its
    last chip ended, in wall nanoseconds of `sim.core.clock.wall_ns`. `crc_ok` False: the receiver could not check it;
    a format that has no way to say so passes nothing on."""

    frame: bytes
    mode: Link
    rssi_dbm: float
    ended_ns: int
    format: Literal["A", "B"] = "A"
    crc_ok: bool = True


@dataclass(frozen=True, slots=True)
class FeedGround:
    """What a desk gives a feeder to stand on. `directory`: for the link to a pseudo terminal, a named pipe, a file."""

    directory: Path


class Feeder(Protocol):
    """One interface of one gateway."""

    @property
    def place(self) -> str:
        """What the gateway is told to open: a path, or host:port; "" where it reads its standard input."""

    @property
    def handed(self) -> Handed:
        """When first bytes were handed over, and what the line itself takes."""

    @property
    def problem(self) -> str | None:
        """Why nothing arrives at the gateway at present, in one sentence with the way out; None when nothing is
        known to be wrong."""

    @property
    def broken(self) -> str:
        """Why nothing more can pass whatever the gateway does, since this side of its line is gone; "" while it is
        there. What the gateway then lacks is not its fault."""

    def start(self) -> None:
        """Make the line, so that a gateway finds it. Raises FeederError."""

    def attach(self, standard_input: int) -> None:
        """The gateway's program started, or started again, and this file descriptor is its standard input; the feeder
        owns it from now on. Of a feeder on another kind of line it is closed at once."""

    def feed(self, sent: Sent) -> bool:
        """Hand a frame over; True when its first byte was. Never raises and never waits: a line that takes nothing (its
        gateway is down, its buffer is full) loses the frame as a receiver's would, and `problem` says so."""

    def stop(self) -> None:
        """Idempotent. Leaves no thread, no file, no port."""


@dataclass(frozen=True, slots=True)
class FeederSpec:
    """`feed` of a gateway in an inventory: a kind, and the kind's own keys."""

    kind: str = ""


S = TypeVar("S", bound=FeederSpec)


@dataclass(frozen=True, slots=True)
class FeederKind(Generic[S]):
    """One kind. `spec`: the class of its keys. `make(spec, ground)`: a feeder that is not started."""

    id: str
    title: str
    spec: type[S]
    make: Callable[[S, FeedGround], Feeder]

    def open(self, spec: FeederSpec, ground: FeedGround) -> Feeder:
        """Raises TypeError for settings of another kind."""
        return self.make(of_kind(spec, self.spec, f"feeder '{self.id}'"), ground)


FEEDERS: Kinds[FeederKind[Any]] = Kinds("sim.feeders.kinds", "KIND", "feeder", FeederKind)
