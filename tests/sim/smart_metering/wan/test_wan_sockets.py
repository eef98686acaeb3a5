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

from bench.smgw.wan_program import wan_program
from sim.core.clock import unix_ns, wall_now, wall_s, wall_sleep
from sim.core.seeds import Seeds
from sim.pki import sm_keys
from sim.pki.authority import Pair, PkiError
from sim.pki.party_certificates import PartyRoot, as_der
from sim.pki.sealed_content import Receiver, seal
from sim.pki.signed_content import sign_by
from sim.pki.slot_keys import verifies
from sim.smart_metering.participant import Participant
from sim.smart_metering.wan import answers, tls
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.guard import Guard
from sim.smart_metering.wan.http_messages import Reply
from sim.smart_metering.wan.server import WanServer
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


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Parties:
    return parties(tmp_path_factory.mktemp("wan"))


def test_a_container_passes_through_two_programs_and_is_read_by_the_last(known: Parties) -> None:
    container = known.container()
    with (
        wan_program("serve", "participant", str(known.folder)) as supplier,
        wan_program(
            "serve", "administrator", str(known.folder), "--participant", str(supplier.port)
        ) as administrator,
    ):
        guard = Guard(known.folder)
        with WanClient(known.context("gw-0001.SMGW"), administrator.port, answers.ADMINISTRATOR, guard) as gateway:
            assert gateway.agreed[0] == "TLSv1.2" and gateway.agreed[1] in tls.SUITES
            assert gateway.ask("POST", "/supplier.sm/delivery", container) == b""
            at = gateway.ask("GET", "/gw-0001.sm/clock").decode()
            assert at.startswith("20")
            with pytest.raises(WanError, match="403 that is another gateway's"):
                gateway.ask("GET", "/gw-0002.sm/clock")
            with pytest.raises(WanError, match="502"):
                gateway.ask("POST", "/nobody.sm/delivery", container)
        with (
            WanClient(known.context("gw-0001.SMGW"), supplier.port, "supplier.EMT") as past,
            pytest.raises(WanError, match="403 the administrator alone"),
        ):
            past.ask("POST", "/gw-0001.sm/delivery", container)
        with pytest.raises(WanError, match=r"other party: .* was called, and supplier"):
            WanClient(known.context("gw-0001.SMGW"), supplier.port, answers.ADMINISTRATOR)
    stored = sqlite3.connect(known.folder / "store" / "values.sqlite")
    assert stored.execute("SELECT gateway, meter, amount FROM delivered").fetchall() == [
        ("gw-0001", "QDS 10000001 36 08", "7")
    ]
    stored.close()


@contextmanager
def serving(known: Parties, guard: Guard | None = None) -> Iterator[WanServer]:
    made = tls.context(known.tls_of(answers.ADMINISTRATOR), known.folder / "root.crt", server=True)
    server = WanServer(made, lambda party, method, path, body: Reply(200, party.encode()), guard=guard)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("serve", "administrator"), "administrator.GWA.crt"), (("serve", "participant"), "ENC.crt"),
        (("dial", "gw-1", "--administrator", "1"), "gw-1.SMGW.crt"),
    ],
)  # fmt: skip
def test_a_folder_without_its_files_ends_a_program_with_one_sentence(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    which, *rest = words
    at = 1 if which == "serve" else 0
    command = [sys.executable, "-m", f"sim.smart_metering.wan.{which}", *rest[:at], str(tmp_path), *rest[at:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (2, "")
    last = done.stderr.splitlines()[-1]
    assert said in last and "it is to have the files" in last and "Traceback" not in done.stderr


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
            client.ask("GET", "/")
            assert client.sessions == 2, "the second question has a handshake of its own"
            server.session_most_s = tls.SESSION_MOST_S


def test_a_certificate_that_was_taken_back_ends_with_its_session(tmp_path: Path) -> None:
    """The live session goes on, since a certificate is looked at when one begins; the next one is told the clause."""
    own = parties(tmp_path / "own", seed=3)
    guard = Guard(own.folder)
    with serving(own, guard) as server, WanClient(own.context("gw-0001.SMGW"), server.port, "", guard) as client:
        assert client.ask("GET", "/") == b"gw-0001.SMGW"
        gone = sm_keys.certificate((own.folder / "gw-0001.SMGW.crt").read_bytes())
        own.root.authority.take_back(gone, wall_now())
        own.root.publish(wall_now())
        own.root.write_lists(own.folder)
        assert client.ask("GET", "/") == b"gw-0001.SMGW"
        server.session_most_s = 0.0
        with WanClient(own.context("gw-0002.SMGW"), server.port, answers.ADMINISTRATOR, guard) as other:
            other.ask("GET", "/")
        said = r"403 list-revoked: the certificate of .*gw-0001.SMGW.* was taken back"
        late = WanClient(own.context("gw-0001.SMGW"), server.port, "")
        with late, pytest.raises(WanError, match=said):
            late.ask("GET", "/")
    assert [one.partition(":")[0] for one in server.refused] == ["list-revoked"]


def test_lists_that_are_over_or_missing_let_nobody_in(tmp_path: Path) -> None:
    own = parties(tmp_path / "own", seed=4)
    later = Guard(own.folder, now=lambda: wall_now() + timedelta(days=4))
    with serving(own, later) as server:
        client = WanClient(own.context("gw-0001.SMGW"), server.port, "")
        with client, pytest.raises(WanError, match=r"403 list-expired: .*fetch a newer one"):
            client.ask("GET", "/")
    with serving(own) as server:
        with pytest.raises(WanError, match="certificate: list-expired"):
            WanClient(own.context("gw-0001.SMGW"), server.port, answers.ADMINISTRATOR, later)
        (own.folder / "lists.crl").unlink()
        with pytest.raises(WanError, match="certificate: list-missing"):
            WanClient(own.context("gw-0001.SMGW"), server.port, answers.ADMINISTRATOR, Guard(own.folder))
        assert server.refused == []
    (own.folder / "authorities.crt").write_bytes(b"")
    with pytest.raises(PkiError, match=r"authorities\.crt are to be there"):
        Guard(own.folder)


def test_a_supplier_without_a_good_list_takes_and_refuses_nothing(tmp_path: Path) -> None:
    """What cannot be judged waits at the gateway: it is answered 503, not 204."""
    own = parties(tmp_path / "own", seed=5)
    signer = own.root.certify("gw-0001.SMGW", own.module.make_key("SIG"), "SIG")
    store = Participant("supplier", own.folder / "s", own.receiver, {"gw-0001": signer}, lambda _: None,
                        trust=own.root.trust)  # fmt: skip
    asked = answers.participant(store, lambda: unix_ns() + 4 * 86_400 * 10**9)
    container = own.container()
    path = "/gw-0001.sm/delivery"
    assert asked(answers.ADMINISTRATOR, "POST", path, container).status == 503
    assert store.refused() == [] and store.counts == {"waits: list-expired": 1}
    assert answers.participant(store, unix_ns)(answers.ADMINISTRATOR, "POST", path, container).status == 204
    assert store.counts["refused: signer"] == 1, "the container is signed under another certificate of the same key"
    store.close()


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
