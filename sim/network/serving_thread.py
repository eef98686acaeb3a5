"""A server on sockets that runs in a thread, from `start` to `stop`."""

from __future__ import annotations

import threading
from socketserver import TCPServer

_LOOK_EVERY_S = 0.05


class ServingThread:
    """`server` is bound already. What it serves is its handler's."""

    def __init__(self, server: TCPServer, name: str) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(_LOOK_EVERY_S,), name=name, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Idempotent; leaves no thread that listens and no port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
