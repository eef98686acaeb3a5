"""What is given of a broker: its address, what its clients show, and how far a test may go.

Only an address of this machine is tried without more; a private one needs the word that it is one's own, and a public
one is refused. The name is looked up once, and every connection goes to the address that was found.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bench import named_files
from bench.run_errors import CannotRun
from sim.core.quoting import named
from sim.endpoint.port import FENCE, Address
from sim.pki import server_certificate

Broker = Literal["mosquitto", "aws", "other"]
PASSWORD_MOST_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client shows of itself: a certificate with its key, a user name with its password, or neither."""

    client_id: str
    certificate: Path | None = None
    key: Path | None = None
    user: str | None = None
    password: str | None = None

    @property
    def anonymous(self) -> bool:
        return self.certificate is None and self.user is None


@dataclass(frozen=True, slots=True)
class Target:
    """`name`: what its certificate is to say. `topic`: one that a client may write and read, {client} is its id.
    `revoke`: the command that takes the second identity back. `broker`: what it is, where that is known. `config`: its
    mosquitto.conf. `flood`: messages that one row sends at most; `queue`: so many may wait for a client that does not
    take them; `system_s`: how long it may take to tell of itself; `largest_bytes`: no message above may pass;
    `connections`: that are held open without a word."""

    address: Address
    name: str
    first: Shown
    second: Shown | None = None
    revoked: Shown | None = None
    authorities: Path | None = None
    topic: str = FENCE
    revoke: tuple[str, ...] = ()
    broker: Broker | None = None
    config: Path | None = None
    deadline_s: float = 5.0
    patience_s: float = 1.0
    system_s: float = 12.0
    flood: int = 1_500
    queue: int = 1_000
    largest_bytes: int = 131_072
    connections: int = 200

    @property
    def words(self) -> str:
        host = f"[{self.address.host}]" if ":" in self.address.host else self.address.host
        return f"{host}:{self.address.port}"


def found_address(host: str, port: int, *, own: bool) -> Address:
    """The one address that all connections go to. Raises CannotRun for one that may not be tried, and for a name that
    nobody knows."""
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise CannotRun(
            f"{named(host)}: {getattr(error, 'strerror', None) or error}; name a host that is known"
        ) from None
    addresses = sorted({str(row[4][0]) for row in rows}, key=lambda one: (":" in one, one))
    for address in addresses:
        if (why := refusal(address, own=own)) is not None:
            raise CannotRun(f"{named(host)} is {address}: {why}")
    return Address(addresses[0], port)


def refusal(address: str, *, own: bool) -> str | None:
    """Why this address is not tried; None when it is."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_loopback:
        return None
    # is_private holds for networks of documentation and for unspecified addresses too, where nobody's broker is.
    if any(ip in network for network in _PRIVATE if network.version == ip.version):
        return None if own else "not this machine; where what runs there is yours, say so with --i-own-this"
    return "not this machine and no private network; what others share is not attacked"


_PRIVATE: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)


def shown_by(
    certificate: Path | None, key: Path | None, user: str | None, password_file: Path | None, client_id: str | None,
    *, role: str, otherwise: str,
) -> Shown:  # fmt: skip
    """One identity of the options. `otherwise`: the client id where nothing names one. Raises CannotRun, PkiError."""
    if (certificate is None) != (key is None):
        raise CannotRun(f"the {role} identity has a certificate without a key, or a key without a certificate")
    if password_file is not None and user is None:
        raise CannotRun(f"the {role} identity has a password without a user name")
    for path in (certificate, key):
        if path is not None and not os.access(path, os.R_OK):
            raise CannotRun(f"{path}: cannot be read; name the {role} identity's PEM file")
    name = client_id or user
    if certificate is not None and not name:
        name = server_certificate.common_name(certificate)
    password = _password(password_file) if password_file is not None else None
    return Shown(name or otherwise, certificate, key, user, password)


def _password(path: Path) -> str:
    otherwise = "name a file whose first line is the password"
    text = named_files.read(path, PASSWORD_MOST_BYTES, otherwise)
    try:
        return text.decode().split("\n")[0].rstrip("\r")
    except UnicodeDecodeError as error:
        raise CannotRun(f"{path}, byte {error.start}: not UTF-8; {otherwise}") from None
