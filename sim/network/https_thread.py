"""HTTPS on one address: a connection a thread, none of which can stop the others, and nothing goes to a terminal."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, ClassVar

from sim.core.digits import whole_of
from sim.network.serving_thread import ServingThread


class HttpsHandler(BaseHTTPRequestHandler):
    """One connection. A server's own handler sets `context` and the limits, and answers by `do_GET` and so on."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    context: ClassVar[ssl.SSLContext]
    handshake_s: ClassVar[float]
    idle_s: ClassVar[float]
    body_most_bytes: ClassVar[int]

    def setup(self) -> None:
        self.request.settimeout(self.handshake_s)
        try:
            self.request = self.context.wrap_socket(self.request, server_side=True)
        except OSError:
            self.handshake_failed()
            raise
        self.request.settimeout(self.idle_s)
        self.handshake_done()
        super().setup()

    def handshake_failed(self) -> None:
        """The connection ends."""

    def handshake_done(self) -> None:
        """Who is at the other end can be asked."""

    def body(self) -> bytes | None:
        """Of the request; None where its length is no number, or more than may come."""
        length = whole_of(self.headers.get("Content-Length", "0"), self.body_most_bytes)
        return None if length is None else self.rfile.read(length)

    def say(
        self, status: int, body: bytes, headers: Iterable[tuple[str, str]] = (), *, close: bool = False
    ) -> None:
        """The answer."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing goes to a terminal."""


class HttpsServer(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Without the look-up of a host name, which nobody needs here and which a network may not have."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "", int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """One connection ended badly."""


class HttpsThread(ServingThread):
    """Listens from its making, answers from `start` to `stop`. Raises OSError."""

    def __init__(
        self, handler: type[HttpsHandler], name: str, address: str = "127.0.0.1", port: int = 0,
        server: type[HttpsServer] = HttpsServer,
    ) -> None:  # fmt: skip
        super().__init__(server((address, port), handler), name)
