"""A real Mosquitto configured well, and the same with one defect; the target that names its identities."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.broker.broker_target import Shown, Target
from sim.core import clock
from sim.endpoint.kinds.mosquitto import free_port
from sim.endpoint.port import Address
from sim.endpoint.supervised_process import SupervisedProcess
from sim.pki.authority import Authority, Pair
from tests.sim.endpoint.brokers import found_mosquitto

ACL = "pattern readwrite fence/%u\n"
PASSWORD = "correct horse battery staple"
SMALL = {"patience_s": 0.1, "flood": 200, "queue": 200, "connections": 40, "system_s": 2.5}


@dataclass
class Broker:
    """Its mosquitto.conf as settings, in order, and what clients are given."""

    folder: Path
    authority: Authority
    server: Pair
    settings: dict[str, str]
    acl: str = ACL
    port: int = 0
    passwords: bool = False
    users: dict[str, str] = field(default_factory=lambda: {"gw-1": PASSWORD, "gw-2": PASSWORD})
    more: dict[str, object] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "mosquitto.conf"

    def write(self) -> None:
        lines = [f"{key} {value}".rstrip() for key, value in self.settings.items()]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / "acl").write_text(self.acl, encoding="utf-8")
        users = "".join(f"{name}:{hashed(password)}\n" for name, password in self.users.items())
        (self.folder / "passwords").write_text(users, encoding="utf-8")

    def shown(self, name: str) -> Shown:
        if self.passwords:
            return Shown(name, user=name, password=PASSWORD)
        pair = self.authority.device(name)
        return Shown(name, pair.certificate, pair.key)

    def target(self) -> Target:
        made = {
            "authorities": None if "certfile" not in self.settings else self.authority.certificate,
            "revoked": None if self.passwords else self.shown("gw-3"), "config": self.config, **SMALL, **self.more,
        }  # fmt: skip
        where = Address("127.0.0.1", self.port)
        return Target(where, "localhost", self.shown("gw-1"), self.shown("gw-2"), **made)  # type: ignore[arg-type]


def well(folder: Path) -> Broker:
    """Every row passes, or has nothing to be tried with."""
    authority = Authority(folder / "pki")
    authority.device("gw-3")
    authority.revoke("gw-3")
    port = free_port(0)
    server = authority.server()
    return Broker(folder, authority, server, {
        "user": "root", "log_dest": "stderr", "log_type": "all", "persistence": "false", "sys_interval": "1",
        "message_size_limit": "131072", "max_queued_messages": "100", "max_inflight_messages": "20",
        "retain_available": "false", "allow_anonymous": "false", "acl_file": str(folder / "acl"),
        "listener": f"{port} 127.0.0.1", "cafile": str(authority.certificate), "certfile": str(server.certificate),
        "keyfile": str(server.key), "crlfile": str(authority.crl), "tls_version": "tlsv1.2",
        "require_certificate": "true", "use_identity_as_username": "true", "use_username_as_clientid": "true",
    }, port=port)  # fmt: skip


def by_passwords(broker: Broker) -> None:
    """The other common way: TLS without client certificates, names by password."""
    broker.passwords = True
    for key in ("require_certificate", "use_identity_as_username", "cafile", "crlfile"):
        del broker.settings[key]
    broker.settings["password_file"] = str(broker.folder / "passwords")


@contextlib.contextmanager
def running(folder: Path, change: Callable[[Broker], None] | None = None) -> Iterator[Broker]:
    found = found_mosquitto()
    folder.mkdir(parents=True, exist_ok=True)
    broker = well(folder)
    if change is not None:
        change(broker)
    broker.write()
    child = SupervisedProcess([str(found.program), "-c", str(broker.config)], found.environment, folder / "broker.log")
    try:
        end_s = clock.wall_s() + 30
        while clock.wall_s() < end_s and child.running and not _listens(broker.port):
            clock.wall_sleep(0.01)
        assert child.running and _listens(broker.port), (folder / "broker.log").read_text()
        broker.child = child  # type: ignore[attr-defined]
        yield broker
    finally:
        child.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def hashed(password: str) -> str:
    """As mosquitto_passwd writes it: PBKDF2 with SHA-512."""
    salt = b"wmbench salt"
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return f"$7$101${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def rsa_server(broker: Broker) -> None:
    """A server certificate with an RSA key, which suites without forward secrecy need; made by the program openssl."""
    folder = broker.folder
    key, request, made = folder / "rsa.key", folder / "rsa.csr", folder / "rsa.crt"
    (folder / "rsa.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="ascii")
    ca = broker.authority
    for command in (
        ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(request),
         "-subj", "/CN=x"],
        ["openssl", "x509", "-req", "-in", str(request), "-CA", str(ca.certificate),
         "-CAkey", str(ca.directory / "ca.key"), "-CAcreateserial", "-days", "30",
         "-extfile", str(folder / "rsa.ext"), "-out", str(made)],
    ):  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    broker.settings |= {"certfile": str(made), "keyfile": str(key)}
