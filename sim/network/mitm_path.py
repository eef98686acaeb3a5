"""A man in the middle on one gateway's path: which certificate is shown, and what passed.

Certificates that an attacker can have: one of a CA of its own; a genuine one of the right CA, but made out for another
host (any server of the operator has one); a genuine one for the right host that has expired (an old backup).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sim.core.vocabulary import SERVER_CERTIFICATES
from sim.endpoint.port import Address
from sim.network import tls_proxy
from sim.network.tls_proxy import Answer, TlsProxy
from sim.pki.authority import Authority, Pair

Alter = Callable[[bytes], bytes | None]
"""A bundle's bytes -> other bytes, or None to leave it as it is."""


class MitmPath:
    """Stands on the path from its making until `stop()`. With `alter` it relays to the real broker, and
    `alter(payload)` may return other bytes for a bundle, or None to leave it as it is. Without it, it plays the
    broker: that needs no client certificate, so only the gateway's own check stands against it; then `answer(topic,
    payload)` may say what the gateway gets for a message of its own. Raises EndpointError, ValueError for a certificate
    that cannot be had."""

    def __init__(
        self,
        authority: Authority,
        upstream: Address,
        directory: Path,
        certificate: str,
        alter: Alter | None,
        answer: Answer | None = None,
    ) -> None:
        self.relays = alter is not None
        pair = shown(authority, directory, certificate)
        onward = upstream if self.relays else None
        self._proxy = TlsProxy(pair, onward, alter=_per_topic(alter), answer=answer)
        self._proxy.start()
        self.address = self._proxy.address

    @property
    def connections(self) -> int:
        """Clients that dialled."""
        return len(self._proxy.connections)

    @property
    def accepted(self) -> int:
        """Clients that accepted the certificate."""
        return sum(connection.accepted for connection in self._proxy.connections)

    @property
    def answered(self) -> bool:
        """At least one client's handshake came to an end, one way or the other."""
        return any(connection.handshake != "under way" for connection in self._proxy.connections)

    @property
    def under_way(self) -> bool:
        """A client accepted the certificate, and the real broker has not answered yet. Never so where this plays the
        broker."""
        return any(c.accepted and c.open and c.upstream in ("", "accepted") for c in self._proxy.connections)

    @property
    def publishes(self) -> list[bytes]:
        """Bundles that passed in clear, as the gateway sent them."""
        return [seen.payload for seen in self._proxy.intercepted if seen.topic.endswith("/up")]

    @property
    def last_refusal(self) -> str:
        """Why the latest client broke the handshake off; empty when none did."""
        broken = [c.handshake for c in self._proxy.connections if not c.accepted and c.handshake != "under way"]
        return broken[-1] if broken else ""

    @property
    def last_upstream(self) -> str:
        """Why the real broker refused the connection; empty when it accepted it, or was never asked. On a busy machine
        the reset of a connection overtakes the alert that says why, so of several answers the latest that says it."""
        answers = [c.upstream for c in self._proxy.connections if c.upstream not in ("", "accepted", "played")]
        telling = [one for one in answers if "alert" in one] or answers
        return f"the broker refused the proxy: {telling[-1]}" if telling else ""

    def stop(self) -> None:
        self._proxy.stop()


def shown(authority: Authority, directory: Path, certificate: str) -> Pair:
    """The certificate of this name that an attacker shows; `directory` is for an authority of its own."""
    if certificate == "rogue CA":
        return Authority(directory, "an attacker's CA").server()
    if certificate == "wrong host name":
        return authority.server(("shop.example",), file_name="other-host")
    if certificate == "expired certificate":
        return authority.expired()
    raise ValueError(f"certificate {certificate!r} is not one of {', '.join(SERVER_CERTIFICATES)}")


def _per_topic(alter: Alter | None) -> tls_proxy.Alter | None:
    if alter is None:
        return None

    def altered(topic: str, payload: bytes) -> bytes:
        return (alter(payload) if topic.endswith("/up") else None) or payload

    return altered
