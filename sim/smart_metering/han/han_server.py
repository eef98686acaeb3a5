"""The HAN on a port: HTTPS on the loopback, TLS 1.2, one connection a thread, none of which can stop the others.

Suites and curves are TR-03116-3's for the HAN (5: those that are optional on the WAN are mandatory here). Certificates
are self-signed or of the SM-PKI; a household is told the fingerprint of its gateway's. A client may show a certificate:
that of an account, or the handshake ends.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections import Counter
from pathlib import Path
from typing import Any, Final

from sim.core.clock import wall_s
from sim.network.https_thread import HttpsHandler, HttpsServer, HttpsThread
from sim.pki.authority import Pair
from sim.smart_metering.han.han import Han
from sim.smart_metering.han.http_digest import IDLE_S, SESSION_MOST_S
from sim.smart_metering.han.visits import BODY_MOST_BYTES, Request, Response
from sim.smart_metering.wan.tls import tls_12

SUITES: Final = ":".join(
    f"ECDHE-ECDSA-{one}"
    for one in ("AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA384", "AES128-CCM")
)
CONNECTIONS_MOST: Final = 32
HANDSHAKE_S: Final = 10.0
_GUARDS: Final = (
    ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
)  # fmt: skip


class HanError(Exception):
    """The server cannot be had; the message says what and the way out."""


def context(own: Pair, curve: str, clients: Path | None = None) -> ssl.SSLContext:
    """`clients`: PEM of the certificates that accounts may show. Raises HanError."""
    try:
        made = tls_12(own, SUITES, curve, server=True)
        if clients is not None:
            made.verify_mode = ssl.CERT_OPTIONAL
            made.load_verify_locations(clients)
    except (OSError, ValueError) as error:
        raise HanError(f"{own.certificate}: {error}; certificate and key are PEM, on the curve {curve}") from None
    return made


class HanServer(HttpsThread):
    """Listens on 127.0.0.1 from `start` to `stop`. `counts`: "connections", "handshake failed", "requests",
    "too many"."""

    def __init__(self, made: ssl.SSLContext, han: Han, *, port: int = 0, idle_s: float = IDLE_S) -> None:
        idle_most_s = idle_s
        self.counts: Counter[str] = Counter()
        self.session_most_s: float = SESSION_MOST_S
        owner = self
        room = threading.BoundedSemaphore(CONNECTIONS_MOST)

        class Handler(HttpsHandler):
            server_version, sys_version = "han", ""
            context = made
            handshake_s, idle_s = min(idle_most_s, HANDSHAKE_S), idle_most_s
            body_most_bytes = BODY_MOST_BYTES

            def handshake_failed(self) -> None:
                owner.counts["handshake failed"] += 1

            def handshake_done(self) -> None:
                shown = self.request.getpeercert(binary_form=True)
                self.certificate = hashlib.sha256(shown).hexdigest() if shown else ""
                self.ends_s = wall_s() + owner.session_most_s

            def _do(self) -> None:
                owner.counts["requests"] += 1
                if (body := self.body()) is None:
                    self._send(Response(413, b"a request has at most 64 KiB"), close=True)
                    return
                if "Transfer-Encoding" in self.headers:
                    self._send(Response(411, b"say how long the request is (Content-Length)"), close=True)
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    said = han.answer(Request(self.command, self.path, headers, body, self.certificate))
                except Exception:
                    self._send(Response(500, b"the gateway cannot answer that"), close=True)
                    raise
                self._send(said, close=wall_s() >= self.ends_s)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _do

            def _send(self, said: Response, *, close: bool) -> None:
                self.say(said.status, said.body, [*said.headers, ("Content-Type", said.kind), *_GUARDS], close=close)

        class Server(HttpsServer):
            def process_request(self, request: Any, client_address: Any) -> None:
                owner.counts["connections"] += 1
                if not room.acquire(blocking=False):
                    owner.counts["too many"] += 1
                    self.shutdown_request(request)
                    return
                super().process_request(request, client_address)

            def process_request_thread(self, request: Any, client_address: Any) -> None:
                try:
                    super().process_request_thread(request, client_address)
                finally:
                    room.release()

            def handle_error(self, request: Any, client_address: Any) -> None:
                """One connection ended badly."""
                owner.counts["ended badly"] += 1

        try:
            super().__init__(Handler, "han", port=port, server=Server)
        except OSError as error:
            raise HanError(f"port {port}: {error.strerror or error}; free it or choose another") from None
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
