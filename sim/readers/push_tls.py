"""TLS of a server that gateways push to: what it shows, whom it lets in, and why a handshake failed, in one sentence.

The server's certificate is of the desk's authority, whose ca.crt the box is given (`gateway enrol`). With `tls =
"both"` the box shows one too, its own of the same authority, and one that was revoked is refused.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from sim.pki.authority import Authority, PkiError
from sim.readers.port import ReaderError

HANDSHAKE_S = 10.0
_REMEDIES = {
    "certificate verify failed": "its certificate has expired, was revoked, or is of another authority; enrol it again",
    "certificate has expired": "its certificate has expired; enrol it again",
    "certificate revoked": "its certificate was revoked; enrol it again",
    "self-signed certificate": "its certificate is of another authority; give it the one of `gateway enrol`",
    "unable to get local issuer certificate": "its certificate is of another authority; give it the one of "
    "`gateway enrol`",
    "peer did not return a certificate": "it showed no certificate; give it the one of `gateway enrol`",
    "http request": "it speaks in clear to a port of TLS; set https in it, or no TLS in the inventory",
    "wrong version number": "it speaks in clear to a port of TLS; set TLS in it, or no TLS in the inventory",
    "unknown ca": "it does not trust our authority; give it the ca.crt of `gateway enrol`",
    "bad certificate": "it refused our certificate; give it the ca.crt of `gateway enrol`, and dial it by the name "
    "that is in the inventory's hostname",
    "certificate unknown": "it refused our certificate; give it the ca.crt of `gateway enrol`, and dial it by the name "
    "that is in the inventory's hostname",
    "certificate expired": "it takes our certificate for expired; see that its clock is right",
    "unsupported protocol": "it speaks no TLS 1.2 or better",
}
"""What OpenSSL calls it -> what to do."""


def context(folder: Path, hostname: str, *, both: bool) -> ssl.SSLContext:
    """`folder`: where the desk's authority stays. Raises ReaderError."""
    try:
        authority = Authority(folder)
        names = tuple(dict.fromkeys((hostname, "localhost", "127.0.0.1")))
        pair = authority.server(names, file_name="push-server")
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.load_cert_chain(pair.certificate, pair.key)
        if both:
            made.verify_mode = ssl.CERT_REQUIRED
            made.load_verify_locations(authority.certificate)
            made.load_verify_locations(authority.crl)
            made.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    except PkiError as error:
        raise ReaderError(str(error)) from None
    except (OSError, ValueError) as error:
        raise ReaderError(f"{folder}: {error}; make the folder anew, and enrol the box again") from None
    return made


def why(error: Exception, host: str) -> str:
    """One sentence on a client that got no session."""
    if isinstance(error, ssl.SSLCertVerificationError):
        text = error.verify_message
    elif isinstance(error, ssl.SSLError):
        text = (error.reason or str(error)).replace("_", " ").lower()
    elif isinstance(error, TimeoutError):
        text = f"it did not finish its handshake within {HANDSHAKE_S:g} s"
    else:
        text = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
    return f"a client at {host} got no TLS session: {remedy(text) or text}"


def remedy(text: str) -> str:
    """What to do about an error, by OpenSSL's words for it, which others repeat; "" where it is none of these."""
    return next((words for known, words in _REMEDIES.items() if known in text), "")
