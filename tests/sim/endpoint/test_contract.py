"""What every endpoint does, embedded or real: one test, both. Outcomes are asserted at the subscriber."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.endpoint.endpoint_spec import EndpointSpec
from sim.endpoint.memory import Memory
from sim.endpoint.port import Endpoint, EndpointError, NotConnected, Session
from tests.sim.endpoint.brokers import make, states, until

SPEC = EndpointSpec(max_message_bytes=4_096)


@pytest.fixture(params=["memory", "mosquitto"])
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Endpoint]:
    made: Endpoint = Memory(tmp_path, SPEC) if request.param == "memory" else make(tmp_path, spec=SPEC)
    made.start()
    yield made
    made.stop()


def online(endpoint: Endpoint, name: str, *subscribe: str, clean: bool = True) -> Session:
    session = endpoint.connect(endpoint.identity(name), subscribe=subscribe, clean=clean)
    until(endpoint, lambda: session.connected)
    return session


def settled(endpoint: Endpoint, portal: Session, *senders: Session) -> list[tuple[str, bytes]]:
    """What the portal has once everything the senders published was accepted and delivered."""
    until(endpoint, lambda: not any(sender.unacknowledged for sender in senders))
    until(endpoint, endpoint.fence(portal))
    return [(message.topic, message.payload) for message in portal.inbox]


def test_publish_before_connack_is_refused(endpoint: Endpoint) -> None:
    session = endpoint.connect(endpoint.identity("gw1"))
    assert not session.connected and session.connects == 0
    with pytest.raises(NotConnected):
        session.publish("gw/gw1/up", b"early")


def test_messages_arrive_in_order(endpoint: Endpoint) -> None:
    portal, gateway = online(endpoint, "portal", "gw/+/up", "gw/+/birth"), online(endpoint, "gw1")
    sent = [(f"gw/gw1/{'birth' if n % 10 == 0 else 'up'}", str(n).encode()) for n in range(200)]
    for topic, payload in sent:
        gateway.publish(topic, payload)
    assert gateway.unacknowledged > 0
    assert settled(endpoint, portal, gateway) == sent
    assert gateway.unacknowledged == 0


def test_a_fence_holds_back_until_all_is_delivered_and_leaves_no_message(endpoint: Endpoint) -> None:
    portal, gateway = online(endpoint, "portal", "gw/+/up"), online(endpoint, "gw1")
    first = endpoint.fence(portal)
    assert not first()
    until(endpoint, first)
    gateway.publish("gw/gw1/up", b"x")
    assert settled(endpoint, portal, gateway) == [("gw/gw1/up", b"x")]
    again = endpoint.fence(portal)
    assert not again(), "a fence must not take an earlier marker for its own"
    until(endpoint, again)


def test_the_portal_reaches_the_gateway_it_means(endpoint: Endpoint) -> None:
    one, two = online(endpoint, "gw1", "gw/gw1/ack"), online(endpoint, "gw2", "gw/gw2/ack")
    portal = online(endpoint, "portal")
    portal.publish("gw/gw1/ack", b"for one")
    until(endpoint, lambda: bool(one.inbox))
    until(endpoint, endpoint.fence(two))
    assert one.inbox[0].payload == b"for one" and not two.inbox


def test_a_foreign_publish_is_acknowledged_and_never_arrives(endpoint: Endpoint) -> None:
    portal, gateway = online(endpoint, "portal", "gw/+/up"), online(endpoint, "gw1")
    gateway.publish("gw/gw2/up", b"foreign")
    gateway.publish("gw/gw1/up", b"own")
    assert settled(endpoint, portal, gateway) == [("gw/gw1/up", b"own")]


def test_a_foreign_subscription_hears_nothing(endpoint: Endpoint) -> None:
    portal, spy = online(endpoint, "portal", "gw/+/up"), online(endpoint, "spy", "#", "gw/gw1/up", "gw/gw1/ack")
    gateway = online(endpoint, "gw1")
    gateway.publish("gw/gw1/up", b"secret")
    portal.publish("gw/gw1/ack", b"secret too")
    settled(endpoint, portal, gateway, portal)
    until(endpoint, endpoint.fence(spy))
    assert not spy.inbox


def test_an_oversize_message_is_acknowledged_and_never_arrives(endpoint: Endpoint) -> None:
    portal, gateway = online(endpoint, "portal", "gw/+/up"), online(endpoint, "gw1")
    gateway.publish("gw/gw1/up", b"x" * 4_097)
    gateway.publish("gw/gw1/up", b"y" * 4_096)
    assert [len(payload) for _, payload in settled(endpoint, portal, gateway)] == [4_096]


def test_a_clone_displaces_the_genuine_and_the_log_shows_it(endpoint: Endpoint) -> None:
    genuine = online(endpoint, "gw1", "gw/gw1/ack")
    clone = endpoint.connect(endpoint.identity("gw1"), subscribe=("gw/gw1/ack",))
    until(endpoint, lambda: "dropped" in states(genuine) and clone.connects >= 1)
    clone.close()
    until(endpoint, lambda: genuine.connected)
    assert genuine.connects >= 2
    assert states(genuine)[:3] == ["connected", "dropped", "connected"]


def test_a_closed_session_dials_no_more(endpoint: Endpoint) -> None:
    session = online(endpoint, "gw1")
    session.close()
    session.close()
    endpoint.settle(lambda: False, 0.2)
    assert not session.connected and states(session) == ["connected", "closed"]
    with pytest.raises(NotConnected):
        session.publish("gw/gw1/up", b"late")


def test_a_persistent_session_gets_what_it_missed_and_a_clean_one_not(endpoint: Endpoint) -> None:
    portal = online(endpoint, "portal", "gw/+/up", clean=False)
    gateway = online(endpoint, "gw1", "gw/gw1/ack")
    portal.cut()
    gateway.close()
    sender = online(endpoint, "gw2")
    sender.publish("gw/gw2/up", b"while you were away")
    until(endpoint, lambda: not sender.unacknowledged)
    portal = online(endpoint, "portal", "gw/+/up", clean=False)
    portal.publish("gw/gw1/ack", b"nobody there")
    assert settled(endpoint, portal, portal) == [("gw/gw2/up", b"while you were away")]
    gateway = online(endpoint, "gw1", "gw/gw1/ack")
    until(endpoint, endpoint.fence(gateway))
    assert not gateway.inbox


def test_a_revoked_client_gets_no_new_session_and_others_do(endpoint: Endpoint) -> None:
    live = online(endpoint, "gw1")
    endpoint.identity("gw2")
    endpoint.revoke("gw1")
    assert live.connected, "a live session stays until it ends"
    live.close()
    endpoint.settle(lambda: False, 0.1)
    again = endpoint.connect(endpoint.identity("gw1"))
    until(endpoint, lambda: "refused" in states(again))
    assert not again.connected and again.connects == 0
    assert "revoked" in again.log[-1][1]
    assert online(endpoint, "gw2").connected


@pytest.mark.parametrize("topic", ["", "gw/+/up", "gw/#"])
def test_a_topic_with_wildcards_cannot_be_published_to(endpoint: Endpoint, topic: str) -> None:
    session = online(endpoint, "gw1")
    with pytest.raises(EndpointError):
        session.publish(topic, b"")
    assert session.unacknowledged == 0


def test_settle_says_when_it_gave_up(endpoint: Endpoint) -> None:
    assert endpoint.settle(lambda: False, 0.1) is False
    assert endpoint.settle(lambda: True, 0.0) is True
