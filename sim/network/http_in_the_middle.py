"""A man in the middle of HTTPS on the loopback: a server with a certificate of its own, which hands each request on to
the real one and each answer back, changed.

It does not look whom it talks to, and passes headers on as they are, so whoever proves a password by Digest proves it
to the real server through it. Client certificates do not pass. What it saw is in `seen`, in order.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple

from sim.network.https_thread import HttpsHandler, HttpsThread
from sim.pki.authority import Pair

BODY_MOST_BYTES: Final = 1 << 24
TIMEOUT_S: Final = 20.0

Change = Callable[[str, bytes], bytes]
"""(path, body of the answer) -> what is given instead."""


class Seen(NamedTuple):
    path: str
    given: bytes
    passed_on: bytes


class HttpInTheMiddle(HttpsThread):
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

        class Handler(HttpsHandler):
            context = server
            handshake_s = idle_s = TIMEOUT_S
            body_most_bytes = BODY_MOST_BYTES

            def handshake_failed(self) -> None:
                owner.refused += 1

            def handshake_done(self) -> None:
                self.upstream = http.client.HTTPSConnection("127.0.0.1", upstream, timeout=TIMEOUT_S, context=client)

            def _do(self) -> None:
                self.upstream.request(self.command, self.path, self.body(), dict(self.headers.items()))
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

        super().__init__(Handler, "middle")
