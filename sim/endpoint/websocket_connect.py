"""Dialling a WebSocket without ever blocking: TCP and TLS as TlsConnect does, then the HTTP upgrade; and the socket
that comes of it, which paho-mqtt uses like any other.
"""

from __future__ import annotations

import base64
import select
import socket
import ssl
from collections.abc import Callable
from typing import Any

from sim.core import clock
from sim.core.quoting import shown
from sim.endpoint.port import Address
from sim.endpoint.tls_connect import ConnectFailed, TlsConnect, reason_of
from sim.endpoint.websocket import BadFrame, Frames, accept, head


def _count() -> Callable[[], bytes]:
    """Masks, and keys of handshakes: they are to differ, and protect nobody here (a mask must be hard to guess for a
    script in a browser, RFC 6455, 10.3)."""
    state = clock.unix_ns() & 0xFFFFFFFF

    def following() -> bytes:
        nonlocal state
        state = (state * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
        return state.to_bytes(4, "big")

    return following


class WebSocketSocket:
    """A connected socket whose bytes are the payload of frames."""

    def __init__(self, inner: socket.socket, frames: Frames, ahead: bytes) -> None:
        self._inner, self._frames = inner, frames
        self._out = bytearray()
        self._owed = 0  # bytes of the caller's that are in a frame which the socket did not take whole
        self._ahead = bytearray(frames.feed(ahead))

    def pending(self) -> int:
        """Bytes that epoll will not announce."""
        return len(self._ahead) + (self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0)

    def recv(self, size: int) -> bytes:
        """As a socket that does not block. Raises BlockingIOError and OSError."""
        while not self._ahead:
            try:
                data = self._inner.recv(65_536)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise BlockingIOError from None
            if not data or self._frames.ended:
                return b""
            try:
                self._ahead += self._frames.feed(data)
            except BadFrame as error:
                raise OSError(str(error)) from None
            if self._frames.replies:
                self._out += self._frames.replies
                self._frames.replies.clear()
                self._flush()
        taken = bytes(self._ahead[:size])
        del self._ahead[:size]
        return taken

    def send(self, data: bytes) -> int:
        """All of it, or BlockingIOError, after which the same bytes are to be said again. Raises OSError."""
        if not self._owed:
            self._out += self._frames.encode(bytes(data))
            self._owed = len(data)
        self._flush()
        if self._out:
            raise BlockingIOError
        sent, self._owed = self._owed, 0
        return sent

    def _flush(self) -> None:
        try:
            while self._out:
                del self._out[: self._inner.send(self._out)]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)  # fileno, close, setblocking, ...


class WebSocketConnect:
    """See TlsConnect, whose place it takes. `target()`: path and query, made when it is asked for, since a signature
    has its time."""

    def __init__(self, address: Address, context: ssl.SSLContext | None, target: Callable[[], str]) -> None:
        self.done = False
        self._dial = TlsConnect(address, context)
        self._address, self._target = address, target
        self._masks = _count()
        self._key = base64.b64encode(b"".join(self._masks() for _ in range(4))).decode()
        self._request = bytearray()
        self._answer = b""
        self.socket: Any = self._dial.socket

    @property
    def stage(self) -> str:
        return "WebSocket" if self._dial.done else self._dial.stage

    @property
    def wants(self) -> int:
        if not self._dial.done:
            return self._dial.wants
        return select.EPOLLIN | (select.EPOLLOUT if self._request else 0)

    def step(self) -> None:
        """Go on as far as the socket allows. Raises ConnectFailed."""
        if not self._dial.done:
            self._dial.step()
            if not self._dial.done:
                return
            self.socket = self._dial.socket
            self._request += (
                f"GET {self._target()} HTTP/1.1\r\nHost: {self._address.host}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {self._key}\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Protocol: mqtt\r\n\r\n"
            ).encode()
        try:
            while self._request:
                del self._request[: self.socket.send(self._request)]
            data = self.socket.recv(4_096)
            if not data:
                raise ConnectFailed("closed by the server, before it answered the upgrade")
            self._answer += data
            found = head(self._answer)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except (OSError, BadFrame) as error:
            self.close()
            raise ConnectFailed(reason_of(error)) from None
        if found is not None:
            self._upgraded(*found)

    def _upgraded(self, found: Any, rest: bytes) -> None:
        if not found.line.startswith("HTTP/1.1 101") or found.headers.get("sec-websocket-accept") != accept(self._key):
            self.close()
            raise ConnectFailed(f"the WebSocket is refused: {shown(found.line)[:100]}")
        self.socket = WebSocketSocket(self.socket, Frames(self._masks), rest)
        self.done = True

    def close(self) -> None:
        self._dial.close()
