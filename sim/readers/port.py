"""The port: what a desk asks of a reader.

READERS.find("mqtt").open(spec, ReadGround(directory, endpoint, stdout, portal_key))     not started
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

from sim.core.parts import Kinds, of_kind
from sim.endpoint.port import Endpoint, Session
from sim.endpoint.topic_acl import READER

TimeOf = Literal["reception", "reading", "meter", "publish"]
"""What a stamp is the time of: the end of the frame on the air, the gateway's reading it, the meter's own clock, or the
message itself."""


class ReaderError(Exception):
    """A reader cannot start: one sentence that names the place and the way out."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One telegram, or what a gateway made of one. `source`: topic, request path, file or stream that it came by.
    `payload`: that message as it came. `received_ns`: when it came, in wall nanoseconds of `sim.core.clock.wall_ns`.
    `frame`: the telegram without CRCs, L first, None of a gateway that decodes. `values`: name -> value, of one that
    does. `meter`: the identification as written. `stamp`: a time that the gateway wrote, `stamp_of` what it is the
    time of. `retained`: the broker had kept it, so it is no delivery. `unreadable`: why the payload gave nothing, one
    sentence; such a row has neither frame nor values, and still counts as what the gateway said. `odd`: what else in
    the message could not be read (a time, a level)."""

    source: str
    payload: bytes
    received_ns: int
    frame: bytes | None = None
    values: Mapping[str, object] | None = None
    meter: str | None = None
    rssi_dbm: float | None = None
    stamp: datetime | None = None
    stamp_of: TimeOf | None = None
    retained: bool = False
    unreadable: str = ""
    odd: str = ""


@dataclass(frozen=True, slots=True)
class ReadGround:
    """What a desk gives a reader to stand on. `directory`: the gateway's own, where its files are. `endpoint`: the
    broker that it publishes to; None where the desk has none. `stdout`: the file that its program's standard output
    is appended to. `portal_key`: the file of the key under which a reader that acknowledges signs. `client_id`: of this
    reader at the broker, where each session has one of its own. `authority`: the folder in which the desk's authority
    stays, for a reader that gateways reach by TLS."""

    directory: Path
    endpoint: Endpoint | None
    stdout: Path
    portal_key: Path
    client_id: str = READER
    authority: Path = Path("pki")


class Reader(Protocol):
    """One way by which one gateway delivers."""

    @property
    def place(self) -> str:
        """What the gateway is told to deliver to, where that is the reader's (an HTTP push): host:port; else ""."""

    @property
    def problem(self) -> str | None:
        """Why nothing can be read at present, in one sentence with the way out; None when nothing is known to be
        wrong."""

    def start(self) -> None:
        """From now on nothing that the gateway delivers is missed. Raises ReaderError."""

    def take(self) -> list[Delivered]:
        """What came since the last call, in the order in which it came. Never raises and never waits."""

    def stop(self) -> None:
        """Idempotent. Leaves no thread, no session, no port."""


@dataclass(frozen=True, slots=True)
class ReaderSpec:
    """`read` of a gateway in an inventory: a kind, and the kind's own keys."""

    kind: str = ""


S = TypeVar("S", bound=ReaderSpec)


@dataclass(frozen=True, slots=True)
class ReaderKind(Generic[S]):
    """One kind. `spec`: the class of its keys. `make(spec, ground)`: a reader that is not started."""

    id: str
    title: str
    spec: type[S]
    make: Callable[[S, ReadGround], Reader]

    def open(self, spec: ReaderSpec, ground: ReadGround) -> Reader:
        """Raises TypeError for settings of another kind."""
        return self.make(of_kind(spec, self.spec, f"reader '{self.id}'"), ground)


READERS: Kinds[ReaderKind[Any]] = Kinds("sim.readers.kinds", "KIND", "reader", ReaderKind)


def no_session(session: Session | None, what: str) -> str | None:
    """`Reader.problem` of a reader of `what` at a broker."""
    if session is not None and session.connected:
        return None
    said = session.log[-1][1] if session is not None and session.log else "not started"
    return f"the reader of {what} has no session with the broker: {said}"
