"""What every session has: its inbox and log, the count of its connections, and its fences.

A fence is a barrier made of the broker's own ordering: a marker sent to oneself comes back behind everything accepted
before. The marker carries a name that no other session ever had, because a broker may keep an earlier
session's marker for the same client id and deliver it late.
"""

from __future__ import annotations

import itertools
import os
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

from sim.core import clock
from sim.endpoint.port import FENCE, Address, Message, Session

_serial = itertools.count(1)


class Fences:
    """Those of one session. `listen` subscribes the live connection to a topic (and later ones, too)."""

    def __init__(self, session: Session, listen: Callable[[str], None]) -> None:
        self.topic = FENCE.format(client=session.client_id)
        self._session, self._listen = session, listen
        self._mark = f"{os.getpid()}-{next(_serial)}-"
        self._sent = self._back = 0
        self._listening = False

    def new(self) -> Callable[[], bool]:
        """See port.Endpoint.fence."""
        self._sent += 1
        number, sent_on = self._sent, -1

        def back() -> bool:
            nonlocal sent_on
            session = self._session
            if self._back < number and session.connected and sent_on != session.connects:
                sent_on = session.connects  # a new connection: the marker may have died with the old one
                if not self._listening:
                    self._listening = True
                    self._listen(self.topic)
                session.publish(self.topic, f"{self._mark}{number}".encode())
            return self._back >= number

        return back

    def took(self, payload: bytes) -> None:
        """A message on the fence topic."""
        text = payload.decode("utf-8", "replace")
        if text.startswith(self._mark):
            self._back = max(self._back, int(text.removeprefix(self._mark)))


class SessionState(ABC):
    """Of port.Session, what does not depend on how bytes pass. `topics`: what it is subscribed to."""

    def __init__(self, client_id: str, topics: tuple[str, ...]) -> None:
        self.client_id = client_id
        self.inbox: deque[Message] = deque()
        self.log: list[tuple[str, str]] = []
        self.log_ns: list[int] = []
        self.topics = list(topics)
        self._fences = Fences(self, self._listen)
        self._connected = False
        self._moves: list[tuple[int, bool]] = []  # wall ns, and whether it is up from then on
        self._connects = self._unacknowledged = 0

    @property
    def connected(self) -> bool:
        return self._connected

    @property
    def connects(self) -> int:
        return self._connects

    @property
    def unacknowledged(self) -> int:
        return self._unacknowledged

    def fence(self) -> Callable[[], bool]:
        """See port.Endpoint.fence."""
        return self._fences.new()

    def take(self, message: Message) -> None:
        """What the broker delivers: a marker of our own to its fence, anything else to the inbox."""
        if message.topic == self._fences.topic:
            self._fences.took(message.payload)
        else:
            self.inbox.append(message)

    def up_share(self, from_ns: int, until_ns: int) -> float:
        """The share of a span of wall time (clock.wall_ns) in which it was connected."""
        return 1.0 - sum(self.downs_ns(from_ns, until_ns)) / (until_ns - from_ns)

    def downs_ns(self, from_ns: int, until_ns: int) -> list[int]:
        """How long it was down each time, of a span of wall time."""
        down_since_ns: int | None = from_ns
        downs = []
        for at_ns, up in [*self._moves, (until_ns, True)]:
            if not up:
                down_since_ns = at_ns
            elif down_since_ns is not None:
                downs.append(min(at_ns, until_ns) - max(down_since_ns, from_ns))
                down_since_ns = None
        return [down for down in downs if down > 0]

    def came_up(self) -> None:
        self._moves.append((clock.wall_ns(), True))
        self._connected = True
        self._connects += 1
        self._unacknowledged = 0
        self.tell("connected", "")

    def tell(self, state: str, reason: str) -> None:
        """Into the log, with the instant."""
        self.log.append((state, reason))
        self.log_ns.append(clock.stamp_ns())

    def came_down(self) -> None:
        """It is connected no longer, if it was."""
        if self._connected:
            self._moves.append((clock.wall_ns(), False))
        self._connected = False

    @abstractmethod
    def _listen(self, topic: str) -> None:
        """Subscribe the live connection to this topic, and later ones too."""

    @abstractmethod
    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def cut(self) -> None: ...

    @abstractmethod
    def reroute(self, address: Address) -> None: ...
