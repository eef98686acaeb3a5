"""The port for a gateway's processor whose module is a process of its own.

A session begins when something is asked, and again after 48 hours or when the module was started anew; a question that
a dead connection swallowed is asked once more. A module that does not answer in time is ModuleError "silent": whoever
asked keeps what he wanted signed, and asks again later. What answers without knowing the PIN is "foreign", and is not
spoken to again: each try would let it guess the PIN once.
"""

from __future__ import annotations

import hashlib
import socket
from collections import Counter
from pathlib import Path
from typing import Final

from sim.core.clock import wall_s
from sim.pki import pace
from sim.pki.content_ciphers import library_bytes
from sim.smart_metering.module_process.module_server import SESSION_MOST_S, receive, send
from sim.smgw.module import wire
from sim.smgw.module.port import RANDOM_MOST_BYTES, ModuleError
from sim.smgw.module.secure_messages import BadMessage, SecureMessages
from wmbus.security import KEY_BYTES

ANSWER_MOST_S: Final = 10.0
"""Ours: how long a processor waits for its module."""


class ProcessModule:
    """See port.SecurityModule. `place`: the module's socket. One thread at a time."""

    def __init__(self, place: Path, pin: str, *, answer_most_s: float = ANSWER_MOST_S) -> None:
        self.place, self._pin, self.answer_most_s = place, pin.encode(), answer_most_s
        self._connection: socket.socket | None = None
        self._foreign = ""
        self.pairings = 0
        self.session_most_s: float = SESSION_MOST_S
        self.operations: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<ProcessModule at {self.place}>"

    def make_key(self, slot: str) -> bytes:
        return self._ask("make_key", slot)

    def sign(self, slot: str, message: bytes) -> bytes:
        return self._ask("sign", slot, hashlib.sha256(message).digest())

    def agree(self, slot: str, peer: bytes) -> bytes:
        return self._ask("agree", slot, peer[: 2 * pace.POINT_BYTES])  # a longer one is none either way

    def random(self, count: int) -> bytes:
        most = RANDOM_MOST_BYTES + 1
        return self._ask("random", "", max(-1, min(count, most)).to_bytes(8, "big", signed=True))

    def close(self) -> None:
        """The session ends; the next question begins another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # --- asking ---------------------------------------------------------------------------------------------------

    def _ask(self, verb: str, slot: str, rest: bytes = b"") -> bytes:
        asked = wire.question(verb, slot, rest)
        if self._connection is not None and wall_s() >= self._ends_s:
            self.close()
        fresh = self._connection is None
        try:
            try:
                answer = self._exchange(asked)
            except (ConnectionError, BadMessage):
                if fresh:
                    raise
                self.close()
                answer = self._exchange(asked)
            said = wire.result(answer)
        except (OSError, BadMessage, wire.BadFrame) as error:
            self.close()
            why = "in time" if isinstance(error, TimeoutError) else f"({getattr(error, 'strerror', None) or error})"
            raise ModuleError("silent", f"the security module at {self.place} does not answer {why}; what waits for it "
                                        "is kept, see whether its process runs") from None  # fmt: skip
        self.operations[verb] += 1
        return said

    def _exchange(self, asked: bytes) -> bytes:
        connection = self._connection or self._open()
        connection.settimeout(self.answer_most_s)
        send(connection, self._messages.seal(asked))
        return self._messages.open(receive(connection))

    def _open(self) -> socket.socket:
        if self._foreign:
            raise ModuleError("foreign", self._foreign)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self.answer_most_s)
        try:
            connection.connect(str(self.place))
            self._messages = SecureMessages(self._pair(connection))
        except BaseException:
            connection.close()
            raise
        self._connection, self._ends_s = connection, wall_s() + self.session_most_s
        self.pairings += 1
        return connection

    def _pair(self, connection: socket.socket) -> pace.Keys:
        """Raises ModuleError (pin, locked, busy, foreign), OSError, BadFrame."""
        first = wire.result(receive(connection))
        side = pace.Side(library_bytes)
        try:
            nonce = pace.opened_nonce(self._pin, first[:KEY_BYTES])
            point = side.agree(nonce, first[KEY_BYTES:])
            send(connection, side.mapping)
            keys, token, wanted = side.finish(wire.result(receive(connection)))
            send(connection, point + token)
            if not pace.shown(wire.result(receive(connection)), wanted):
                raise pace.NotPaired("it does not know the PIN")
        except pace.NotPaired as error:
            self._foreign = f"what answers at {self.place} is not this processor's module: {error}"
            raise ModuleError("foreign", self._foreign) from None
        return keys
