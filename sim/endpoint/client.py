"""paho-mqtt on a socket that has finished its handshake.

The only file that leans on paho's internals (the version is pinned): `_create_socket` hands in the socket that
`TlsConnect` made, so that no client blocks the others; `_sock_recv` reads ahead, since paho asks for one byte at a
time; both keep the reason of a failure, which paho only logs.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from sim.endpoint.tls_connect import reason_of
from sim.endpoint.websocket_connect import WebSocketSocket

_READ_AHEAD_BYTES = 65_536


class ConnectedClient(mqtt.Client):
    """paho on a socket that is connected already, with read-ahead."""

    def __init__(
        self, client_id: str, ready: socket.socket | WebSocketSocket, *, clean: bool, v5: bool = False
    ) -> None:
        how: dict[str, Any] = {"protocol": mqtt.MQTTv5} if v5 else {"protocol": mqtt.MQTTv311, "clean_session": clean}
        super().__init__(CallbackAPIVersion.VERSION2, client_id, **how)
        self.max_inflight_messages_set(0)
        self.suppress_exceptions = False
        self.trouble = ""
        self._ready = ready
        self._ahead = b""

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
        taken, self._ahead = self._ahead[:bufsize], self._ahead[bufsize:]
        return taken

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
