"""What a gateway says over TCP, a connection a message: it dials, sends, and closes."""

from __future__ import annotations

import socketserver
from dataclasses import dataclass

from sim.core.clock import wall_ns
from sim.core.settings import number
from sim.readers.message_content import MESSAGE_MOST_BYTES, Content, ContentSpec
from sim.readers.port import Delivered, Reader, ReaderKind, ReadGround
from sim.readers.push_server import IDLE_S, WAITING_MOST, PushServer, refuse_open_port


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpPushSpec(ContentSpec):
    """`address`, `port_number`: where to listen; the loopback and a free port unless named."""

    kind: str = "tcp_push"
    address: str = "127.0.0.1"
    port_number: int = number(0, low=0, high=65_535)


class TcpPushReader:
    """See port.Reader."""

    def __init__(self, spec: TcpPushSpec) -> None:
        self.content = Content(spec)
        self._spec = spec
        self._server: PushServer | None = None

    @property
    def place(self) -> str:
        return self._server.place if self._server is not None else ""

    @property
    def problem(self) -> str | None:
        return None if self._server is not None else "the reader of TCP connections was not started"

    def start(self) -> None:
        self._server = PushServer(self._spec.address, self._spec.port_number, _Connection, self._spec)

    def take(self) -> list[Delivered]:
        rows: list[Delivered] = []
        while self._server is not None and self._server.came:
            rows += self.content.rows(*self._server.came.popleft())
        return rows

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.end()


class _Connection(socketserver.StreamRequestHandler):
    timeout = IDLE_S
    server: PushServer

    def handle(self) -> None:
        data = self.rfile.read(MESSAGE_MOST_BYTES + 1)
        if data and len(self.server.came) < WAITING_MOST:
            self.server.came.append((str(self.client_address[0]), data, wall_ns()))


def _make(spec: TcpPushSpec, _ground: ReadGround) -> Reader:
    refuse_open_port(spec.address, spec.port_number)
    return TcpPushReader(spec)


KIND = ReaderKind("tcp_push", "What it sends over TCP, a connection a message", TcpPushSpec, _make)
