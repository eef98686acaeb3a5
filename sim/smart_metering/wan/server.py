"""A server of the WAN: an administrator or a participant on one port.

What a party may ask hangs on its certificate: `answer(party, method, path, body)` gives a status and a body. Whatever
arrives, the server goes on: a handshake that fails, a request that never ends, a body that is too long cost their own
connection and no other.
"""

from __future__ import annotations

import ssl
from typing import Any, Final

from sim.core.clock import wall_s
from sim.network.https_thread import HttpsHandler, HttpsServer, HttpsThread
from sim.pki.sm_chain import ChainError
from sim.smart_metering.wan.cell_sockets import answer_in_cells
from sim.smart_metering.wan.guard import Guard
from sim.smart_metering.wan.http_messages import BODY_MOST_BYTES, Answer, Reply
from sim.smart_metering.wan.tls import SESSION_MOST_S, party

IDLE_S: Final = 10.0


class WanServer(HttpsThread):
    """Listens on one address from `start` to `stop`. `guard`: whether a party's certificate holds; who has another one
    is told the clause, and no more. `cell_bytes`: parties speak in cells of this size, and `paced` with dummies;
    without, in plain HTTP. `refused`: sessions that did not begin, as text."""

    def __init__(
        self, context: ssl.SSLContext, answer: Answer, *, port: int = 0, guard: Guard | None = None,
        address: str = "127.0.0.1", cell_bytes: int = 0, paced: bool = False,
    ) -> None:  # fmt: skip
        self.refused: list[str] = []
        self.session_most_s: float = SESSION_MOST_S
        owner, made = self, context

        class Handler(HttpsHandler):
            context = made
            handshake_s = idle_s = IDLE_S
            body_most_bytes = BODY_MOST_BYTES

            def handshake_done(self) -> None:
                self.ends_s = wall_s() + owner.session_most_s
                self.refusal = ""
                try:
                    if guard is not None:
                        guard.check(self.request)
                except ChainError as error:
                    self.refusal = str(error)
                    owner.refused.append(self.refusal)

            def handle(self) -> None:
                if cell_bytes:
                    answer_in_cells(self.request, self._told, cell_bytes, paced=paced, ends_s=self.ends_s)
                else:
                    super().handle()

            def _told(self, party: str, method: str, path: str, body: bytes) -> Reply:
                return Reply(403, self.refusal.encode()) if self.refusal else answer(party, method, path, body)

            def _do(self) -> None:
                if (body := self.body()) is None:
                    self.say(413, b"a body has at most 16 MiB", close=True)
                    return
                reply = self._told(party(self.request), self.command, self.path, body)
                self.say(reply.status, reply.body, close=bool(self.refusal) or wall_s() >= self.ends_s)

            do_GET = do_PUT = do_POST = do_DELETE = _do

        class Server(HttpsServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """One connection ended badly."""
                import sys

                owner.refused.append(f"{type(sys.exception()).__name__}: {sys.exception()}"[:200])

        super().__init__(Handler, "wan", address, port, Server)
