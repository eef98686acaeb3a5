"""What a gateway posts to us: one request, one message. Every request is answered, so that none is sent again."""

from __future__ import annotations

from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from sim.core.clock import wall_ns
from sim.core.digits import whole_of
from sim.readers.message_content import MESSAGE_MOST_BYTES
from sim.readers.port import Reader, ReaderKind, ReadGround
from sim.readers.push_server import IDLE_S, WAITING_MOST, PushReader, PushServer, PushSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPushSpec(PushSpec):
    """`path`: what requests it takes; others are answered with 404. `file_name`: the header in which a file's name
    stands, the message's source then. HTTPS with `tls`."""

    kind: str = "http_push"
    path: str = "/"
    file_name: str = "Filename"


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    server: PushServer

    def do_POST(self) -> None:
        arrived_ns = wall_ns()
        spec: HttpPushSpec = self.server.spec
        if self.path.partition("?")[0] != spec.path:
            return self._answer(404)
        length = whole_of(self.headers.get("Content-Length", ""))
        if length is None:
            return self._answer(411)
        if length > MESSAGE_MOST_BYTES:
            return self._answer(413)
        body = self.rfile.read(length)
        if len(body) < length:
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


def _make(spec: HttpPushSpec, ground: ReadGround) -> Reader:
    return PushReader(spec, _Request, "HTTP requests", ground)


KIND = ReaderKind("http_push", "What it posts by HTTP", HttpPushSpec, _make)
