"""A barrier made of the broker's own ordering: a marker sent to oneself comes back behind everything accepted before.

Shared by all sessions. The marker carries a name that no other session ever had, because a broker may keep an earlier
session's marker for the same client id and deliver it late.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable

from sim.endpoint.port import FENCE, Session

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
