"""The certificate that the broker shows, whichever version tells it."""

from __future__ import annotations

import socket
import ssl

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import Undecided
from sim.endpoint.tls_connect import ConnectFailed, reason_of
from sim.endpoint.tls_hello import CannotOffer, offer
from sim.pki.authority import PkiError
from sim.pki.server_certificate import NO_CHECK_TIME, ServerCertificate, read


def shown_by(stand: BrokerStand) -> ServerCertificate:
    """Raises Undecided."""
    try:
        return read(_der(stand))
    except (PkiError, ConnectFailed) as error:
        raise Undecided(f"its certificate could not be read: {error}") from None


def _der(stand: BrokerStand) -> bytes:
    target = stand.target
    try:
        clear = offer(target.address, target.name, version="TLS 1.2", deadline_s=target.deadline_s)
        if clear.certificates:
            return clear.certificates[0]
    except CannotOffer:
        pass
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # TLS 1.3: the handshake is over before a client is refused
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((target.address.host, target.address.port), target.deadline_s) as plain,
            context.wrap_socket(plain, server_hostname=target.name) as encrypted,
        ):
            return encrypted.getpeercert(binary_form=True) or b""
    except (OSError, ValueError) as error:
        raise ConnectFailed(reason_of(error)) from None


def refusal(stand: BrokerStand, *, name: bool) -> str:
    """What a client says that checks its chain (`name`: and its name) against the authorities, in date or not; "" when
    it is content. What the broker does to a client without a certificate comes later, and is not asked. Raises
    Undecided."""
    target = stand.target
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = name
    context.verify_flags |= NO_CHECK_TIME
    try:
        context.load_verify_locations(target.authorities)
        with socket.create_connection((target.address.host, target.address.port), target.deadline_s) as plain:
            context.wrap_socket(plain, server_hostname=target.name).close()
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except ssl.SSLError:
        return ""  # the server's certificate had passed when it refused ours
    except (OSError, ValueError) as error:
        raise Undecided(f"no handshake with --ca {target.authorities}: {reason_of(error)}") from None
    return ""
