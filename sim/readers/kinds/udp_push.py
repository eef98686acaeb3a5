"""What a gateway says over UDP, a datagram a message. Nobody answers, so what is lost on the way is lost."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from typing import Final

from sim.core.clock import wall_ns
from sim.readers.message_content import Content
from sim.readers.port import Delivered, Reader, ReaderError, ReaderKind, ReadGround
from sim.readers.push_server import PushSpec, refuse_free_port

_DATAGRAM_MOST_BYTES: Final = 65_535
_AT_ONCE: Final = 10_000
_BUFFER_BYTES: Final = 4 << 20
"""Of the kernel, for what comes between two looks; the system may grant less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpPushSpec(PushSpec):
    """A datagram came when it is taken, which a desk does many times a second."""

    kind: str = "udp_push"


class UdpPushReader:
    """See port.Reader. It needs no thread: datagrams wait in the kernel until they are taken."""

    def __init__(self, spec: UdpPushSpec) -> None:
        self.content = Content(spec)
        self._spec = spec
        self._socket: socket.socket | None = None

    @property
    def place(self) -> str:
        if self._socket is None:
            return ""
        host, port = self._socket.getsockname()[:2]
        return f"{host}:{port}"

    @property
    def problem(self) -> str | None:
        return None if self._socket is not None else "the reader of UDP datagrams was not started"

    def start(self) -> None:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            made.bind((self._spec.address, self._spec.port_number))
        except OSError as error:
            made.close()
            where = f"{self._spec.address}:{self._spec.port_number}"
            raise ReaderError(f"cannot listen on {where} (UDP): {error.strerror or error}; name another port") from None
        made.setblocking(False)
        self._socket = made

    def take(self) -> list[Delivered]:
        rows: list[Delivered] = []
        with contextlib.suppress(BlockingIOError):
            for _ in range(_AT_ONCE if self._socket is not None else 0):
                assert self._socket is not None
                data, sender = self._socket.recvfrom(_DATAGRAM_MOST_BYTES)
                rows += self.content.rows(str(sender[0]), data, wall_ns())
        return rows

    def stop(self) -> None:
        held, self._socket = self._socket, None
        if held is not None:
            held.close()


def _make(spec: UdpPushSpec, _ground: ReadGround) -> Reader:
    refuse_free_port(spec)
    return UdpPushReader(spec)


KIND = ReaderKind("udp_push", "What it sends over UDP, a datagram a message", UdpPushSpec, _make)
