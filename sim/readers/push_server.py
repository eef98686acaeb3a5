"""A server that takes what gateways push, on threads of its own, and leaves none of them behind."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Final, Literal

from sim.core.settings import number
from sim.readers import push_tls
from sim.readers.message_content import Content, ContentSpec
from sim.readers.port import Delivered, ReaderError, ReadGround

IDLE_S: Final = 20.0
"""Who says nothing for so long is let go."""
WAITING_MOST: Final = 100_000
"""Messages that wait to be read; more are refused."""
_LOOK_S: Final = 0.02
Came = deque[tuple[str, bytes, int]]
"""Source, payload, when it came in wall nanoseconds."""


class PushServer(socketserver.ThreadingTCPServer):
    """`spec`: the reader's settings, for its handlers; `came`: what they took; `refused`: why the latest client got no
    TLS session, "" when one came since. `tls`: None takes bytes in clear. Raises ReaderError if it cannot listen."""

    allow_reuse_address = True
    daemon_threads = False
    block_on_close = True
    request_queue_size = 64

    def __init__(self, address: str, port: int, handler: type[socketserver.BaseRequestHandler], spec: Any,
                 tls: ssl.SSLContext | None = None) -> None:  # fmt: skip
        self.spec = spec
        self.came: Came = deque()
        self.refused = ""
        self._tls = tls
        self._open: set[socket.socket] = set()
        try:
            super().__init__((address, port), handler)
        except OSError as error:
            said = error.strerror or error
            raise ReaderError(f"cannot listen on {address}:{port}: {said}; name another port") from None
        self._thread = threading.Thread(target=self.serve_forever, args=(_LOOK_S,), name="push", daemon=True)
        self._thread.start()

    @property
    def place(self) -> str:
        """host:port."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    def end(self) -> None:
        """Also of connections that a box keeps open."""
        self.shutdown()
        for one in list(self._open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self.server_close()
        self._thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """On the connection's own thread, where a client that is slow at its handshake holds up no other."""
        if self._tls is not None:
            request.settimeout(push_tls.HANDSHAKE_S)
            secured = self._tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
            self._open.add(secured)
            self._open.discard(request)
            try:
                secured.do_handshake()
            except (OSError, ValueError) as error:
                self.refused = push_tls.why(error, str(client_address[0]))
                self.shutdown_request(secured)
                return
            self.refused = ""
            request = secured
        super().process_request_thread(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is the gateway's affair; nothing goes to the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSpec(ContentSpec):
    """`address`, `port_number`: where to listen; the loopback and a free port unless named. `tls`: in clear, with a
    certificate of the desk's authority (listen.pki), or with the gateway's own as well. `hostname`: as the gateway
    dials it, in that certificate; the address unless named."""

    address: str = "127.0.0.1"
    port_number: int = number(0, low=0, high=65_535)
    tls: Literal["none", "server", "both"] = "none"
    hostname: str = ""


def refuse_free_port(spec: PushSpec) -> None:
    """Raises ReaderError for a free port on a network, which nobody could tell the box."""
    if spec.port_number == 0 and not spec.address.startswith("127."):
        raise ReaderError(f"read.address {spec.address} is on a network; name read.port_number, to tell the box")


class PushReader:
    """See port.Reader. What is pushed is taken on threads of the server's, and read on the caller's. `handler`: takes
    one connection; `served`: what it takes, in words. Raises ReaderError for a free port on a network."""

    def __init__(
        self, spec: PushSpec, handler: type[socketserver.BaseRequestHandler], served: str, ground: ReadGround
    ) -> None:
        refuse_free_port(spec)
        self.content = Content(spec)
        self._spec, self._handler, self._served, self._authority = spec, handler, served, ground.authority
        self._server: PushServer | None = None

    @property
    def place(self) -> str:
        return self._server.place if self._server is not None else ""

    @property
    def problem(self) -> str | None:
        if self._server is None:
            return f"the reader of {self._served} was not started"
        return self._server.refused or None

    def start(self) -> None:
        spec, tls = self._spec, None
        if spec.tls != "none":
            tls = push_tls.context(self._authority, spec.hostname or spec.address, both=spec.tls == "both")
        self._server = PushServer(spec.address, spec.port_number, self._handler, spec, tls)

    def take(self) -> list[Delivered]:
        rows: list[Delivered] = []
        while self._server is not None and self._server.came:
            rows += self.content.rows(*self._server.came.popleft())
        return rows

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.end()
