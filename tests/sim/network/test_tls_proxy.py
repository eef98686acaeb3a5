"""The man in the middle on a real wire: a client that checks the server gives him nothing, one that does not, all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.port import Address, EndpointError, NotConnected
from sim.network.tls_proxy import Alter, TlsProxy
from sim.pki.authority import Authority, Pair
from tests.sim.endpoint.brokers import make, states, until

WEAPONS = {"rogue CA": "unknown ca", "wrong host name": "bad certificate", "expired": "certificate expired"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = make(tmp_path / "broker")
    made.start()
    yield made
    made.stop()


@pytest.fixture(params=list(WEAPONS))
def weapon(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def forged(broker: Mosquitto, directory: Path, weapon: str) -> Pair:
    if weapon == "rogue CA":
        return Authority(directory / "rogue", "rogue CA").server()
    if weapon == "wrong host name":
        return broker.authority.server(("other.example",), file_name="other")
    return broker.authority.expired()


def stand_between(broker: Mosquitto, directory: Path, weapon: str, *, alter: Alter | None = None) -> TlsProxy:
    stolen = broker.authority.device("gw1")
    proxy = TlsProxy(forged(broker, directory, weapon), broker.address, stolen=stolen, alter=alter)
    proxy.start()
    return proxy


def test_a_client_that_checks_gives_him_nothing(broker: Mosquitto, tmp_path: Path, weapon: str) -> None:
    proxy = stand_between(broker, tmp_path, weapon)
    session = broker.connect(broker.identity("gw1"), address=proxy.address)
    until(broker, lambda: len(session.log) >= 2)
    assert set(states(session)) == {"refused"} and session.connects == 0
    assert all("server certificate refused" in reason for _, reason in session.log)
    until(broker, lambda: bool(proxy.connections) and not proxy.connections[0].open)
    first = proxy.connections[0]
    assert WEAPONS[weapon] in first.handshake and not first.accepted
    assert first.bytes_up == first.bytes_down == 0 and not proxy.intercepted
    proxy.stop()


def test_a_client_that_does_not_check_is_read_and_altered(broker: Mosquitto, tmp_path: Path, weapon: str) -> None:
    proxy = stand_between(
        broker, tmp_path, weapon, alter=lambda _topic, payload: payload.replace(b"5678", b"11")
    )
    portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",))
    session = broker.connect(broker.identity("gw1"), address=proxy.address, verify=False)
    until(broker, lambda: portal.connected and session.connected)
    session.publish("gw/gw1/up", b"value 5678")
    session.publish("gw/gw1/up", b"value 1234")
    until(broker, lambda: not session.unacknowledged and len(portal.inbox) == 2)
    assert [message.payload for message in portal.inbox] == [b"value 11", b"value 1234"]
    [connection] = proxy.connections
    assert connection.accepted and connection.upstream == "accepted" and connection.client_id == "gw1"
    assert [(seen.payload, seen.passed_on, seen.altered) for seen in connection.intercepted] == [
        (b"value 5678", b"value 11", True),
        (b"value 1234", b"value 1234", False),
    ]
    assert connection.bytes_up > 20 and connection.packets[0] == ("up", "CONNECT")
    proxy.stop()


def test_he_swallows_with_a_puback_of_his_own(broker: Mosquitto, tmp_path: Path) -> None:
    """Why a PUBACK is not custody."""
    proxy = stand_between(broker, tmp_path, "rogue CA", alter=lambda _topic, payload: None)
    portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",))
    session = broker.connect(broker.identity("gw1"), address=proxy.address, verify=False)
    until(broker, lambda: portal.connected and session.connected)
    session.publish("gw/gw1/up", b"an alarm")
    until(broker, lambda: not session.unacknowledged)
    until(broker, broker.fence(portal))
    assert not portal.inbox
    assert [seen.passed_on for seen in proxy.intercepted] == [None]
    proxy.stop()


def test_without_a_stolen_certificate_the_broker_refuses_him(broker: Mosquitto, tmp_path: Path) -> None:
    proxy = TlsProxy(forged(broker, tmp_path, "rogue CA"), broker.address)
    proxy.start()
    session = broker.connect(broker.identity("gw1"), address=proxy.address, verify=False)
    until(broker, lambda: bool(session.log) and not proxy.connections[0].open)
    assert session.log[0][0] == "refused" and session.connects == 0
    assert proxy.connections[0].accepted, "the careless client had let him in"
    assert proxy.connections[0].upstream not in ("", "accepted")
    assert not proxy.intercepted, "nothing is published before CONNACK"
    proxy.stop()


def test_playing_the_broker_he_reads_what_a_careless_client_says(broker: Mosquitto, tmp_path: Path) -> None:
    proxy = TlsProxy(forged(broker, tmp_path, "rogue CA"), None)
    proxy.start()
    session = broker.connect(
        broker.identity("gw1"), subscribe=("gw/gw1/ack", "x"), address=proxy.address, verify=False
    )
    until(broker, lambda: session.connected)
    session.publish("gw/gw1/up", b"ciphertext")
    until(broker, lambda: not session.unacknowledged)
    assert [(seen.topic, seen.payload) for seen in proxy.intercepted] == [("gw/gw1/up", b"ciphertext")]
    assert proxy.connections[0].upstream == "played"
    careful = broker.connect(broker.identity("gw2"), address=proxy.address)
    until(broker, lambda: bool(careful.log))
    assert careful.log[0][0] == "refused" and len(proxy.intercepted) == 1
    proxy.stop()


def test_nothing_leaks_between_handshake_and_connack(broker: Mosquitto, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_address = Address("localhost", silent.getsockname()[1])
        proxy = TlsProxy(forged(broker, tmp_path, "rogue CA"), silent_address)
        proxy.start()
        session = broker.connect(broker.identity("gw1"), address=proxy.address, verify=False)
        until(broker, lambda: bool(proxy.connections) and proxy.connections[0].accepted)
        broker.settle(lambda: False, 0.1)
        assert not session.connected
        with pytest.raises(NotConnected):
            session.publish("gw/gw1/up", b"early")
        session.close()
        proxy.stop()


def test_large_messages_pass_through_him(broker: Mosquitto, tmp_path: Path) -> None:
    proxy = stand_between(broker, tmp_path, "expired")
    portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",))
    session = broker.connect(broker.identity("gw1"), address=proxy.address, verify=False)
    until(broker, lambda: portal.connected and session.connected)
    sent = [bytes([n]) * 100_000 for n in range(40)]
    for payload in sent:
        session.publish("gw/gw1/up", payload)
    until(broker, lambda: len(portal.inbox) == 40)
    assert [message.payload for message in portal.inbox] == sent
    assert [seen.payload for seen in proxy.intercepted] == sent
    proxy.stop()


def test_stop_cuts_and_leaves_no_thread(broker: Mosquitto, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    proxy = stand_between(broker, tmp_path, "expired")
    session = broker.connect(broker.identity("gw1"), address=proxy.address, verify=False)
    until(broker, lambda: session.connected)
    proxy.stop()
    proxy.stop()
    assert not set(threading.enumerate()) - before
    until(broker, lambda: not session.connected)
    assert not proxy.connections[0].open


def test_a_busy_port_is_named(broker: Mosquitto, tmp_path: Path) -> None:
    assert broker.address is not None
    with pytest.raises(EndpointError, match=f"port {broker.address.port} .*choose another"):
        TlsProxy(broker.authority.server(), broker.address, port=broker.address.port)
