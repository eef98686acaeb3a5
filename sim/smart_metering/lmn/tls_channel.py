"""TLS 1.2 over octets that somebody else carries: between a meter (server) and its gateway (client).

Suites and curve are the WAN's; certificates are not: each end signed its own, and the other end is believed for that
one certificate and for no authority (BSI TR-03116-3, 6). None is renegotiated; one ends after SESSION_MOST_S, or when
it has carried RENEW_AFTER_BYTES, and a new one begins with a full handshake. One that broke off may be resumed where a
handshake is dear, on the radio; its time counts from the full handshake. On the wired bus none is resumed.
"""

from __future__ import annotations

import ssl
from typing import Final, NamedTuple

from sim.core.refused import Refusal
from sim.pki.authority import Pair, PkiError
from sim.pki.link_certificates import pem
from sim.pki.server_certificate import NO_CHECK_TIME
from sim.smart_metering.wan.tls import CURVE, SUITES, tls_12

SESSION_MOST_S: Final = 31 * 86_400
"""TR-03116-3, 6."""
RENEW_AFTER_BYTES: Final = 5_000_000
"""As one product does (its interface description); the guideline names no number that is known here."""
PIECE_BYTES: Final = 4_096


class LinkRefused(Refusal):
    """No session, or the end of one. `reason` is the stable code: "tls" (the handshake failed, a record is damaged),
    "certificate" (another than the paired one), "pair" (the files are none of this kind)."""


def context(own: Pair, peer: bytes, *, server: bool) -> ssl.SSLContext:
    """`peer`: the other end's certificate, DER. Raises LinkRefused (pair)."""
    try:
        made = tls_12(own, SUITES, CURVE, server=server)
        made.verify_mode = ssl.CERT_REQUIRED
        # Whether it is in its time is asked by the world's clock, see WiredBus; this machine's may be another.
        made.verify_flags |= NO_CHECK_TIME
        made.load_verify_locations(cadata=pem(peer))
    except (OSError, ValueError, PkiError) as error:  # ssl.SSLError is an OSError
        raise LinkRefused("pair", f"{own.certificate.name}: {error}") from None
    return made


class Resumable(NamedTuple):
    """Of a session, what lets another one begin without a full handshake, until `ends_s`."""

    session: ssl.SSLSession
    ends_s: int


class TlsChannel:
    """One session. Hand in octets that came, send what `out` gives, until it is empty. `of`: the one to resume, of the
    same context; the other end may insist on a full handshake all the same."""

    def __init__(
        self, made: ssl.SSLContext, peer: bytes, *, server: bool, now_s: int, of: Resumable | None = None
    ) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = made.wrap_bio(self._in, self._out, server_side=server, session=None if of is None else of.session)
        self._peer = peer
        self._of = of
        self._ends_s = now_s + SESSION_MOST_S
        self._carried = 0
        self._waiting = bytearray()
        self.up = False
        self._plain(b"")

    def is_over(self, now_s: int) -> bool:
        """It is to be ended, and another begun."""
        return now_s >= self._ends_s or self._carried >= RENEW_AFTER_BYTES

    @property
    def resumed(self) -> bool:
        """It is up, after a short handshake."""
        return self.up and bool(self._tls.session_reused)

    @property
    def resumable(self) -> Resumable | None:
        """For a later one; None before it is up."""
        session = self._tls.session if self.up else None
        return None if session is None else Resumable(session, self._ends_s)

    @property
    def agreed(self) -> tuple[str, str]:
        """(version, suite)."""
        suite = self._tls.cipher()
        return self._tls.version() or "", suite[0] if suite else ""

    def say(self, data: bytes) -> None:
        """For the other end; kept until the handshake is over."""
        self._waiting += data
        self._send()

    def feed(self, data: bytes) -> bytes:
        """Octets that came -> what the other end said. Raises LinkRefused: then the session is over, and `out` may hold
        what tells the other end why."""
        self._in.write(data)
        return self._plain(data)

    def out(self) -> bytes:
        """Octets for the other end."""
        return self._out.read()

    def _plain(self, _: bytes) -> bytes:
        said = b""
        try:
            if not self.up:
                self._tls.do_handshake()
                if self._tls.getpeercert(binary_form=True) != self._peer:
                    raise LinkRefused("certificate", "it is signed by the paired one and is another")
                self.up = True
                if self._of is not None and self.resumed:
                    self._ends_s = self._of.ends_s
                self._send()
            while piece := self._tls.read(PIECE_BYTES):
                said += piece
            raise LinkRefused("tls", "the other end ended the session")
        except ssl.SSLWantReadError:
            self._carried += len(said)
            return said
        except ssl.SSLCertVerificationError as error:
            raise LinkRefused("certificate", error.verify_message) from None
        except ssl.SSLError as error:
            raise LinkRefused("tls", error.reason or str(error)) from None

    def _send(self) -> None:
        if self.up and self._waiting:
            self._carried += len(self._waiting)
            self._tls.write(bytes(self._waiting))
            self._waiting.clear()
