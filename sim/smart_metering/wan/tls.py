"""Connections of the WAN: TLS 1.2 with ECDHE-ECDSA on brainpoolP256r1, certificates on both sides (BSI TR-03116-3, 4).

OpenSSL 3.0 takes a Brainpool certificate only where that curve is the one group of the context, so a context has this
curve and no other; TLS 1.3 has no Brainpool there, and is left out. A party is its certificate's common name: there are
no host names on this WAN. A session, with whatever passes in it, ends after SESSION_MOST_S.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Final

from sim.core.refused import Refusal
from sim.pki.authority import Pair

SESSION_MOST_S: Final = 48 * 3_600
"""TR-03116-3, 4: then a full handshake."""
CURVE: Final = "brainpoolP256r1"
SUITES: Final = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256"


class WanError(Refusal):
    """A connection, or an answer, that is not to be had. `reason` is the stable code: "unreachable", "tls" (the
    handshake failed), "other party", "certificate" (it does not hold, with the clause), "refused" (the other side says
    no)."""


def tls_12(own: Pair, suites: str, curve: str, *, server: bool) -> ssl.SSLContext:
    """TLS 1.2 and no other, without renegotiation, compression and tickets; one curve ("" leaves OpenSSL's). Whom to
    believe is the caller's to say: a client believes nobody, a server asks nobody. Raises OSError, ValueError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.check_hostname = False
    made.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET
    made.set_ciphers(suites)
    if curve:
        made.set_ecdh_curve(curve)
    made.load_cert_chain(own.certificate, own.key)
    return made


def context(own: Pair, root: Path, *, server: bool, verify: bool = True) -> ssl.SSLContext:
    """`root`: PEM of the authority that both sides trust. `verify` False is the weakness that trusts anybody. Raises
    WanError (tls) where these files are none of this kind."""
    try:
        made = tls_12(own, SUITES, CURVE, server=server)
        made.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        made.load_verify_locations(root)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise WanError("tls", f"{own.certificate.name}: {error}") from None
    return made


def party(connection: ssl.SSLSocket) -> str:
    """Who is at the other end; "" where nobody was asked."""
    shown: Any = connection.getpeercert() or {}
    names = [value for part in shown.get("subject", ()) for key, value in part if key == "commonName"]
    return str(names[0]) if names else ""
