"""Endpoint `memory`: an embedded broker, for runs that want none. No sockets, no threads, no wall time.

It behaves like Mosquitto where that matters to a gateway, a portal and an attacker: a publish outside the access list
or over the size limit is acknowledged and dropped; a second session with the same client id displaces the first, which
dials again; QoS 1 messages for a persistent session wait while it is away; wildcards do not match topics beginning
with `$`. It has no TLS: a client id is believed, so a cloned certificate is a second session with that id.

Deterministic: messages are delivered in the order of publishing, to sessions in the order of connecting. One turn of
its loop dials the sessions that are due, then delivers what was published before the turn; `settle` stops early when
QUIET_TURNS turns in a row moved nothing, because then nothing ever will, and after TURNS_MAX, because two sessions that
displace each other never come to rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sim.core import clock
from sim.endpoint.endpoint_spec import EndpointSpec
from sim.endpoint.port import Address, EndpointError, EndpointFeature, Identity, Message, NotConnected, Session, Tap
from sim.endpoint.registry import EndpointKind, Readiness
from sim.endpoint.session_state import SessionState
from sim.endpoint.topic_acl import matches, may_publish, may_read
from sim.pki.authority import Authority

QUIET_TURNS = 8
TURNS_MAX = 2_000
BACKOFF_TURNS = 2
BACKOFF_MAX_TURNS = 256
QUEUED_MESSAGES = 1_000_000


@dataclass(frozen=True, slots=True)
class MemorySpec(EndpointSpec):
    """[endpoint] with kind = "memory"."""

    kind: str = "memory"


class MemorySession(SessionState):
    """See port.Session."""

    def __init__(self, broker: Memory, client_id: str, topics: tuple[str, ...], clean: bool) -> None:
        super().__init__(client_id, topics)
        self.clean = clean
        self._broker = broker
        self.closed = False
        self.due_turn = 0
        self.place = 0  # the order of connecting
        self.backoff_turns = BACKOFF_TURNS

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if retain:
            raise EndpointError("the embedded broker keeps no retained messages; take endpoint 'mosquitto'")
        if not self._connected:
            raise NotConnected(f"{self.client_id}: publish without a connection")
        if not topic or "+" in topic or "#" in topic:
            raise EndpointError(f"{self.client_id}: cannot publish to {topic!r}: not a topic")
        self._unacknowledged += 1
        self._broker.accept(self, topic, payload)

    def close(self) -> None:
        self._end("")

    def cut(self) -> None:
        self._end("cut")

    def reroute(self, address: Address) -> None:
        raise EndpointError("the embedded broker has no sockets to stand in the middle of; take 'mosquitto'")

    def _listen(self, topic: str) -> None:
        self.topics.append(topic)
        self._broker.listen(self, topic)

    # --- for the broker ----------------------------------------------------------------------------------------

    def went_down(self, state: str, reason: str, turn: int) -> None:
        self.came_down()
        self.tell(state, reason)
        self.due_turn = turn + self.backoff_turns
        self.backoff_turns = min(2 * self.backoff_turns, BACKOFF_MAX_TURNS)

    def acknowledged(self) -> None:
        self._unacknowledged -= 1

    def _end(self, reason: str) -> None:
        if not self.closed:
            self.closed = True
            self.came_down()
            self.tell("closed", reason)
            self._broker.gone(self)


class Memory:
    """See port.Endpoint. `directory` is taken for symmetry and not used."""

    name: ClassVar[str] = "memory"
    features: ClassVar[frozenset[EndpointFeature]] = frozenset({"acl", "persistence", "size limit", "takeover"})

    def __init__(self, directory: Path | None = None, spec: MemorySpec | None = None) -> None:
        self.directory = directory
        self.spec = spec or MemorySpec()
        self.taps: list[Tap] = []
        self._turn = 0
        self._moved = False
        self._waiting: list[MemorySession] = []  # to be dialled, in order of asking
        self._online: dict[str, MemorySession] = {}  # by client id, in order of connecting
        self._exact: dict[str, list[MemorySession]] = {}  # by subscribed topic without wildcards
        self._wild: list[MemorySession] = []
        self._place = 0
        self._asleep: dict[str, tuple[tuple[str, ...], deque[Message]]] = {}  # persistent sessions while away
        self._published: deque[tuple[MemorySession, int, Message]] = deque()
        self._revoked: set[str] = set()

    @property
    def address(self) -> Address | None:
        return None

    @property
    def pid(self) -> int | None:
        return None

    @property
    def authority(self) -> Authority:
        raise EndpointError("the embedded broker has no certificates; take endpoint 'mosquitto'")

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        for session in [*self._waiting, *self._online.values()]:
            session.close()

    def kill(self) -> None:
        raise EndpointError("the embedded broker is no process that could be killed; take endpoint 'mosquitto'")

    def restart(self, *, refusing: bool = False) -> None:
        raise EndpointError("the embedded broker is no process that could restart; take endpoint 'mosquitto'")

    def identity(self, client_id: str) -> Identity:
        return Identity(client_id)

    def revoke(self, client_id: str) -> None:
        """The client gets no new session; a live one stays until it ends."""
        self._revoked.add(client_id)

    def connect(
        self,
        identity: Identity,
        *,
        subscribe: tuple[str, ...] = (),
        address: Address | None = None,
        verify: bool = True,
        clean: bool = True,
    ) -> MemorySession:
        if address is not None:
            raise EndpointError("the embedded broker has no sockets to stand in the middle of; take 'mosquitto'")
        session = MemorySession(self, identity.client_id, subscribe, clean)
        self._waiting.append(session)
        return session

    def fence(self, session: Session) -> Callable[[], bool]:
        return session.fence()

    # --- turning ---------------------------------------------------------------------------------------------

    def settle(self, done: Callable[[], bool], deadline_s: float) -> bool:
        end_s = clock.wall_s() + deadline_s
        quiet_turns = 0
        for _ in range(TURNS_MAX):
            if done():
                return True
            moved = self._turn_once()
            quiet_turns = 0 if moved or self._dial_is_due_later() else quiet_turns + 1
            if quiet_turns >= QUIET_TURNS or clock.wall_s() > end_s:
                break
        return done()

    def _dial_is_due_later(self) -> bool:
        return any(session.client_id not in self._revoked for session in self._waiting)

    def _turn_once(self) -> bool:
        """Whether anything moved, counting what happened since the last turn."""
        self._turn += 1
        moved, self._moved = self._moved, False
        due = [session for session in self._waiting if session.due_turn <= self._turn]
        for session in due:
            self._waiting.remove(session)
            self._dial(session)
        for _ in range(self.deliverable(len(self._published))):
            sender, sent_on, message = self._published.popleft()
            self._route(message)
            if sender.connected and sender.connects == sent_on:
                sender.acknowledged()
        return moved or bool(due) or bool(self._published)

    def deliverable(self, published: int) -> int:
        """How many of so many published messages this turn delivers. A kind that is slower overrides this method."""
        return published

    def _dial(self, session: MemorySession) -> None:
        if session.client_id in self._revoked:
            session.went_down("refused", "certificate revoked", self._turn)
            self._waiting.append(session)
            return
        former = self._online.pop(session.client_id, None)
        if former is not None:
            self._deafen(former)
            former.went_down("dropped", "taken over by another session with this client id", self._turn)
            self._waiting.append(former)
            if not former.clean:
                self._asleep[former.client_id] = (tuple(former.topics), deque())
        self._online[session.client_id] = session
        self._place += 1
        session.place = self._place
        for topic in session.topics:
            self.listen(session, topic)
        session.came_up()
        _, missed = self._asleep.pop(session.client_id, ((), deque()))
        if not session.clean:
            for message in missed:
                session.take(message)

    # --- for the sessions --------------------------------------------------------------------------------------

    def accept(self, sender: MemorySession, topic: str, payload: bytes) -> None:
        """Acknowledged in any case; delivered when access list and size limit allow it."""
        self._moved = True
        for tap in self.taps:
            tap(sender.client_id, topic, payload)
        allowed = len(payload) <= self.spec.max_message_bytes and (
            not self.spec.per_device_acl or may_publish(sender.client_id, topic)
        )
        self._published.append((sender, sender.connects, Message(topic if allowed else "", payload)))

    def gone(self, session: MemorySession) -> None:
        self._moved = True
        if session in self._waiting:
            self._waiting.remove(session)
        if self._online.get(session.client_id) is session:
            del self._online[session.client_id]
            self._deafen(session)
            if not session.clean:
                self._asleep[session.client_id] = (tuple(session.topics), deque())

    def listen(self, session: MemorySession, topic: str) -> None:
        if "+" not in topic and "#" not in topic:
            self._exact.setdefault(topic, []).append(session)
        elif session not in self._wild:
            self._wild.append(session)

    def _deafen(self, session: MemorySession) -> None:
        for topic in session.topics:
            if session in self._exact.get(topic, ()):
                self._exact[topic].remove(session)
        if session in self._wild:
            self._wild.remove(session)

    def _route(self, message: Message) -> None:
        topic = message.topic
        if not topic:
            return
        hears = {session.place: session for session in self._exact.get(topic, ())}
        for session in self._wild:
            if any(matches(pattern, topic) for pattern in session.topics):
                hears[session.place] = session
        for _, session in sorted(hears.items()):
            if not self.spec.per_device_acl or may_read(session.client_id, topic):
                session.take(message)
        for client_id, (topics, missed) in self._asleep.items():
            wanted = any(matches(pattern, topic) for pattern in topics) and len(missed) < QUEUED_MESSAGES
            if wanted and (not self.spec.per_device_acl or may_read(client_id, topic)):
                missed.append(message)


KIND = EndpointKind(
    id=Memory.name,
    title="Embedded broker, no sockets",
    features=Memory.features,
    spec=MemorySpec,
    make=Memory,
    ready=lambda: Readiness(True, "part of wmbench: no program, no port"),
)
