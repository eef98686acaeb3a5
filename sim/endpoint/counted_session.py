"""An MQTT 3.1.1 session for counting messages at a broker's limit: QoS 1 on a socket that stands, as whole bytes.

It costs a fraction of sim/endpoint/session.py, whose client serves every packet of MQTT: PUBLISH and PUBACK are taken
from the bytes, and what else a broker says is left alone. There is no second dial: a session that ends says why
(`ended`), and that is all.
"""

from __future__ import annotations

import select
import ssl
from collections.abc import Callable
from typing import Final

from sim.endpoint.event_loop import EventLoop
from sim.endpoint.mqtt_wire import PUBACK, PUBLISH, BadPacket, Packets, Publish, header_bytes, publish
from sim.endpoint.one_session import Login, OneSession
from sim.endpoint.port import Address, Identity
from sim.endpoint.tls_connect import reason_of, tls_context

CONNECT_S: Final = 30.0
_READ_BYTES: Final = 1 << 16
_PUBACK: Final = bytes((PUBACK << 4, 2))
_NUMBERS: Final = 65_535  # packet identifiers


class CountedSession:
    """Connected once it is made, and subscribed where `topic` is given. `acknowledged(count)`: PUBACKs came; `taken
    (payloads)`: of messages, which are acknowledged at once. Raises Refused, Silent (one_session)."""

    def __init__(
        self, loop: EventLoop, identity: Identity, address: Address, *, topic: str = "",
        acknowledged: Callable[[int], None] = lambda count: None,
        taken: Callable[[list[bytes]], None] = lambda payloads: None,
    ) -> None:  # fmt: skip
        self._loop, self._acknowledged, self._taken = loop, acknowledged, taken
        context = tls_context(identity, verify=True)
        login = Login(identity.client_id, user=identity.client_id)
        standing = OneSession(address, context, address.host, login, CONNECT_S)
        self.granted = not topic or standing.subscribe(topic) == [True]
        self._socket = standing.handed_over()
        self._packets, self._waiting, self._number, self.ended = Packets(), bytearray(), 0, ""
        loop.watch(self._socket.fileno(), self, select.EPOLLIN)

    def publish(self, topic: str, payload: bytes) -> None:
        """QoS 1, and does not wait: what the socket does not take now goes out when it does."""
        self._number = self._number % _NUMBERS + 1
        self._send(publish(Publish(topic, payload, 2, self._number.to_bytes(2, "big"))).encode())

    def _send(self, data: bytes) -> None:
        if self.ended:
            return
        if self._waiting:
            self._waiting += data
            return
        sent = self._sent(data)
        if sent < len(data) and not self.ended:
            self._waiting += data[sent:]
            self._loop.watch(self._socket.fileno(), self, select.EPOLLIN | select.EPOLLOUT)

    def _sent(self, data: bytes | bytearray) -> int:
        try:
            return self._socket.send(data)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return 0
        except OSError as error:
            self._end(reason_of(error))
            return 0

    # --- the event loop -------------------------------------------------------------------------------------------

    def ready(self, mask: int) -> None:
        if mask & select.EPOLLOUT and self._waiting:
            del self._waiting[: self._sent(self._waiting)]
            if not self._waiting and not self.ended:
                self._loop.watch(self._socket.fileno(), self, select.EPOLLIN)
        if mask & ~select.EPOLLOUT:
            self._read()

    def misc(self) -> None:
        """Nothing now and then."""

    def _read(self) -> None:
        while not self.ended:
            try:
                data = self._socket.recv(_READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as error:
                self._end(reason_of(error))
                return
            if not data:
                self._end("closed by the server")
                return
            try:
                self._take(self._packets.frames(data))
            except (BadPacket, IndexError):
                self._end("it is not MQTT")
                return
            if not (isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()) and len(data) < _READ_BYTES:
                return  # epoll tells of more

    def _take(self, frames: list[bytes]) -> None:
        pubacks, payloads, answer = 0, list[bytes](), bytearray()
        for frame in frames:
            kind = frame[0] >> 4
            if kind == PUBACK:
                pubacks += 1
            elif kind == PUBLISH:
                at = header_bytes(frame)
                at += 2 + (frame[at] << 8 | frame[at + 1])
                answer += _PUBACK + frame[at : at + 2]
                payloads.append(frame[at + 2 :])
        if answer:
            self._send(bytes(answer))
            self._taken(payloads)
        if pubacks:
            self._acknowledged(pubacks)

    def close(self) -> None:
        """Without DISCONNECT."""
        if not self.ended:
            self._end("closed")

    def _end(self, why: str) -> None:
        self.ended = why
        self._loop.forget(self._socket.fileno())
        self._socket.close()
