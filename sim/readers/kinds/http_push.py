"""What a gateway posts to us: one request, one message. Every request is answered, so that none is sent again."""

from __future__ import annotations

from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from sim.core.clock import wall_ns
from sim.core.settings import number
from sim.readers.message_content import MESSAGE_MOST_BYTES, Content, ContentSpec
from sim.readers.port import Delivered, Reader, ReaderKind, ReadGround
from sim.readers.push_server import IDLE_S, WAITING_MOST, PushServer, refuse_open_port


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPushSpec(ContentSpec):
    """`address`, `port_number`: where to listen; the loopback and a free port unless named. `path`: what requests it
    takes; others are answered with 404. `file_name`: the header in which a file's name stands, the message's source
    then. In clear: a box that insists on TLS needs a proxy in front."""

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
        self._server: PushServer | None = None

    @property
    def place(self) -> str:
        return self._server.place if self._server is not None else ""

    @property
    def problem(self) -> str | None:
        return None if self._server is not None else "the reader of HTTP requests was not started"

    def start(self) -> None:
        self._server = PushServer(self._spec.address, self._spec.port_number, _Request, self._spec)

    def take(self) -> list[Delivered]:
        rows: list[Delivered] = []
        while self._server is not None and self._server.came:
            rows += self.content.rows(*self._server.came.popleft())
        return rows

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.end()


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    server: PushServer

    def do_POST(self) -> None:
        arrived_ns = wall_ns()
        spec: HttpPushSpec = self.server.spec
        if self.path.partition("?")[0] != spec.path:
            return self._answer(404)
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or len(length) > 9:
            return self._answer(411)
        if int(length) > MESSAGE_MOST_BYTES:
            return self._answer(413)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None  # torn: it will be sent again
        if len(self.server.came) >= WAITING_MOST:
            return self._answer(503)
        self.server.came.append((self.headers.get(spec.file_name) or self.path, body, arrived_ns))
        return self._answer(204)

    do_PUT = do_POST

    def _answer(self, code: int) -> None:
        self.send_response(code)
        if code != 204:
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")  # what it sent besides may not have been read
            self.close_connection = True
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Bytes from outside are no words for a terminal."""


def _make(spec: HttpPushSpec, _ground: ReadGround) -> Reader:
    refuse_open_port(spec.address, spec.port_number)
    return HttpPushReader(spec)


KIND = ReaderKind("http_push", "What it posts by HTTP", HttpPushSpec, _make)
