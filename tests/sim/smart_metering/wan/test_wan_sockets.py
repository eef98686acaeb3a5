"""The WAN on real sockets: administrator and participant as programs of their own, a gateway's container through both,
and whoever has no business there."""

from __future__ import annotations

import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from sim.core.clock import wall_now, wall_s, wall_sleep
from sim.core.seeds import Seeds
from sim.pki.authority import Pair
from sim.pki.party_certificates import PartyRoot, as_der
from sim.pki.sealed_content import Receiver, seal
from sim.pki.signed_content import sign_by
from sim.pki.slot_keys import verifies
from sim.smart_metering.wan import answers, tls
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.server import Reply, WanServer
from sim.smart_metering.wan.tls import WanError
from sim.smart_metering.wan.waker import Waker
from sim.smgw.delivered_content import Delivery, Value
from sim.smgw.module.in_world import InWorldModule, draws
from sim.smgw.wake_up import WakeUps, encode

ROOT = Path(__file__).resolve().parents[4]
VALUE = Value(2, "QDS 10000001 36 08", "4-0:1.0.1*255", 1, 1_767_214_800, 1_767_218_400, Decimal(7))


class Parties(NamedTuple):
    folder: Path
    root: PartyRoot
    receiver: Receiver
    module: InWorldModule

    def tls_of(self, name: str) -> Pair:
        return Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")

    def context(self, name: str) -> ssl.SSLContext:
        return tls.context(self.tls_of(name), self.folder / "root.crt", server=False)

    def container(self, amount: int = 7) -> bytes:
        signer = self.root.certify("gw-0001.SMGW", self.module.make_key("SIG"), "SIG")
        (self.folder / "signers").mkdir(exist_ok=True)
        (self.folder / "signers" / "gw-0001.crt").write_bytes(as_der(signer))
        delivery = Delivery("gw-0001", "supplier", 1, (VALUE._replace(amount=Decimal(amount)),))
        sealed = seal(delivery.encode(), self.receiver.certificate, draw=self.module.random)
        return sign_by(sealed, signer, lambda body: self.module.sign("SIG", body), wall_now())


def parties(folder: Path, seed: int = 1) -> Parties:
    folder.mkdir(exist_ok=True)
    seeds = Seeds(seed)
    root = PartyRoot("SM-Test-Root.CA", draws(seeds, "root", "draws"), wall_now() - timedelta(days=1))
    root.write(folder / "root.crt")
    receiver = root.receiver("supplier.EMT", draws(seeds, "supplier", "ENC"))
    root.receiver_files(receiver, folder)
    for name in (answers.ADMINISTRATOR, "supplier.EMT", "gw-0001.SMGW", "gw-0002.SMGW"):
        root.tls_pair(name, folder, draws(seeds, name, "TLS"))
    return Parties(folder, root, receiver, InWorldModule(seeds, "gw-0001"))


@contextmanager
def program(*words: str) -> Iterator[int]:
    """A server of its own process; its port."""
    command = [sys.executable, "-m", "sim.smart_metering.wan.serve", *words]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(30)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Parties:
    return parties(tmp_path_factory.mktemp("wan"))


def test_a_container_passes_through_two_programs_and_is_read_by_the_last(known: Parties) -> None:
    container = known.container()
    with (
        program("participant", str(known.folder)) as supplier,
        program("administrator", str(known.folder), "--participant", str(supplier)) as administrator,
    ):
        with WanClient(known.context("gw-0001.SMGW"), administrator, answers.ADMINISTRATOR) as gateway:
            assert gateway.agreed[0] == "TLSv1.2" and gateway.agreed[1] in tls.SUITES
            assert gateway.ask("POST", "/supplier.sm/delivery", container) == b""
            at = gateway.ask("GET", "/gw-0001.sm/clock").decode()
            assert at.startswith("20")
            with pytest.raises(WanError, match="403 that is another gateway's"):
                gateway.ask("GET", "/gw-0002.sm/clock")
            with pytest.raises(WanError, match="502"):
                gateway.ask("POST", "/nobody.sm/delivery", container)
        with (
            WanClient(known.context("gw-0001.SMGW"), supplier, "supplier.EMT") as past,
            pytest.raises(WanError, match="403 the administrator alone"),
        ):
            past.ask("POST", "/gw-0001.sm/delivery", container)
        with pytest.raises(WanError, match=r"other party: .* was called, and supplier"):
            WanClient(known.context("gw-0001.SMGW"), supplier, answers.ADMINISTRATOR)
    stored = sqlite3.connect(known.folder / "store" / "values.sqlite")
    assert stored.execute("SELECT gateway, meter, amount FROM delivered").fetchall() == [
        ("gw-0001", "QDS 10000001 36 08", "7")
    ]
    stored.close()


@contextmanager
def serving(known: Parties) -> Iterator[WanServer]:
    made = tls.context(known.tls_of(answers.ADMINISTRATOR), known.folder / "root.crt", server=True)
    server = WanServer(made, lambda party, method, path, body: Reply(200, party.encode()))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_strangers_get_no_session(known: Parties, tmp_path: Path) -> None:
    rogue = parties(tmp_path / "rogue", seed=2)
    with serving(known) as server:
        trusting = tls.context(rogue.tls_of("gw-0001.SMGW"), known.folder / "root.crt", server=False)
        with pytest.raises(WanError, match=r"tls|unreachable"):  # its certificate is of another root
            WanClient(trusting, server.port, "").ask("GET", "/")
        with pytest.raises(WanError, match="CERTIFICATE_VERIFY_FAILED"):  # it does not trust the server
            WanClient(rogue.context("gw-0001.SMGW"), server.port, "")
        for change in (
            lambda c: setattr(c, "minimum_version", ssl.TLSVersion.TLSv1_3),
            lambda c: c.set_ecdh_curve("prime256v1"),
        ):
            context = known.context("gw-0001.SMGW")
            context.maximum_version = ssl.TLSVersion.TLSv1_3
            change(context)
            with pytest.raises(WanError, match="tls"):
                WanClient(context, server.port, "")
        with socket.create_connection(("127.0.0.1", server.port), 5) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with WanClient(known.context("gw-0002.SMGW"), server.port, answers.ADMINISTRATOR) as client:
            assert client.ask("GET", "/") == b"gw-0002.SMGW", "and it still serves who belongs there"


def test_a_session_ends(known: Parties) -> None:
    with serving(known) as server:
        server.session_most_s = 0.0
        with WanClient(known.context("gw-0001.SMGW"), server.port, "") as client:
            client.ask("GET", "/")
            client.ask("GET", "/")  # http.client dials again: a new handshake
            server.session_most_s = tls.SESSION_MOST_S


def test_the_wake_up_port_stays_silent(known: Parties) -> None:
    module = InWorldModule(Seeds(5), "administrator")
    public = module.make_key("SIG")
    called: list[int] = []
    now_s = 1_767_222_000
    judge = WakeUps("gw-0001", lambda body, signature: verifies(public, body, signature))
    waker = Waker(judge, lambda: now_s, lambda: called.append(1))
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside:
            outside.settimeout(0.2)
            outside.connect(("127.0.0.1", waker.port))
            good = encode("gw-0001", now_s, bytes(8), lambda body: module.sign("SIG", body))
            for packet in (b"scan", good[:20], good, good, bytes(2_000)):
                outside.send(packet)
            until_s = wall_s() + 20
            while sum(waker.counts.values()) < 5 and wall_s() < until_s:
                wall_sleep(0.02)
            with pytest.raises(TimeoutError):
                outside.recv(10)
    finally:
        waker.stop()
    assert called == [1]
    assert waker.counts == {"header": 3, "woken": 1, "seen": 1}
