"""A server that takes what gateways push, on threads of its own, and leaves none of them behind."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections import deque
from typing import Any, Final

from sim.readers.port import ReaderError

IDLE_S: Final = 20.0
"""Who says nothing for so long is let go."""
WAITING_MOST: Final = 100_000
"""Messages that wait to be read; more are refused."""
_LOOK_S: Final = 0.02
Came = deque[tuple[str, bytes, int]]
"""Source, payload, when it came in wall nanoseconds."""


class PushServer(socketserver.ThreadingTCPServer):
    """`spec`: the reader's settings, for its handlers; `came`: what they took. Raises ReaderError if it cannot
    listen."""

    allow_reuse_address = True
    daemon_threads = False
    block_on_close = True
    request_queue_size = 64

    def __init__(self, address: str, port: int, handler: type[socketserver.BaseRequestHandler], spec: Any) -> None:
        self.spec = spec
        self.came: Came = deque()
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

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is the gateway's affair; nothing goes to the terminal."""


def refuse_open_port(address: str, port: int) -> None:
    """Raises ReaderError."""
    if port == 0 and not address.startswith("127."):
        raise ReaderError(f"read.address {address} is on a network; name read.port_number, to tell the box")
