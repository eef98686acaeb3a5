"""paho-mqtt on a socket that has finished its handshake.

The only file that leans on paho's internals (the version is pinned): `_create_socket` hands in the socket that
`TlsConnect` made, so that no client blocks the others; `_sock_recv` reads ahead, since paho asks for one byte at a
time; both keep the reason of a failure, which paho only logs.

QoS 1 goes past paho, whose bookkeeping for one message costs several times what sending it does, and serves retries
that no session here makes. `put` keeps what is published until the socket is written, and then it goes out in one
piece; PUBACKs are taken out of what was read before paho sees them. All else, and every error, is paho's.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from sim.endpoint.mqtt_wire import PUBACK, Publish, publish
from sim.endpoint.tls_connect import reason_of
from sim.endpoint.websocket_connect import WebSocketSocket

_READ_AHEAD_BYTES = 65_536
_PIECE_BYTES: Final = 65_536
_UNACKNOWLEDGED_MOST: Final = 65_535  # packet identifiers
_TOPIC_MOST_BYTES: Final = 65_535
_PAYLOAD_MOST_BYTES: Final = (1 << 28) - 1 - _TOPIC_MOST_BYTES - 4
_PUBACK: Final = bytes((PUBACK << 4, 2))
_PUBACK_BYTES: Final = 4


class TooManyUnacknowledged(Exception):
    """Every packet identifier waits for its PUBACK."""


class ConnectedClient(mqtt.Client):
    """paho on a socket that is connected already, with read-ahead. `acknowledged`: called for each PUBACK of what was
    `put`."""

    def __init__(
        self, client_id: str, ready: socket.socket | WebSocketSocket, *, clean: bool, v5: bool = False
    ) -> None:
        how: dict[str, Any] = {"protocol": mqtt.MQTTv5} if v5 else {"protocol": mqtt.MQTTv311, "clean_session": clean}
        super().__init__(CallbackAPIVersion.VERSION2, client_id, **how)
        self.max_inflight_messages_set(0)
        self.suppress_exceptions = False
        self.trouble = ""
        self.acknowledged: Callable[[], None] = lambda: None
        self._ready = ready
        self._ahead = b""
        self._properties = b"\0" if v5 else b""  # MQTT 5: none, and their length says so
        self._waiting = bytearray()
        self._unacknowledged: set[int] = set()

    def put(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1, when the socket is written next. Raises ValueError for what MQTT cannot carry,
        TooManyUnacknowledged."""
        if not topic or "+" in topic or "#" in topic:
            raise ValueError("a topic to publish to is not empty and has no wildcards")
        if len(topic.encode()) > _TOPIC_MOST_BYTES or len(payload) > _PAYLOAD_MOST_BYTES:
            raise ValueError("topic or payload are longer than MQTT can say")
        if len(self._unacknowledged) >= _UNACKNOWLEDGED_MOST:
            raise TooManyUnacknowledged
        number = self._mid_generate()
        while number in self._unacknowledged:
            number = self._mid_generate()
        self._unacknowledged.add(number)
        message = Publish(topic, self._properties + payload, 0x02 | retain, number.to_bytes(2, "big"))
        first = not self._waiting
        self._waiting += publish(message).encode()
        if len(self._waiting) >= _PIECE_BYTES:
            self._piece()
        elif first:
            self._call_socket_register_write()

    def _piece(self) -> None:
        piece, self._waiting = bytes(self._waiting), bytearray()
        super()._packet_queue(mqtt.PUBLISH, piece, 0, 1)

    def _packet_queue(self, *packet: Any, **more: Any) -> Any:
        """Behind what was published before."""
        if self._waiting:
            self._piece()
        return super()._packet_queue(*packet, **more)

    def loop_write(self) -> Any:
        if self._waiting:
            self._piece()
        return super().loop_write()

    def _create_socket(self) -> Any:
        return self._ready

    @property
    def more(self) -> bool:
        """Bytes were read from the kernel that epoll will not announce again."""
        silent = isinstance(self._ready, ssl.SSLSocket | WebSocketSocket) and self._ready.pending() > 0
        return bool(self._ahead) or silent

    def _sock_recv(self, bufsize: int) -> bytes:
        if not self._ahead:
            try:
                self._ahead = super()._sock_recv(_READ_AHEAD_BYTES)
            except BlockingIOError:
                raise
            except OSError as error:
                self.trouble = reason_of(error)
                raise
            if self._in_packet["command"] == 0 and self._ahead:
                self._take_pubacks()
                if not self._ahead:
                    raise BlockingIOError  # there was nothing else
        taken, self._ahead = self._ahead[:bufsize], self._ahead[bufsize:]
        return taken

    def _take_pubacks(self) -> None:
        """Those that stand first in what was read, where a packet begins."""
        at, ahead = 0, self._ahead
        while ahead.startswith(_PUBACK, at) and len(ahead) >= at + _PUBACK_BYTES:
            self._take_puback(ahead[at + 2 : at + _PUBACK_BYTES])
            at += _PUBACK_BYTES
        self._ahead = ahead[at:]

    def _take_puback(self, number: bytes) -> None:
        with contextlib.suppress(KeyError):  # of nothing that waits: it says nothing
            self._unacknowledged.remove(int.from_bytes(number, "big"))
            self.acknowledged()

    def _handle_pubackcomp(self, cmd: Any) -> Any:
        """A PUBACK behind something else, or one that came in pieces."""
        self._take_puback(bytes(self._in_packet["packet"][:2]))
        return mqtt.MQTT_ERR_SUCCESS

    def _sock_send(self, buf: bytes | bytearray) -> int:
        try:
            return super()._sock_send(buf)
        except BlockingIOError:
            raise
        except OSError as error:
            self.trouble = self.trouble or self._last_word() or reason_of(error)
            raise

    def _last_word(self) -> str:
        """A server that refuses a certificate says why and closes: the write fails before the reason is read."""
        try:
            self._ready.recv(1)
        except OSError as error:
            return reason_of(error)
        return ""

    def drop(self) -> None:
        """Close the socket without DISCONNECT."""
        self.on_disconnect = self.on_socket_unregister_write = self.on_socket_register_write = None
        self._ready.close()
