"""One socket of the companion's, with TLS or without, and what waits to be sent on it.

TLS works on memory: what the kernel has is read by one call, however many records it holds, and what is to go out is
written by one. An SSLSocket asks the kernel twice a record and once more to learn that there is none, and says so by
an exception; with a thousand gateways of one message each that is most of the work.
"""

from __future__ import annotations

import socket
import ssl
from typing import Final, Protocol

READ_BYTES: Final = 65_536
_AHEAD_BYTES: Final = 1 << 16  # encrypted and not taken by the kernel, before more is encrypted


class Owner(Protocol):
    """Whose side it is."""

    def turn(self, side: Side) -> None: ...
    def misc(self) -> None: ...


class Side:
    """`out`: what is to be sent, in clear. `tls`: None before a handshake's objects are there, and without TLS."""

    def __init__(self, client: Owner, one: socket.socket, context: ssl.SSLContext | None = None) -> None:
        """Raises OSError."""
        self.client, self.socket, self.fd = client, one, one.fileno()
        self.out = bytearray()
        self.mask = 0
        self.tls: ssl.SSLObject | None = None
        self._encrypted = bytearray()
        if context is not None:
            self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = context.wrap_bio(self._arrived, self._leaving, server_side=True)

    def ready(self, _mask: int) -> None:
        self.client.turn(self)

    def misc(self) -> None:
        self.client.misc()

    @property
    def waiting_bytes(self) -> int:
        """To be sent, encrypted or not."""
        return len(self.out) + len(self._encrypted)

    def handshake(self) -> bool:
        """One step of it; True when TLS is up. Raises OSError (SSLError where a certificate is refused) and ValueError,
        once what the client is told of it has been sent."""
        assert self.tls is not None
        try:
            data = self.socket.recv(READ_BYTES)
            if data:
                self._arrived.write(data)
            else:
                self._arrived.write_eof()
        except BlockingIOError:
            pass
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self.flush()
        return True

    def read(self) -> bytes | None:
        """What is there; None when the other end is gone."""
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return self._decrypted(ended=False) if self.tls is not None else b""
        except OSError:
            return None
        if self.tls is None:
            return data or None
        if data:
            self._arrived.write(data)
        return self._decrypted(ended=not data)

    def _decrypted(self, *, ended: bool) -> bytes | None:
        assert self.tls is not None
        parts: list[bytes] = []
        try:
            while self._arrived.pending or self.tls.pending():
                part = self.tls.read(READ_BYTES)
                if not part:
                    ended = True
                    break
                parts.append(part)
        except ssl.SSLWantReadError:
            pass
        except OSError:
            ended = True
        found = parts[0] if len(parts) == 1 else b"".join(parts)
        return found or (None if ended else b"")

    def flush(self) -> bool:
        """Send what can be sent; False when the other end is gone."""
        try:
            if self.tls is None:
                if self.out:
                    del self.out[: self.socket.send(self.out)]
                return True
            while self.out and len(self._encrypted) < _AHEAD_BYTES:
                del self.out[: self.tls.write(self.out)]
            if self._leaving.pending:
                self._encrypted += self._leaving.read()
            if self._encrypted:
                del self._encrypted[: self.socket.send(self._encrypted)]
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            return False
        return True
