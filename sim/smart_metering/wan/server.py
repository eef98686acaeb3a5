"""A server of the WAN: an administrator or a participant on one port.

What a party may ask hangs on its certificate: `answer(party, method, path, body)` gives a status and a body. Whatever
arrives, the server goes on: a handshake that fails, a request that never ends, a body that is too long cost their own
connection and no other.
"""

from __future__ import annotations

import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Final

from sim.core.clock import wall_s
from sim.network.serving_thread import ServingThread
from sim.pki.sm_chain import ChainError
from sim.smart_metering.wan.cell_sockets import answer_in_cells
from sim.smart_metering.wan.guard import Guard
from sim.smart_metering.wan.http_messages import BODY_MOST_BYTES, Answer, Reply
from sim.smart_metering.wan.tls import SESSION_MOST_S, party

IDLE_S: Final = 10.0


class WanServer(ServingThread):
    """Listens on one address from `start` to `stop`. `guard`: whether a party's certificate holds; who has another one
    is told the clause, and no more. `cell_bytes`: parties speak in cells of this size, and `paced` with dummies;
    without, in plain HTTP. `refused`: sessions that did not begin, as text."""

    def __init__(
        self, context: ssl.SSLContext, answer: Answer, *, port: int = 0, guard: Guard | None = None,
        address: str = "127.0.0.1", cell_bytes: int = 0, paced: bool = False,
    ) -> None:  # fmt: skip
        self.refused: list[str] = []
        self.session_most_s: float = SESSION_MOST_S
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = IDLE_S

            def setup(self) -> None:
                self.request.settimeout(IDLE_S)
                self.request = context.wrap_socket(self.request, server_side=True)
                self.ends_s = wall_s() + owner.session_most_s
                self.refusal = ""
                try:
                    if guard is not None:
                        guard.check(self.request)
                except ChainError as error:
                    self.refusal = str(error)
                    owner.refused.append(self.refusal)
                super().setup()

            def handle(self) -> None:
                if cell_bytes:
                    answer_in_cells(self.request, self._told, cell_bytes, paced=paced, ends_s=self.ends_s)
                else:
                    super().handle()

            def _told(self, party: str, method: str, path: str, body: bytes) -> Reply:
                return Reply(403, self.refusal.encode()) if self.refusal else answer(party, method, path, body)

            def _do(self) -> None:
                length = self.headers.get("Content-Length", "0")
                if not (length.isascii() and length.isdecimal()) or int(length) > BODY_MOST_BYTES:
                    self._send(Reply(413, b"a body has at most 16 MiB"), close=True)
                    return
                body = self.rfile.read(int(length))
                reply = self._told(party(self.request), self.command, self.path, body)
                self._send(reply, close=bool(self.refusal) or wall_s() >= self.ends_s)

            do_GET = do_PUT = do_POST = do_DELETE = _do

            def _send(self, reply: Reply, *, close: bool) -> None:
                self.send_response(reply.status)
                self.send_header("Content-Length", str(len(reply.body)))
                if close:
                    self.send_header("Connection", "close")
                    self.close_connection = True
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing goes to a terminal."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def server_bind(self) -> None:
                """Without the look-up of a host name, which nobody needs here and which a WAN may not have."""
                TCPServer.server_bind(self)
                self.server_name, self.server_port = "", int(self.server_address[1])

            def handle_error(self, request: Any, client_address: Any) -> None:
                """One connection ended badly."""
                import sys

                owner.refused.append(f"{type(sys.exception()).__name__}: {sys.exception()}"[:200])

        super().__init__(Server((address, port), Handler), "wan")
