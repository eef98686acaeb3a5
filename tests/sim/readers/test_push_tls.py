"""What a gateway posts by HTTPS: with the authority and certificate that `enrol` gave it, and why others get none."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from pathlib import Path

import pytest

from bench.desk import enrol_kit
from sim.desk import inventory
from sim.endpoint.kinds.mosquitto import free_port
from sim.pki.authority import Authority, Pair
from sim.readers.kinds.http_push import KIND, HttpPushSpec
from sim.readers.port import Reader, ReadGround
from tests.sim.desk.boxes import expired_client
from tests.sim.readers.published_payloads import TELEGRAM

DESK = """
[[gateway]]
name = "kitchen"
feed = [{{ kind = "codec", format = "rtl_wmbus", line = {{ kind = "pty" }} }}]
read = [{{ kind = "http_push", tls = "both", port_number = {port}, path = "/up" }}]
listen = {{ broker = false, pki = "{pki}" }}
"""


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    authority = Authority(tmp_path / "pki")
    for name in ("good", "revoked"):
        authority.device(name)
    authority.revoke("revoked")
    made = KIND.open(
        HttpPushSpec(tls="both", path="/up"),
        ReadGround(tmp_path, None, tmp_path / "stdout", tmp_path / "key", authority=tmp_path / "pki"),
    )
    made.start()
    return made


def client(authority: Path | None, shown: Pair | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority is not None:
        context.load_verify_locations(authority)
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    return context


def post(place: str, context: ssl.SSLContext | None, host: str = "") -> int:
    """The answer's code. Raises OSError where there is none."""
    address, port = place.split(":")
    made = http.client.HTTPSConnection if context is not None else http.client.HTTPConnection
    more = {"context": context} if context is not None else {}
    one = made(host or address, int(port), timeout=10, **more)  # type: ignore[arg-type]
    try:
        one.request("POST", "/up", TELEGRAM.hex())
        return one.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(str(error)) from None
    finally:
        one.close()


def test_what_an_enrolled_box_posts_is_read(tmp_path: Path) -> None:
    threads, port = threading.active_count(), free_port(0)
    (tmp_path / "inventory.toml").write_text(DESK.format(port=port, pki=tmp_path / "desk-pki"))
    entry = inventory.find("kitchen", tmp_path / "inventory.toml")
    kit = enrol_kit.write(entry, tmp_path / "enrolled")
    assert dict(kit.rows)["posts to"] == f"https://127.0.0.1:{port}/up"
    files = {file.suffix + file.stem: file for file in kit.files}
    shown = Pair(files[".crtkitchen"], files[".keykitchen"])
    spec = entry.read[0]
    assert isinstance(spec, HttpPushSpec)
    ground = ReadGround(tmp_path, None, tmp_path / "out", tmp_path / "key", authority=Path(entry.listen.pki))
    made = KIND.open(spec, ground)
    made.start()
    assert post(made.place, client(files[".crtca"], shown)) == 204
    assert [row.frame for row in made.take()] == [TELEGRAM] and made.problem is None
    made.stop()
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("expired", "its certificate has expired; enrol it again"),
        ("revoked", "its certificate was revoked; enrol it again"),
        ("another authority's", "is of another authority; give it the one of `gateway enrol`"),
        ("none", "it showed no certificate; give it the one of `gateway enrol`"),
        ("trusts another", "it does not trust our authority; give it the ca.crt"),
        ("in clear", "it speaks in clear to a port of TLS; set https in it, or no TLS in the inventory"),
    ],
)
def test_who_gets_no_session_is_told_why_and_the_next_one_does(
    tmp_path: Path, reader: Reader, who: str, words: str
) -> None:
    ours = tmp_path / "pki"
    good = Authority(ours).device("good")
    shown = {
        "expired": lambda: expired_client(ours), "revoked": lambda: Authority(ours).device("revoked"),
        "another authority's": lambda: Authority(tmp_path / "other").device("good"), "none": lambda: None,
    }.get(who, lambda: good)()  # fmt: skip
    trusted = Authority(tmp_path / "other").certificate if who == "trusts another" else ours / "ca.crt"
    try:
        with pytest.raises(OSError):  # noqa: PT011  (each client words it otherwise)
            post(reader.place, None if who == "in clear" else client(trusted, shown))
        said = settled(reader)
        assert said.startswith("a client at 127.0.0.1 got no TLS session: ") and words in said
        assert "\n" not in said and reader.take() == []
        assert post(reader.place, client(ours / "ca.crt", good)) == 204
        assert [row.frame for row in reader.take()] == [TELEGRAM]
        assert reader.problem is None
    finally:
        reader.stop()


def settled(reader: Reader) -> str:
    """The reader's problem, as soon as its thread has said it."""
    waiting = threading.Event()
    for _ in range(500):
        if reader.problem:
            return reader.problem
        waiting.wait(0.02)
    return ""


def test_a_client_that_says_nothing_holds_up_no_other_and_is_let_go(tmp_path: Path, reader: Reader) -> None:
    address, port = reader.place.split(":")
    threads = threading.active_count()
    with socket.create_connection((address, int(port)), 5):
        good = Authority(tmp_path / "pki").device("good")
        assert post(reader.place, client(tmp_path / "pki/ca.crt", good)) == 204
        reader.stop()
    assert threading.active_count() < threads + 1
