"""The port: the verbs an endpoint has. Gateways, the portal and attackers meet a broker only through these.

Everything runs on the caller's thread. Nothing moves until `settle` is called, which turns the event loop until a
condition holds: so a world decides when real sockets may change it (at the end of a window), and a run on a real
broker is as repeatable as one in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from sim.pki.authority import Authority

FENCE = "fence/{client}"  # each client may write and read its own

EndpointFeature = Literal[
    "acl",  # a client publishes and reads its own topics only
    "broker topics",  # tells of itself under $SYS
    "bind",  # the client id is the certificate's common name
    "crl",  # revoked certificates get no session
    "denial closes",  # what a client may not do ends its connection; else it is acknowledged and dropped
    "kill",  # a process that can be killed and started again
    "retain",  # the last retained message of a topic is kept for later subscribers
    "persistence",  # QoS 1 messages wait for a session that is away
    "shadows",  # keeps a document of state for each device
    "size limit",  # larger messages are dropped
    "sockets",  # clients dial an address, so that a man in the middle can stand on the path
    "takeover",  # a second session with a client id ends the first
    "tls settings",  # the least version, and what a revocation does, can be set
    "tls",  # mutual TLS with our own authority
]


class EndpointError(Exception):
    """The endpoint cannot do what was asked; the message names the cause and the way out."""


class NotConnected(EndpointError):
    """Publish or subscribe before CONNACK, or after the connection was lost."""


class SaysNothing(EndpointError):
    """A run on this endpoint proves nothing, either way: it is INCONCLUSIVE."""


class WrongFile(SaysNothing):
    """A file that its settings name cannot be read, or holds what the endpoint cannot follow."""


class OutOfReach(SaysNothing):
    """An endpoint that is not this machine's does not answer, lets nobody in, or cannot be asked for want of a setting
    or a file: a run on it says nothing."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a client shows: its client id and (for TLS) its certificate, private key and the authorities it trusts.
    Files are PEM; keys are 0600. `client_id` and the certificate's common name are equal for honest devices."""

    client_id: str
    certificate: Path | None = None
    key: Path | None = None
    authorities: Path | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where to dial: host name (checked against the server's certificate) and port."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Message:
    """`retained`: the broker had kept it. `arrived_ns`: by `clock.wall_ns`, 0 where nobody looked."""

    topic: str
    payload: bytes
    retained: bool = field(default=False, compare=False)
    arrived_ns: int = field(default=0, compare=False)


Tap = Callable[[str, str, bytes], None]
"""Told what a client says: its client id, topic and payload, before the broker decides what becomes of it."""


class Session(Protocol):
    """One client's connection, kept up by `settle`: it dials again, with back-off, until closed."""

    client_id: str
    inbox: deque[Message]  # what arrived on the subscribed topics, in order
    log: list[tuple[str, str]]  # (state, reason): "connected", "refused", "dropped", "closed"; for the history
    log_ns: list[int]  # clock.stamp_ns of each entry of the log

    @property
    def connected(self) -> bool:
        """A CONNACK with success has been received on the present connection, and the SUBACK if it subscribes."""

    @property
    def connects(self) -> int:
        """How many times it became connected: a change means that the connection is a new one."""

    @property
    def unacknowledged(self) -> int:
        """Publishes on the latest connection without PUBACK. Kept after a loss, until the next connection: the
        oldest of them is what the broker did not take."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """QoS 1. `retain`: the broker is asked to keep it for later subscribers, which needs the feature "retain".
        Raises NotConnected before CONNACK: nothing leaks to a server that was not verified."""

    def close(self) -> None:
        """Disconnect politely and dial no more."""

    def cut(self) -> None:
        """End the connection without DISCONNECT, as in a power cut, and dial no more."""

    def reroute(self, address: Address) -> None:
        """The network leads to another address from now on; a live connection is reset. Needs the feature "sockets"."""

    def fence(self) -> Callable[[], bool]:
        """See Endpoint.fence."""


@runtime_checkable
class Queues(Protocol):
    """An endpoint that can put what gateways publish into a queue or files, beside what it delivers to subscribers."""

    @property
    def by_queue(self) -> bool:
        """Whether the portal takes its messages from there, and subscribes to none."""

    def queued(self) -> list[Message]:
        """What came and was not `taken`. All of it that was acknowledged to a gateway before is in it."""

    def taken(self) -> None:
        """The portal committed what `queued` gave last: it is not given again."""


@runtime_checkable
class Fronted(Protocol):
    """An endpoint whose clients talk to another process (`pid`) than the broker, which keeps sessions and messages."""

    @property
    def broker_pid(self) -> int | None:
        """Of the broker behind."""


@runtime_checkable
class Elsewhere(Protocol):
    """An endpoint that somebody else runs, or whose settings somebody else wrote: where it lets a client down, the run
    says nothing about the system."""

    def let_down(self, session: Session, what: str) -> SaysNothing | None:
        """`what` came to nothing, `session` being the first example: one sentence with the way out. None where
        it is the endpoint's own fault, or the client's."""


class Endpoint(Protocol):
    """A broker, or what stands for it. Scenarios ask for a feature, never for a product."""

    name: ClassVar[str]
    features: ClassVar[frozenset[EndpointFeature]]
    taps: list[Tap]

    @property
    def address(self) -> Address | None:
        """Where it listens; None when it has no sockets."""

    @property
    def pid(self) -> int | None:
        """The broker's process, for measuring it; None when there is none."""

    @property
    def authority(self) -> Authority:
        """Who issues its certificates. Raises EndpointError without the feature "tls"."""

    def start(self) -> None:
        """Ready means a CONNACK, not an open port. Raises EndpointError."""

    def stop(self) -> None:
        """Idempotent; leaves no process and no port."""

    def identity(self, client_id: str) -> Identity:
        """A device's own certificate from our CA (made at first use)."""

    def connect(
        self,
        identity: Identity,
        *,
        subscribe: tuple[str, ...] = (),
        address: Address | None = None,
        verify: bool = True,
        clean: bool = True,
    ) -> Session:
        """Begin to dial (returns at once). `address` overrides where (a man in the middle); `verify=False` is a
        gateway that does not check the server's certificate, a known weakness."""

    def settle(self, done: Callable[[], bool], deadline_s: float) -> bool:
        """Turn the event loop until done() (asked after every turn) or the deadline in wall seconds; True when done."""

    def fence(self, session: Session) -> Callable[[], bool]:
        """A barrier: the session publishes a marker to its own fence topic; the result, called from settle's `done`,
        tells whether the marker came back. Then everything that the broker had accepted before (PUBACK) for this
        session's subscriptions stands in its inbox. The marker itself never does. After a lost connection the
        marker is sent again."""

    def revoke(self, client_id: str) -> None:
        """The device's certificate gets no new session. A live one may stay until it ends."""

    def kill(self) -> None:
        """SIGKILL the broker. Raises EndpointError without the feature "kill"."""

    def restart(self, *, refusing: bool = False) -> None:
        """Start it again with the same port, state and certificates. `refusing`: it answers every CONNECT with "not
        authorized", until it is started once more. Raises EndpointError without "kill"."""
