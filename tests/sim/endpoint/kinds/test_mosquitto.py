"""The real broker's doors: who gets in, as whom, and what a client makes of a server it should not trust."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.endpoint.kinds.mosquitto import Mosquitto, MosquittoSpec
from sim.endpoint.mosquitto_config import LeastTls
from sim.endpoint.port import Address, Identity
from sim.endpoint.tls_connect import ConnectFailed, offered_at_most
from sim.pki.authority import Authority
from tests.sim.endpoint.brokers import make, states, until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = make(tmp_path / "broker")
    made.start()
    yield made
    made.stop()


def first_state(broker: Mosquitto, identity: Identity, **how: bool) -> tuple[str, str]:
    session = broker.connect(identity, **how)
    until(broker, lambda: bool(session.log))
    assert session.connected == (session.log[-1][0] == "connected")
    state = session.log[0]
    session.close()
    return state


def test_a_device_with_our_certificate_gets_in(broker: Mosquitto) -> None:
    assert first_state(broker, broker.identity("gw1")) == ("connected", "")


def test_without_a_certificate_nobody_gets_in(broker: Mosquitto) -> None:
    bare = dataclasses.replace(broker.identity("gw1"), certificate=None, key=None)
    state, reason = first_state(broker, bare)
    assert state == "refused" and "certificate required" in reason


def test_a_device_of_a_rogue_authority_is_refused(broker: Mosquitto, tmp_path: Path) -> None:
    rogue = Authority(tmp_path / "rogue").device("gw1")
    identity = Identity("gw1", rogue.certificate, rogue.key, broker.authority.certificate)
    state, reason = first_state(broker, identity)
    assert state == "refused" and "unknown ca" in reason


def test_without_tls_nobody_gets_in(broker: Mosquitto) -> None:
    state, _ = first_state(broker, Identity("gw1"))
    assert state == "refused"


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("rogue", "unable to get local issuer certificate"),
        ("wrong host name", "Hostname mismatch"),
        ("expired", "certificate has expired"),
    ],
)
def test_a_server_to_distrust_is_refused_by_a_client_that_looks(tmp_path: Path, what: str, reason: str) -> None:
    authority = Authority(tmp_path / "pki")
    server = {
        "rogue": lambda: Authority(tmp_path / "rogue", "rogue CA").server(),
        "wrong host name": lambda: authority.server(("other.example",)),
        "expired": authority.expired,
    }[what]()
    broker = make(tmp_path / "broker", server=server, authority=authority)
    broker.start()
    try:
        state, why = first_state(broker, broker.identity("gw1"))
        assert state == "refused" and reason in why
        # The control: the weakness is the looking away, and with it the same server is good enough.
        assert first_state(broker, broker.identity("gw1"), verify=False)[0] == "connected"
    finally:
        broker.stop()


def handshake(address: Address, identity: Identity, version: ssl.TLSVersion) -> str | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(identity.authorities)
    assert identity.certificate is not None
    context.load_cert_chain(identity.certificate, identity.key)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection((address.host, address.port), 5) as plain,
        context.wrap_socket(plain, server_hostname=address.host) as sock,
    ):
        return sock.version()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_tls_1_1_is_refused(broker: Mosquitto) -> None:
    assert broker.address is not None
    assert handshake(broker.address, broker.identity("gw1"), ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    assert handshake(broker.address, broker.identity("gw1"), ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with pytest.raises(ssl.SSLError):
            handshake(broker.address, broker.identity("gw1"), old)


@pytest.mark.parametrize(("least", "oldest"), [("1.1", "TLSv1.1"), ("1.2", ""), ("1.3", "")])
def test_the_least_version_is_a_switch(tmp_path: Path, least: LeastTls, oldest: str) -> None:
    broker = make(tmp_path, spec=MosquittoSpec(least_tls=least))
    broker.start()
    try:
        assert broker.address is not None
        middle = "" if least == "1.3" else "TLSv1.2"
        for most, agreed in ((ssl.TLSVersion.TLSv1_1, oldest), (ssl.TLSVersion.TLSv1_2, middle)):
            refused = contextlib.nullcontext() if agreed else pytest.raises(ConnectFailed, match="protocol version")
            with refused:
                assert offered_at_most(broker.address, broker.identity("gw1"), most) == agreed
    finally:
        broker.stop()


def names_seen(directory: Path, spec: MosquittoSpec, *, taken: bool) -> tuple[list[str], str]:
    """A thief with the certificate of gw2 says he is gw1, who is online: (states of gw1, what the portal got).
    `taken`: it is expected that gw1 loses its session over it."""
    broker = make(directory, spec=spec)
    broker.start()
    try:
        portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",))
        genuine = broker.connect(broker.identity("gw1"))
        until(broker, lambda: portal.connected and genuine.connected)
        thief = broker.connect(dataclasses.replace(broker.identity("gw2"), client_id="gw1"))
        until(broker, lambda: thief.connects > 0)
        until(broker, (lambda: "dropped" in states(genuine)) if taken else broker.fence(genuine))
        seen = states(genuine)
        genuine.close()
        until(broker, lambda: thief.connected)
        thief.publish("gw/gw1/up", b"forged")
        until(broker, lambda: not thief.unacknowledged)
        until(broker, broker.fence(portal))
        return seen, ", ".join(message.topic for message in portal.inbox)
    finally:
        broker.stop()


def test_a_client_id_bound_to_its_certificate_cannot_be_taken(tmp_path: Path) -> None:
    assert names_seen(tmp_path, MosquittoSpec(bind_client_id=True), taken=False) == (["connected"], "")


def test_an_unbound_client_id_can_be_taken_but_not_the_topics(tmp_path: Path) -> None:
    seen, arrived = names_seen(tmp_path, MosquittoSpec(bind_client_id=False), taken=True)
    assert "dropped" in seen and arrived == ""


def test_without_an_access_list_the_topics_too(tmp_path: Path) -> None:
    seen, arrived = names_seen(tmp_path, MosquittoSpec(bind_client_id=False, per_device_acl=False), taken=True)
    assert "dropped" in seen and arrived == "gw/gw1/up"


def test_a_broker_that_asks_for_no_certificate_believes_any_name(tmp_path: Path) -> None:
    broker = make(tmp_path, spec=MosquittoSpec(require_certificate=False))
    broker.start()
    try:
        portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",))
        liar = broker.connect(dataclasses.replace(broker.identity("gw1"), certificate=None, key=None))
        until(broker, lambda: portal.connected and liar.connected)
        liar.publish("gw/gw1/up", b"forged")
        liar.publish("gw/gw2/up", b"not even his own name")
        until(broker, lambda: not liar.unacknowledged)
        until(broker, broker.fence(portal))
        assert [message.payload for message in portal.inbox] == [b"forged"]
    finally:
        broker.stop()


def test_a_live_session_of_a_revoked_device_ends_with_a_restart(broker: Mosquitto) -> None:
    live = broker.connect(broker.identity("gw1"))
    until(broker, lambda: live.connected)
    broker.revoke("gw1")
    broker.settle(lambda: not live.connected, 0.3)
    assert live.connected
    broker.restart()
    until(broker, lambda: "refused" in states(live))
    assert live.connects == 1 and "revoked" in live.log[-1][1]


def test_reading_the_lists_again_keeps_the_limits(broker: Mosquitto) -> None:
    """SIGHUP resets some of Mosquitto's settings to their defaults; not those we rely on."""
    broker.revoke(broker.identity("gw9").client_id)
    broker.settle(lambda: False, 0.1)
    portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",))
    gateway = broker.connect(broker.identity("gw1"))
    until(broker, lambda: portal.connected and gateway.connected)
    gateway.publish("gw/gw1/up", b"x" * 131_073)
    gateway.publish("gw/gw2/up", b"foreign")
    gateway.publish("gw/gw1/up", b"y" * 1_000)
    until(broker, lambda: not gateway.unacknowledged)
    until(broker, broker.fence(portal))
    assert [message.payload[:1] for message in portal.inbox] == [b"y"]
