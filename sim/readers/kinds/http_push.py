"""What a gateway posts to us: one request, one message. Every request is answered, so that none is sent again."""

from __future__ import annotations

import socket
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final

from sim.core.clock import wall_ns
from sim.core.settings import number
from sim.readers.message_content import MESSAGE_MOST_BYTES, Content, ContentSpec
from sim.readers.port import Delivered, Reader, ReaderError, ReaderKind, ReadGround

_IDLE_S: Final = 20.0
_LOOK_S: Final = 0.02
_WAITING_MOST: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPushSpec(ContentSpec):
    """`address`, `port`: where to listen; the loopback and a free port unless named. `path`: what requests it takes;
    others are answered with 404. `file_name`: the header in which a file's name stands, the message's source then. A
    request in clear: a box that insists on TLS needs a proxy in front."""

    kind: str = "http_push"
    address: str = "127.0.0.1"
    port_number: int = number(0, low=0, high=65_535)
    path: str = "/"
    file_name: str = "Filename"


class HttpPushReader:
    """See port.Reader. Requests are taken on threads of the server's; read on the caller's."""

    def __init__(self, spec: HttpPushSpec) -> None:
        self.content = Content(spec)
        self._spec = spec
        self._came: deque[tuple[str, bytes, int]] = deque()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def place(self) -> str:
        return f"{self._spec.address}:{self._server.server_address[1]}" if self._server is not None else ""

    @property
    def problem(self) -> str | None:
        return None if self._server is not None else "the reader of HTTP requests was not started"

    def start(self) -> None:
        spec = self._spec
        try:
            server = _Server((spec.address, spec.port_number), _Request)
        except OSError as error:
            where = f"{spec.address}:{spec.port_number}"
            raise ReaderError(f"cannot listen on {where}: {error.strerror or error}; name another port") from None
        server.spec, server.came = spec, self._came
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(_LOOK_S,), name="http push", daemon=True)
        self._thread.start()

    def take(self) -> list[Delivered]:
        rows: list[Delivered] = []
        while self._came:
            rows += self.content.rows(*self._came.popleft())
        return rows

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.end_all()
            server.server_close()
        if self._thread is not None:
            self._thread.join()
            self._thread = None


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    spec: HttpPushSpec
    came: deque[tuple[str, bytes, int]]

    def __init__(self, *arguments: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def end_all(self) -> None:
        """Connections that a box keeps open."""
        for one in list(self._open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is the gateway's affair; nothing goes to the terminal."""


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout: ClassVar[float] = _IDLE_S
    server: _Server

    def do_POST(self) -> None:
        arrived_ns = wall_ns()
        if self.path.partition("?")[0] != self.server.spec.path:
            return self._answer(404)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or len(length) > 9:
            return self._answer(411)
        if int(length) > MESSAGE_MOST_BYTES:
            return self._answer(413)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None  # torn: it will be sent again
        if len(self.server.came) >= _WAITING_MOST:
            return self._answer(503)
        source = self.headers.get(self.server.spec.file_name) or self.path
        self.server.came.append((source, body, arrived_ns))
        return self._answer(204)

    do_PUT = do_POST

    def _answer(self, code: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", "0")
        if code not in (204, 404):
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Bytes from outside are no words for a terminal."""


def _make(spec: HttpPushSpec, _ground: ReadGround) -> Reader:
    if spec.port_number == 0 and not spec.address.startswith("127."):
        raise ReaderError(f"read.address {spec.address} is on a network; name read.port_number, to tell the box")
    return HttpPushReader(spec)


KIND = ReaderKind("http_push", "What it posts by HTTP", HttpPushSpec, _make)
