"""What a gateway says over TCP, a connection a message: it dials, sends, and closes."""

from __future__ import annotations

import socketserver
from dataclasses import dataclass

from sim.core.clock import wall_ns
from sim.readers.message_content import MESSAGE_MOST_BYTES
from sim.readers.port import Reader, ReaderKind, ReadGround
from sim.readers.push_server import IDLE_S, WAITING_MOST, PushReader, PushServer, PushSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpPushSpec(PushSpec):
    """`address`, `port_number`: where to listen; the loopback and a free port unless named."""

    kind: str = "tcp_push"


class _Connection(socketserver.StreamRequestHandler):
    timeout = IDLE_S
    server: PushServer

    def handle(self) -> None:
        data = self.rfile.read(MESSAGE_MOST_BYTES + 1)
        if data and len(self.server.came) < WAITING_MOST:
            self.server.came.append((str(self.client_address[0]), data, wall_ns()))


def _make(spec: TcpPushSpec, ground: ReadGround) -> Reader:
    return PushReader(spec, _Connection, "TCP connections", ground)


KIND = ReaderKind("tcp_push", "What it sends over TCP, a connection a message", TcpPushSpec, _make)
