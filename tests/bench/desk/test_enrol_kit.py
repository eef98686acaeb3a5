"""`gateway enrol`: what is in the kit is what the desk's broker takes, and nothing else."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from bench.cli.main import main
from sim.desk import inventory
from sim.desk.box import Box, broker_for
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.port import Address, Identity
from sim.endpoint.session import MqttSession

TEXT = """
[[gateway]]
name = "kitchen"
title = "Box <of> the kitchen"
page = "Its menu: network, MQTT & TLS."
feed = [{{ kind = "codec", format = "rtl_wmbus", line = {{ kind = "path", path = "lines", is_a = "file" }} }}]
read = [{{ kind = "bundles" }}]
listen = {{ port = {port}, hostname = "localhost", pki = "{pki}" }}
time = {{ server = "chrony", allow = "192.168.7.0/24" }}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = tmp_path / "inventory.toml"
    path.write_text(TEXT.format(port=port, pki=tmp_path / "pki"), encoding="utf-8")
    return path


def enrol(desk: Path, *more: str) -> int:
    return main(["gateway", "enrol", "kitchen", "--inventory", str(desk), "--out", str(desk.parent / "kit"), *more])


def request(key: object, *, sign_with: object = None) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "what the box thinks")])
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    made = x509.CertificateSigningRequestBuilder(name).sign(key, algorithm)  # type: ignore[arg-type]
    return made.public_bytes(serialization.Encoding.PEM)


def outcome_of(desk: Path, certificate: Path, key: Path) -> tuple[str, str]:
    """How a session with these files begins at the desk's broker: state and reason."""
    broker = broker_for(inventory.find("kitchen", desk), desk.parent / "broker", Mosquitto)
    broker.start()
    try:
        assert broker.address is not None
        kit = desk.parent / "kit"
        loop = EventLoop()
        address = Address("localhost", broker.address.port)
        session = MqttSession(loop, Identity("kitchen", certificate, key, kit / "ca.crt"), address)
        loop.settle(lambda: bool(session.log), 10)
        session.close()
        loop.close()
        return session.log[0]
    finally:
        broker.stop()


def test_the_kit_opens_a_session_and_the_page_says_how(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert enrol(desk) == 0
    kit = desk.parent / "kit"
    said = capsys.readouterr().out
    for words in ("localhost, port ", "client id", "gw/kitchen/up", "gw/kitchen/ack", "SHA-256"):
        assert words in said
    page = (kit / "page.html").read_text()
    assert "Box &lt;of&gt; the kitchen" in page and "MQTT &amp; TLS" in page and "never transmits" in page
    assert "allow 192.168.7.0/24" in (kit / "chrony.conf").read_text()
    assert stat.S_IMODE((kit / "kitchen.key").stat().st_mode) == 0o600
    assert outcome_of(desk, kit / "kitchen.crt", kit / "kitchen.key") == ("connected", "")


def test_enrolled_twice_it_has_one_certificate(desk: Path) -> None:
    enrol(desk)
    before = (desk.parent / "kit" / "kitchen.crt").read_bytes()
    enrol(desk)
    assert (desk.parent / "kit" / "kitchen.crt").read_bytes() == before


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_box_may_keep_its_key(desk: Path, kind: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65_537, 2_048)
    (desk.parent / "box.csr").write_bytes(request(key))
    assert enrol(desk, "--csr", str(desk.parent / "box.csr")) == 0
    kit = desk.parent / "kit"
    assert not (kit / "kitchen.key").exists()
    own = desk.parent / "own.key"
    form = serialization.PrivateFormat.PKCS8
    own.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    assert outcome_of(desk, kit / "kitchen.crt", own) == ("connected", "")
    certificate = x509.load_pem_x509_certificate((kit / "kitchen.crt").read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=kitchen"
    with Box(inventory.find("kitchen", desk), desk.parent / "box") as box:
        assert "certificate" not in box.known, "the bench has no key of it to give"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"not a request", "no PKCS #10 file"),
        (request(rsa.generate_private_key(65_537, 1_024)), "1024 bits; 2048 are the least"),
        (request(ed25519.Ed25519PrivateKey.generate()), "neither elliptic curve nor RSA"),
    ],
    ids=["garbage", "short", "other"],
)
def test_a_request_that_is_none_is_refused(
    desk: Path, content: bytes, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk.parent / "box.csr").write_bytes(content)
    assert enrol(desk, "--csr", str(desk.parent / "box.csr")) == 2
    assert says in capsys.readouterr().err


def test_a_request_that_its_key_did_not_sign_is_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = x509.load_pem_x509_csr(request(ec.generate_private_key(ec.SECP256R1())))
    der = bytearray(made.public_bytes(serialization.Encoding.DER))
    at = der.index(b"what the box thinks")
    der[at] ^= 1
    (desk.parent / "box.csr").write_bytes(der)
    assert enrol(desk, "--csr", str(desk.parent / "box.csr")) == 2
    assert "not signed by its own key" in capsys.readouterr().err


def test_what_cannot_be_enrolled_says_what_is_missing(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gateway", "enrol", "reference", "--inventory", str(desk), "--out", str(desk.parent / "x")]) == 2
    assert "listen.port" in capsys.readouterr().err
    assert enrol(desk, "--csr", str(desk.parent / "none.csr")) == 2
    assert "No such file" in capsys.readouterr().err
    assert main(["gateway", "enrol", "kitchn", "--inventory", str(desk)]) == 2
    assert "no gateway 'kitchn'" in capsys.readouterr().err


def test_json_names_the_files(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert enrol(desk, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert all(Path(file).is_file() for file in said["files"])
    assert ["client id", "kitchen"] in said["settings"]
