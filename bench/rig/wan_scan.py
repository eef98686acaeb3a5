"""A smart meter gateway's WAN side as a program, alone in a network namespace with its administrator, its supplier and
whoever scans it: every TCP port, every UDP port.

    python -m bench.rig.wan_scan FOLDER

runs inside the namespace and prints one line of JSON; `scanned` makes the namespace and reads it.
"""

from __future__ import annotations

import fcntl
import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.smgw.wan_program import wan_program
from sim.core.clock import unix_ns, wall_now
from sim.core.seeds import Seeds
from sim.pki.party_certificates import ADMINISTRATOR, PartyRoot, as_der, drawn_slot_key
from sim.pki.sealed_content import seal
from sim.pki.signed_content import sign_by
from sim.smgw.delivered_content import Delivery
from sim.smgw.module.in_world import InWorldModule, draws
from sim.smgw.wake_up import NONCE_BYTES, encode

GATEWAY: Final = "127.0.0.2"
"""Its address; everybody else is on 127.0.0.1."""
_ID: Final = "gw-0001"
PORTS: Final = range(1, 65_536)
_ROOT: Final = Path(__file__).resolve().parents[2]
_UP, _GET_FLAGS, _SET_FLAGS = 1, 0x8913, 0x8914  # of an interface (netdevice(7))


class NoNamespace(Exception):
    """This machine lets nobody make a network namespace; the message says what it said."""


class Scan(NamedTuple):
    """Ports of one address: TCP that let somebody in, UDP that answered, UDP behind which somebody listens."""

    tcp_open: list[int]
    udp_answered: list[int]
    udp_silent: list[int]


def scanned(folder: Path) -> dict[str, Any]:
    """What `main` found. Raises NoNamespace."""
    words = ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-m", "bench.rig.wan_scan", str(folder)]
    try:
        done = subprocess.run(words, cwd=_ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoNamespace("there is no unshare") from None
    if "unshare" in done.stderr:
        raise NoNamespace(done.stderr.strip())
    if done.returncode:
        raise RuntimeError(done.stderr[-2_000:])
    return dict(json.loads(done.stdout))


def scan(address: str, ports: Iterable[int] = PORTS) -> Scan:
    """Every one of these ports of an address on this machine, where what is closed says so at once."""
    ports = list(ports)
    tcp = [port for port in ports if _connects(address, port)]
    asked = {port: _asked(address, port) for port in ports}
    return Scan(tcp, [p for p, said in asked.items() if said], [p for p, said in asked.items() if said == b""])


def _connects(address: str, port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1.0)
        return one.connect_ex((address, port)) == 0


def _asked(address: str, port: int) -> bytes | None:
    """What is said to a datagram; None: nobody listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setblocking(False)
        one.connect((address, port))
        one.send(b"\x00scan")
        try:
            return one.recv(64)
        except ConnectionRefusedError:
            return None
        except BlockingIOError:
            return b""


# --- inside the namespace ---------------------------------------------------------------------------------------------


def main(words: list[str]) -> int:
    """Set everything up, scan, and see that the gateway still does its work."""
    folder = Path(words[0])
    _loopback_up()
    wake = _files(folder)
    with (
        wan_program("serve", "participant", str(folder)) as supplier,
        wan_program("serve", "administrator", str(folder), "--participant", str(supplier.port)) as administrator,
        wan_program(
            "dial", str(folder), _ID, "--administrator", str(administrator.port), "--address", GATEWAY
        ) as gateway,
    ):
        first = gateway.line()
        found = scan(GATEWAY)
        port = gateway.port
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside:
            outside.settimeout(0.3)
            outside.connect((GATEWAY, port))
            (folder / "outbox" / "supplier" / "2.cms").write_bytes(wake.container(2))
            outside.send(wake.datagram())
            woken = gateway.line()
            try:
                answer = outside.recv(64).hex()
            except TimeoutError:
                answer = ""
        with socket.socket() as door, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as voice:
            door.bind((GATEWAY, 0))
            door.listen()
            voice.bind((GATEWAY, 0))
            doors = [door.getsockname()[1], voice.getsockname()[1]]
            near = {port for one in (*doors, port) for port in range(one - 100, one + 100)}
            control = scan(GATEWAY, sorted(near & set(PORTS)))
    print(json.dumps({
        "port": port, "first": first, "woken": woken, "answer": answer, "found": found._asdict(),
        "control": control._asdict(), "doors": doors,
    }))  # fmt: skip
    return 0


class _Wake:
    """The administrator's key, and containers of the gateway's."""

    def __init__(self, folder: Path) -> None:
        seeds = Seeds(1)
        self._module = InWorldModule(seeds, _ID)
        root = PartyRoot("SM-Test-Root.CA", draws(seeds, "root", "draws"), wall_now() - timedelta(days=1))
        root.write(folder / "root.crt")
        self._receiver = root.receiver("supplier.EMT", draws(seeds, "supplier", "ENC"))
        root.receiver_files(self._receiver, folder)
        for name in (ADMINISTRATOR, "supplier.EMT", f"{_ID}.SMGW"):
            root.tls_pair(name, folder, draws(seeds, name, "TLS"))
        self._key = drawn_slot_key(draws(seeds, "administrator", "SIG"))
        (folder / "administrator.crt").write_bytes(as_der(root.certify(ADMINISTRATOR, self._key.public, "SIG")))
        self._signer = root.certify(f"{_ID}.SMGW", self._module.make_key("SIG"), "SIG")
        (folder / "signers").mkdir()
        (folder / "signers" / f"{_ID}.crt").write_bytes(as_der(self._signer))
        self._draw = draws(seeds, "administrator", "calls")

    def container(self, number: int) -> bytes:
        sealed = seal(Delivery(_ID, "supplier", number, ()).encode(), self._receiver.certificate)
        at = wall_now() + timedelta(seconds=number)
        return sign_by(sealed, self._signer, lambda body: self._module.sign("SIG", body), at)

    def datagram(self) -> bytes:
        return encode(_ID, unix_ns() // 10**9, self._draw(NONCE_BYTES), self._key.sign)


def _files(folder: Path) -> _Wake:
    folder.mkdir(parents=True, exist_ok=True)
    made = _Wake(folder)
    (folder / "outbox" / "supplier").mkdir(parents=True)
    (folder / "outbox" / "supplier" / "1.cms").write_bytes(made.container(1))
    return made


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_:
        asked = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_, _GET_FLAGS, asked))[1]
        fcntl.ioctl(any_, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
