"""A client of the WAN: one connection to a party that is known by name; what it asks, and what it is told. Where the
other side ended the session, the next question begins another, with everything that is looked at when one begins."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Final

from sim.pki.sm_chain import ChainError
from sim.smart_metering.wan.cell_sockets import CellAsker
from sim.smart_metering.wan.guard import Guard
from sim.smart_metering.wan.http_messages import Question, Reply
from sim.smart_metering.wan.talk import Errand
from sim.smart_metering.wan.tls import WanError, party

TIMEOUT_S: Final = 10.0


class WanClient:
    """`peer`: the common name that the other side must show; "": anybody's. `guard`: whether its certificate holds.
    `cell_bytes`: both sides speak in cells of this size; 0: plain HTTP. `paced`: and the other side answers each cell
    by one. Raises WanError. Use it with `with`."""

    def __init__(
        self, context: ssl.SSLContext, port: int, peer: str, guard: Guard | None = None, *,
        address: str = "127.0.0.1", cell_bytes: int = 0, paced: bool = False,
    ) -> None:  # fmt: skip
        self._connection = http.client.HTTPSConnection(address, port, timeout=TIMEOUT_S, context=context)
        self._connection.auto_open = 0
        self._port, self._peer, self._guard = port, peer, guard
        self.sessions = 0
        self._cells = CellAsker(cell_bytes, paced=paced) if cell_bytes else None
        self._dial()

    def _dial(self) -> None:
        try:
            self._connection.connect()
        except ssl.SSLError as error:
            raise WanError("tls", error.reason or str(error)) from None
        except OSError as error:
            raise WanError("unreachable", f"port {self._port}: {error.strerror or error}") from None
        self.sessions += 1
        shown = party(self._socket)
        try:
            if self._peer and shown != self._peer:
                raise WanError("other party", f"{self._peer} was called, and {shown or 'nobody'} answers")
            if self._guard is not None:
                self._guard.check(self._socket, self._peer)
        except ChainError as error:
            self._connection.close()
            raise WanError("certificate", str(error)) from None
        except WanError:
            self._connection.close()
            raise

    @property
    def _socket(self) -> ssl.SSLSocket:
        socket = self._connection.sock
        assert isinstance(socket, ssl.SSLSocket)
        return socket

    @property
    def agreed(self) -> tuple[str, str]:
        """(version, suite)."""
        suite = self._socket.cipher()
        return self._socket.version() or "", suite[0] if suite else ""

    def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The answer's body. Raises WanError (refused) where it is none of 2xx."""
        if self._connection.sock is None:
            self._dial()
        try:
            status, said = self._asked(Question(method, path, body))
        except ssl.SSLError as error:  # in TLS 1.2 a server that refuses a certificate says so in the handshake
            raise WanError("tls", error.reason or str(error)) from None
        except (OSError, http.client.HTTPException) as error:
            raise WanError("unreachable", str(error) or type(error).__name__) from None
        if not 200 <= status < 300:
            raise WanError("refused", f"{status} {said[:200].decode('utf-8', 'replace')}")
        return said

    def _asked(self, question: Question) -> Reply:
        if self._cells is not None:
            return self._cells.ask(self._socket, question)
        method, path, body = question
        self._connection.request(method, path, body=body, headers={"Content-Length": str(len(body))})
        answer = self._connection.getresponse()
        return Reply(answer.status, answer.read())

    def strike(self, count: int, due: Callable[[], Errand | None]) -> None:
        """It is time for so many cells (see WorldLine): of what is due, or dummies. Raises WanError, and ValueError
        without cells."""
        if self._cells is None:
            raise ValueError("strike: this client speaks plain HTTP; give it cell_bytes")
        if self._connection.sock is None:
            self._dial()
        try:
            self._cells.strike(self._socket, count, due)
        except OSError as error:
            raise WanError("unreachable", str(error) or type(error).__name__) from None

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> WanClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, traceback: TracebackType | None) -> None:
        self.close()
