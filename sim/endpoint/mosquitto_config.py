"""Mosquitto's configuration, as text. Pure: no process, no file.

The honest fleet's rules: TLS 1.2 (`least_tls`) or better on the loopback (or the address that a desk names), a
certificate from our authority that is not revoked, the certificate's common name is the user and (bind_client_id) the
client id, and a device writes and reads its own topics only. Each line a weak world leaves out is a switch.

`max_queued_messages 0` would make Mosquitto disconnect on a denied publish, which it otherwise acknowledges and drops:
an accident we do not want, so queues are merely large.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from sim.pki.authority import Pair

QUEUED_MESSAGES = 1_000_000
INFLIGHT_MESSAGES = 10_000  # below the 65 535 packet identifiers


Revocation = Literal["none", "list", "list and restart"]
LeastTls = Literal["1.1", "1.2", "1.3"]


class Switches(Protocol):
    """Which rules hold (see kinds.mosquitto.MosquittoSpec)."""

    @property
    def max_message_bytes(self) -> int: ...
    @property
    def bind_client_id(self) -> bool: ...
    @property
    def per_device_acl(self) -> bool: ...
    @property
    def require_certificate(self) -> bool: ...
    @property
    def tls(self) -> bool: ...
    @property
    def queued_messages(self) -> int: ...
    @property
    def revocation(self) -> Revocation: ...
    @property
    def least_tls(self) -> LeastTls: ...
    @property
    def retained(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Files:
    """Where the broker finds what it needs, and where it keeps its state."""

    directory: Path
    authorities: Path
    crl: Path
    server: Pair
    user: str  # whom Mosquitto changes to when started as root: us, since no other user can read our files

    @property
    def config(self) -> Path:
        return self.directory / "mosquitto.conf"

    @property
    def acl(self) -> Path:
        return self.directory / "acl"

    @property
    def log(self) -> Path:
        return self.directory / "broker.log"


def behind(switches: Switches, files: Files, place: str) -> str:
    """mosquitto.conf of a broker that only a companion reaches, on a Unix socket in its working directory: no TLS, no
    names, no access list, for all that the companion does."""
    return (
        "\n".join(
            [
                *_common(switches, files),
                f"listener 0 {place}",
                "allow_anonymous true",
                "persistent_client_expiration 1h",
            ]
        )
        + "\n"
    )


def config(switches: Switches, files: Files, port: int, address: str = "127.0.0.1", *, refusing: bool = False) -> str:
    """mosquitto.conf. QoS 1 state is written each second: what SIGKILL takes is at most that. `refusing`: certificates
    are asked for as ever, names are looked for in a list of users that is not there, and nobody is anonymous."""
    lines = [*_common(switches, files), f"listener {port} {address}", "max_connections -1"]
    if switches.tls:
        lines += [
            f"cafile {files.authorities}",
            f"certfile {files.server.certificate}",
            f"keyfile {files.server.key}",
            f"tls_version tlsv{switches.least_tls}",
            *(["ciphers DEFAULT@SECLEVEL=0"] if switches.least_tls == "1.1" else []),  # else OpenSSL 3 refuses it
            *([] if switches.revocation == "none" else [f"crlfile {files.crl}"]),
        ]
    if refusing:
        lines += [*(["require_certificate true"] if switches.tls and switches.require_certificate else [])]
        lines.append("allow_anonymous false")
    elif switches.tls and switches.require_certificate:
        lines += ["require_certificate true", "use_identity_as_username true", "allow_anonymous false"]
        if switches.bind_client_id:
            lines.append("use_username_as_clientid true")
    else:
        # Then Mosquitto cannot take the name from a certificate: the user name is whatever the client claims.
        lines += [*(["require_certificate false"] if switches.tls else []), "allow_anonymous true"]
    if switches.per_device_acl:
        lines.append(f"acl_file {files.acl}")
    return "\n".join(lines) + "\n"


def _common(switches: Switches, files: Files) -> list[str]:
    return [
        "per_listener_settings false",
        f"user {files.user}",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_type information",
        "log_timestamp_format %Y-%m-%dT%H:%M:%S",
        "persistence true",
        f"persistence_location {files.directory}/",
        "autosave_interval 1",
        f"message_size_limit {switches.max_message_bytes}",
        f"max_inflight_messages {INFLIGHT_MESSAGES}",
        f"max_queued_messages {switches.queued_messages}",
        "max_queued_bytes 0",
        "set_tcp_nodelay true",
        *([] if switches.retained else ["retain_available false"]),
    ]
