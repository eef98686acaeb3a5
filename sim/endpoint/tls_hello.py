"""What a server answers to one TLS greeting, read from its bytes: version, cipher suite, certificates, or its refusal.

A handshake's success says too little about a broker that asks for certificates: whoever has none is refused whatever
version and suite were agreed on, and with the same alert. The server's hello comes before that, in clear in every
version, and so do its certificates up to TLS 1.2 (RFC 5246, 7.4; RFC 8446, 4.1.3). The greeting itself is OpenSSL's.
"""

from __future__ import annotations

import socket
import ssl
import struct
import warnings
from dataclasses import dataclass
from typing import Final

from sim.core import clock
from sim.endpoint.port import Address
from sim.endpoint.tls_connect import ConnectFailed, reason_of

_ALERT, _HANDSHAKE = 21, 22
_SERVER_HELLO, _CERTIFICATE = 2, 11
_SUPPORTED_VERSIONS: Final = 43  # the extension in which TLS 1.3 names itself (RFC 8446, 4.2.1)
_MOST_BYTES: Final = 1 << 18
NAMES: Final = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
VERSIONS: Final = {
    "TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1, "TLS 1.2": ssl.TLSVersion.TLSv1_2,
    "TLS 1.3": ssl.TLSVersion.TLSv1_3,
}  # fmt: skip


class CannotOffer(Exception):
    """This machine's OpenSSL has no such version or suite, so it cannot ask for it."""


class NoTls(Exception):
    """What answers there is not TLS; the message says what it is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`version` and `suite` as agreed on, "" and 0 where the server refused: then `alert` is its code, None where it
    closed without one. `certificates`: DER, the server's own first; none under TLS 1.3, which encrypts them."""

    version: str
    suite: int
    alert: int | None
    certificates: tuple[bytes, ...]

    @property
    def agreed(self) -> bool:
        return bool(self.version)


def offer(address: Address, name: str, *, version: str = "", ciphers: str = "", deadline_s: float = 5.0) -> Answer:
    """One greeting that offers this version alone (else all that there are) and these cipher suites, as OpenSSL names
    them (TLS 1.2 and before). `name`: the server asked for. Raises CannotOffer, NoTls, and ConnectFailed where nobody
    answers."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = _context(version, ciphers).wrap_bio(incoming, outgoing, server_hostname=name)
    came, sent, ended = b"", False, False
    end_s = clock.wall_s() + deadline_s
    try:
        with socket.create_connection((address.host, address.port), deadline_s) as plain:
            while not ended and clock.wall_s() < end_s:
                ended = _step(client, sent, f"{version or 'TLS'} with {ciphers or 'any suite'}")
                if data := outgoing.read():
                    plain.sendall(data)
                    sent = True
                if not ended:
                    plain.settimeout(max(0.01, end_s - clock.wall_s()))
                    piece = plain.recv(1 << 16)
                    came += piece
                    incoming.write(piece)
                    ended = not piece or len(came) > _MOST_BYTES
    except TimeoutError:
        if not came:
            raise ConnectFailed(f"it took the connection and said nothing within {deadline_s:g} s") from None
    except OSError as error:
        if not sent:
            raise ConnectFailed(reason_of(error)) from None
    if came and not _looks_like_tls(came):
        raise NoTls(f"it answered a TLS greeting with {came[:16].hex(' ')}")
    return _read(came)


def _step(client: ssl.SSLObject, sent: bool, what: str) -> bool:
    """As far as what came allows; whether the handshake is over, one way or the other. Raises CannotOffer."""
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError as error:
        if not sent:
            raise CannotOffer(f"{what}: {reason_of(error)}") from None
    return True


def _context(version: str, ciphers: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of old versions, which are what is asked for
            if version:
                context.minimum_version = context.maximum_version = VERSIONS[version]
            context.set_ciphers(f"{ciphers or 'ALL:COMPLEMENTOFALL'}:@SECLEVEL=0")
    except (ssl.SSLError, ValueError) as error:
        raise CannotOffer(f"{version or 'TLS'} with {ciphers or 'any suite'}: {reason_of(error)}") from None
    return context


def _looks_like_tls(came: bytes) -> bool:
    return len(came) >= 3 and came[0] in (_ALERT, _HANDSHAKE) and came[1] == 3


def _read(came: bytes) -> Answer:
    """Records of alerts and of the handshake in clear; reading ends where encryption begins."""
    at, handshake = 0, b""
    alert: int | None = None
    while at + 5 <= len(came):
        kind, length = came[at], struct.unpack_from("!H", came, at + 3)[0]
        body = came[at + 5 : at + 5 + length]
        if kind == _ALERT and len(body) == 2:
            alert = body[1]
        elif kind == _HANDSHAKE:
            handshake += body
        else:
            break
        at += 5 + length
    version, suite, at = "", 0, 0
    certificates: tuple[bytes, ...] = ()
    while at + 4 <= len(handshake):
        length = int.from_bytes(handshake[at + 1 : at + 4], "big")
        body = handshake[at + 4 : at + 4 + length]
        try:
            if handshake[at] == _SERVER_HELLO and not version:
                version, suite = _server_hello(body)
            elif handshake[at] == _CERTIFICATE:
                certificates = _certificates(body)
        except (IndexError, struct.error):
            raise NoTls("its answer to a TLS greeting ends in the middle of a message") from None
        at += 4 + length
    return Answer(version, suite, None if version else alert, certificates)


def _server_hello(body: bytes) -> tuple[str, int]:
    number = struct.unpack_from("!H", body, 0)[0]
    at = 35 + body[34]
    suite = struct.unpack_from("!H", body, at)[0]
    at += 3
    if at + 2 <= len(body):
        end = at + 2 + struct.unpack_from("!H", body, at)[0]
        at += 2
        while at + 4 <= end:
            kind, length = struct.unpack_from("!HH", body, at)
            if kind == _SUPPORTED_VERSIONS:
                number = struct.unpack_from("!H", body, at + 4)[0]
            at += 4 + length
    return NAMES.get(number, f"version {number:#06x}"), suite


def _certificates(body: bytes) -> tuple[bytes, ...]:
    found, at, end = [], 3, 3 + int.from_bytes(body[:3], "big")
    while at + 3 <= min(end, len(body)):
        length = int.from_bytes(body[at : at + 3], "big")
        found.append(body[at + 3 : at + 3 + length])
        at += 3 + length
    return tuple(found)
