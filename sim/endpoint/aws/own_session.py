"""The way from the companion to Mosquitto: a socket for each client, and one of the companion's own."""

from __future__ import annotations

import contextlib
import select
import socket
from typing import Final

from sim.endpoint.event_loop import EventLoop
from sim.endpoint.mqtt_wire import CONNECT, PUBLISH, Packet, binary

BROKER_SOCKET: Final = "broker.sock"
_READ_BYTES: Final = 65_536


class OwnSession:
    """The companion's own connection to Mosquitto, for what the shadow service and rules publish."""

    def __init__(self, loop: EventLoop) -> None:
        self._socket = broker_socket()
        self._loop = loop
        self._out = bytearray()
        self._serial = 0
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + b"\x00\x0aaws-itself"
        self._send(Packet(CONNECT, 0, body))

    def publish(self, topic: str, payload: bytes, qos: int) -> None:
        name = topic.encode("utf-8", "replace")[:65_535]
        if not name or b"\0" in name or b"+" in name or b"#" in name:
            return
        self._serial = self._serial % 65_535 + 1
        packet_id = self._serial.to_bytes(2, "big") if qos else b""
        self._send(Packet(PUBLISH, 2 if qos else 0, binary(name) + packet_id + payload))

    def _send(self, packet: Packet) -> None:
        self._out += packet.encode()
        self.ready(0)

    def ready(self, _mask: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(_READ_BYTES):  # acknowledgements
                pass
        with contextlib.suppress(BlockingIOError):
            while self._out:
                del self._out[: self._socket.send(self._out)]
        self._loop.watch(self._socket.fileno(), self, select.EPOLLIN | (select.EPOLLOUT if self._out else 0))

    def misc(self) -> None:
        pass


def broker_socket() -> socket.socket:
    """Raises OSError."""
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    one.settimeout(2.0)
    one.connect(BROKER_SOCKET)
    one.setblocking(False)
    return one
