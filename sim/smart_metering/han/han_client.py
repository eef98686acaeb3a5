"""A consumer's own program on the HAN: Digest, one connection, and the gateway's certificate checked, or not.

Free clients in the field do not check it (verify_ssl=False in the integrations for Home Assistant): that is the
weakness `trusted=None`. Who checks has the gateway's own certificate as a file.
"""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple

from sim.pki.authority import Pair
from sim.smart_metering.han.http_digest import response, secret

TIMEOUT_S: Final = 20.0
_WORD: Final = re.compile(r'([A-Za-z]+)="?([^",]*)"?')


class HanClientError(Exception):
    """`reason`: "certificate" (not of the gateway that is trusted), "unreachable", "refused" (no answer is given)."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]


class HanClient:
    """`trusted`: the gateway's certificate; None: whoever answers is believed. `own`: a certificate to show instead of
    a password. `draw`: random bytes. Raises HanClientError. Use it with `with`."""

    def __init__(
        self, port: int, user: str, pin: str, *, trusted: Path | None, draw: Callable[[int], bytes],
        own: Pair | None = None,
    ) -> None:  # fmt: skip
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE if trusted is None else ssl.CERT_REQUIRED
        if trusted is not None:
            made.load_verify_locations(trusted)
        if own is not None:
            made.load_cert_chain(own.certificate, own.key)
        self._user, self._pin, self._draw = user, pin, draw
        self._challenge: dict[str, str] = {}
        self._count = 0
        self._cookie = ""
        self._connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT_S, context=made)
        try:
            self._connection.connect()
        except ssl.SSLCertVerificationError as error:
            self._connection.close()
            raise HanClientError("certificate", error.verify_message) from None
        except OSError as error:
            self._connection.close()
            raise HanClientError("unreachable", f"port {port}: {error.strerror or error}") from None

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> Answer:
        """The answer, logging in where it is asked for; a wrong password is answered with 401."""
        asked_before = bool(self._challenge)
        said = self._once(method, path, body, kind)
        if said.status == 401 and (self._challenge.get("stale") == "true" or not asked_before):
            said = self._once(method, path, body, kind)
        return said

    def _once(self, method: str, path: str, body: bytes, kind: str) -> Answer:
        headers = {"Content-Type": kind, "Content-Length": str(len(body))}
        if self._challenge:
            headers["Authorization"] = self._authorization(method, path)
        if self._cookie:
            headers["Cookie"] = self._cookie
        try:
            self._connection.request(method, path, body=body, headers=headers)
            found = self._connection.getresponse()
            said = Answer(found.status, found.read(), {name.lower(): value for name, value in found.getheaders()})
        except (OSError, http.client.HTTPException) as error:
            raise HanClientError("unreachable", str(error) or type(error).__name__) from None
        if "set-cookie" in said.headers:
            self._cookie = said.headers["set-cookie"].partition(";")[0]
        if said.status == 401:
            offered = found.msg.get_all("WWW-Authenticate") or [""]
            self._challenge = dict(_WORD.findall(offered[0].partition(" ")[2]))
            self._count = 0
        return said

    def _authorization(self, method: str, path: str) -> str:
        self._count += 1
        told, nc, cnonce = self._challenge, f"{self._count:08x}", self._draw(8).hex()
        algorithm, realm, nonce = (told.get(name, "") for name in ("algorithm", "realm", "nonce"))
        kept = secret(self._user, realm, self._pin, algorithm)
        proof = response(kept, algorithm, method, path, nonce, nc, cnonce)
        return (
            f'Digest username="{self._user}", realm="{realm}", nonce="{nonce}", uri="{path}", algorithm={algorithm}, '
            f'response="{proof}", qop=auth, nc={nc}, cnonce="{cnonce}"'
        )

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> HanClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, traceback: TracebackType | None) -> None:
        self.close()
