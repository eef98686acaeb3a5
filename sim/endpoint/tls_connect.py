"""One attempt to reach a server: TCP, then TLS, without ever blocking.

A dead port, a server that says nothing and a man in the middle that stops half way must cost the other clients of this
process nothing, so an attempt is a small state machine that the event loop steps when its socket is ready. What went
wrong comes out as one plain sentence, because it ends up in the history as the reason of a refused session.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import warnings

from sim.endpoint.port import Address, Identity

USER_TIMEOUT_MS = 5_000  # a silent network is noticed by the kernel after this, not after two keep-alives


class ConnectFailed(Exception):
    """The attempt is over; the message is the reason."""


def tls_context(identity: Identity, *, verify: bool, alpn: str = "") -> ssl.SSLContext | None:
    """What a device brings to the handshake; None when it has no certificates at all. TLS 1.2 is the least. `alpn`: the
    protocol it asks for by name. `verify=False` is the known weakness: the server is not checked, neither its chain nor
    its name."""
    if identity.certificate is None and identity.authorities is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if alpn:
        context.set_alpn_protocols([alpn])
    if verify:
        context.load_verify_locations(identity.authorities)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if identity.certificate is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    return context


def offered_at_most(address: Address, identity: Identity, most: ssl.TLSVersion, deadline_s: float = 5.0) -> str:
    """One handshake in which no more than this version is offered, with ciphers of any strength and the server's
    certificate believed: the version that was agreed on. Raises ConnectFailed with the reason."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of old versions, which are what is asked for
        context.minimum_version = min(ssl.TLSVersion.TLSv1, most)
        context.maximum_version = most
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    if identity.certificate is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    try:
        with (
            socket.create_connection((address.host, address.port), deadline_s) as plain,
            context.wrap_socket(plain, server_hostname=address.host) as encrypted,
        ):
            return encrypted.version() or ""
    except (OSError, ValueError) as error:
        raise ConnectFailed(reason_of(error)) from None


class TlsConnect:
    """Step it whenever its socket is ready for what `wants` says, until `done`."""

    def __init__(self, address: Address, context: ssl.SSLContext | None) -> None:
        self.done = False
        self.stage = "TCP"
        self.wants = select.EPOLLOUT
        self._address = address
        self._context = context
        try:
            family, kind, protocol, _, target = socket.getaddrinfo(
                address.host, address.port, socket.AF_INET, socket.SOCK_STREAM
            )[0]
            self.socket: socket.socket = socket.socket(family, kind, protocol)
        except OSError as error:
            raise ConnectFailed(f"{address.host}: {error.strerror or error}") from None
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        result = self.socket.connect_ex(target)
        if result not in (0, errno.EINPROGRESS):
            self.close()
            raise ConnectFailed(f"port {address.port}: {os.strerror(result)}")

    def step(self) -> None:
        """Go on as far as the socket allows. Raises ConnectFailed."""
        try:
            if self.stage == "TCP":
                self._finish_tcp()
            if self.stage == "TLS":
                assert isinstance(self.socket, ssl.SSLSocket)
                self.socket.do_handshake()
                self.done = True
        except ssl.SSLWantReadError:
            self.wants = select.EPOLLIN
        except ssl.SSLWantWriteError:
            self.wants = select.EPOLLOUT
        except (OSError, ValueError) as error:
            self.close()
            raise ConnectFailed(reason_of(error)) from None

    def _finish_tcp(self) -> None:
        failed = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            raise OSError(failed, os.strerror(failed))
        if self.socket.getsockname() == self.socket.getpeername():
            # Dialling a dead loopback port can hit itself (TCP simultaneous open), and would then keep the
            # broker from coming back on its own port.
            raise OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        if self._context is None:
            self.done = True
            return
        self.socket = self._context.wrap_socket(
            self.socket, server_hostname=self._address.host, do_handshake_on_connect=False
        )
        self.stage = "TLS"

    def close(self) -> None:
        self.socket.close()


def reason_of(error: Exception) -> str:
    """One plain sentence."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"server certificate refused: {error.verify_message}"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "closed by the server"
    if isinstance(error, ssl.SSLError):
        text = (getattr(error, "reason", None) or str(error)).replace("_", " ").lower()
        return f"TLS: {text.removeprefix('tlsv1 ').removeprefix('sslv3 ').removeprefix('tlsv13 ')}"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
