"""A man in the middle of HTTPS on the loopback: a server with a certificate of its own, which hands each request on to
the real one and each answer back, changed.

It does not look whom it talks to, and passes headers on as they are, so whoever proves a password by Digest proves it
to the real server through it. Client certificates do not pass. What it saw is in `seen`, in order.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple

from sim.network.serving_thread import ServingThread
from sim.pki.authority import Pair

BODY_MOST_BYTES: Final = 1 << 24
TIMEOUT_S: Final = 20.0

Change = Callable[[str, bytes], bytes]
"""(path, body of the answer) -> what is given instead."""


class Seen(NamedTuple):
    path: str
    given: bytes
    passed_on: bytes


class HttpInTheMiddle(ServingThread):
    """From `start` to `stop`. `refused`: handshakes that a client broke off."""

    def __init__(self, own: Pair, upstream: int, change: Change) -> None:
        self.seen: list[Seen] = []
        self.refused = 0
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(own.certificate, own.key)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                self.request.settimeout(TIMEOUT_S)
                try:
                    self.request = server.wrap_socket(self.request, server_side=True)
                except OSError:
                    owner.refused += 1
                    raise
                self.upstream = http.client.HTTPSConnection("127.0.0.1", upstream, timeout=TIMEOUT_S, context=client)
                super().setup()

            def _do(self) -> None:
                length = min(int(self.headers.get("Content-Length") or 0), BODY_MOST_BYTES)
                self.upstream.request(self.command, self.path, self.rfile.read(length), dict(self.headers.items()))
                answer = self.upstream.getresponse()
                given = answer.read()
                body = change(self.path, given) if answer.status == 200 else given
                owner.seen.append(Seen(self.path, given, body))
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "server", "date"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = _do

            def finish(self) -> None:
                self.upstream.close()
                super().finish()

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing goes to a terminal."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """One connection ended badly."""

        super().__init__(Server(("127.0.0.1", 0), Handler), "middle")
