"""Whether who is at the other end of a connection has a certificate that holds: the rule of sim.pki.sm_chain, with the
lists that lie in a program's folder when the session begins.

OpenSSL has looked at chain and dates in the handshake; it looks at no list there. A new lists.crl is noticed at the
next session, and what is on none is not asked again until a session ends.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sim.core.clock import wall_now
from sim.pki import sm_keys
from sim.pki.party_certificates import LISTS, lists_in, trust_in
from sim.pki.sm_chain import ChainError


class Guard:
    """Raises PkiError where the folder does not say whom to trust."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = wall_now) -> None:
        self._folder, self._now = folder, now
        self._trust, self._stamp = trust_in(folder), self._changed()
        self._one_at_a_time = threading.Lock()

    def _changed(self) -> tuple[int, int]:
        try:
            found = (self._folder / LISTS).stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino

    def check(self, connection: ssl.SSLSocket, name: str = "") -> None:
        """Raises ChainError. `name`: the common name that the other end must have."""
        shown = connection.getpeercert(binary_form=True)
        if shown is None:
            raise ChainError("chain-name", f"{name or 'a party'} is called, and nobody shows a certificate")
        with self._one_at_a_time:
            stamp = self._changed()
            if stamp != self._stamp:
                self._trust.lists, self._stamp = lists_in(self._folder), stamp
            self._trust.check(sm_keys.certificate(shown), self._now(), "TLS", name=name)
