"""What every endpoint does, and what those with a feature do. Every kind that is found in sim/endpoint/kinds is put
through it; outcomes are asserted at the subscriber."""

from __future__ import annotations

import dataclasses
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from sim.endpoint.port import Address, Endpoint, EndpointError, EndpointFeature, NotConnected, Session
from sim.endpoint.registry import lacks
from sim.endpoint.tls_connect import ConnectFailed, offered_at_most
from tests.sim.endpoint.brokers import states, until
from tests.sim.endpoint.contract_kinds import KINDS, MAX_MESSAGE_BYTES, in_passing, needs, opened

ACCOUNT = KINDS["aws_iot"].ready()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        wanted, without = set(getattr(metafunc.function, "needs", ())), getattr(metafunc.function, "without", None)
        able = [id_ for id_, kind in KINDS.items() if wanted <= kind.features and without not in kind.features]
        if "endpoint" in metafunc.fixturenames and not ACCOUNT.ok:
            able = [id_ for id_ in able if id_ != "aws_iot"]
        metafunc.parametrize("kind", able)


def test_an_account_is_put_through_the_contract_where_one_is_named() -> None:
    if not ACCOUNT.ok:
        pytest.skip(f"allowed: aws_iot: {ACCOUNT.detail}; {ACCOUNT.way_out}")


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Endpoint]]:
    """The endpoint of a kind that tests in passing share."""
    made: dict[str, Endpoint] = {}

    def of(kind: str) -> Endpoint:
        if kind not in made:
            made[kind] = opened(kind, tmp_path_factory.mktemp(kind))
        return made[kind]

    yield of
    for one in made.values():
        one.stop()


@pytest.fixture
def endpoint(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, standing: Callable[[str], Endpoint],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Endpoint]:  # fmt: skip
    if "kill" in KINDS[kind].features and getattr(request.function, "in_passing", False):
        made, sessions = standing(kind), list[Session]()
        connect = made.connect

        def noted(*given: Any, **how: Any) -> Session:
            sessions.append(connect(*given, **how))
            return sessions[-1]

        monkeypatch.setattr(made, "connect", noted)
        yield made
        for session in sessions:
            session.close()
    else:
        made = opened(kind, tmp_path)
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


@in_passing
def test_publish_before_connack_is_refused(endpoint: Endpoint) -> None:
    session = endpoint.connect(endpoint.identity("gw1"))
    assert not session.connected and session.connects == 0
    with pytest.raises(NotConnected):
        session.publish("gw/gw1/up", b"early")


@in_passing
def test_messages_arrive_in_order(endpoint: Endpoint) -> None:
    portal, gateway = online(endpoint, "portal", "gw/+/up", "gw/+/birth"), online(endpoint, "gw1")
    sent = [(f"gw/gw1/{'birth' if n % 10 == 0 else 'up'}", str(n).encode()) for n in range(200)]
    for topic, payload in sent:
        gateway.publish(topic, payload)
    assert gateway.unacknowledged > 0
    assert settled(endpoint, portal, gateway) == sent
    assert gateway.unacknowledged == 0


@in_passing
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


@in_passing
def test_the_portal_reaches_the_gateway_it_means(endpoint: Endpoint) -> None:
    one, two = online(endpoint, "gw1", "gw/gw1/ack"), online(endpoint, "gw2", "gw/gw2/ack")
    portal = online(endpoint, "portal")
    portal.publish("gw/gw1/ack", b"for one")
    until(endpoint, lambda: bool(one.inbox))
    until(endpoint, endpoint.fence(two))
    assert one.inbox[0].payload == b"for one" and not two.inbox


@needs("acl", without="denial closes")
@in_passing
def test_a_foreign_publish_is_acknowledged_and_never_arrives(endpoint: Endpoint) -> None:
    portal, gateway = online(endpoint, "portal", "gw/+/up"), online(endpoint, "gw1")
    gateway.publish("gw/gw2/up", b"foreign")
    gateway.publish("gw/gw1/up", b"own")
    assert settled(endpoint, portal, gateway) == [("gw/gw1/up", b"own")]


@needs("acl", without="denial closes")
@in_passing
def test_a_foreign_subscription_hears_nothing(endpoint: Endpoint) -> None:
    portal, spy = online(endpoint, "portal", "gw/+/up"), online(endpoint, "spy", "#", "gw/gw1/up", "gw/gw1/ack")
    gateway = online(endpoint, "gw1")
    gateway.publish("gw/gw1/up", b"secret")
    portal.publish("gw/gw1/ack", b"secret too")
    settled(endpoint, portal, gateway, portal)
    until(endpoint, endpoint.fence(spy))
    assert not spy.inbox


@needs("acl", "broker topics")
def test_the_broker_tells_of_itself_where_no_access_list_keeps_it(kind: str, tmp_path: Path) -> None:
    heard = []
    for listed in (False, True):
        made = KINDS[kind].open(KINDS[kind].spec(per_device_acl=listed), tmp_path / str(listed))
        made.start()
        try:
            spy = online(made, "spy", "$SYS/broker/version")
            until(made, made.fence(spy))
            heard.append(len(spy.inbox))
        finally:
            made.stop()
    assert heard == [1, 0]


@needs("size limit", without="denial closes")
@in_passing
def test_an_oversize_message_is_acknowledged_and_never_arrives(endpoint: Endpoint) -> None:
    portal, gateway = online(endpoint, "portal", "gw/+/up"), online(endpoint, "gw1")
    gateway.publish("gw/gw1/up", b"x" * (MAX_MESSAGE_BYTES + 1))
    gateway.publish("gw/gw1/up", b"y" * MAX_MESSAGE_BYTES)
    assert [len(payload) for _, payload in settled(endpoint, portal, gateway)] == [MAX_MESSAGE_BYTES]


@needs("acl", "size limit", "denial closes")
@pytest.mark.parametrize(
    ("topic", "size"), [("gw/gw2/up", 1), ("gw/gw1/up", MAX_MESSAGE_BYTES + 1)], ids=["foreign", "oversize"]
)
@in_passing
def test_a_publish_that_is_not_allowed_ends_the_connection(endpoint: Endpoint, topic: str, size: int) -> None:
    portal, gateway = online(endpoint, "portal", "gw/+/up"), online(endpoint, "gw1")
    gateway.publish("gw/gw1/up", b"y" * MAX_MESSAGE_BYTES)
    gateway.publish(topic, b"x" * size)
    gateway.publish("gw/gw1/up", b"behind it")
    until(endpoint, lambda: gateway.connects == 2)
    assert gateway.log[1] == ("dropped", "closed by the server")
    gateway.publish("gw/gw1/up", b"after it")
    sizes = [len(payload) for _, payload in settled(endpoint, portal, gateway)]
    assert sizes == [MAX_MESSAGE_BYTES, len(b"after it")]


@needs("acl", "denial closes")
@pytest.mark.parametrize("topic", ["#", "gw/gw1/up", "gw/gw1/ack", "gw/+/ack"])
@in_passing
def test_a_foreign_subscription_ends_the_connection(endpoint: Endpoint, topic: str) -> None:
    spy = endpoint.connect(endpoint.identity("spy"), subscribe=(topic,))
    until(endpoint, lambda: "refused" in states(spy))
    assert spy.connects == 0
    assert online(endpoint, "gw1", "gw/gw1/ack").connected


@needs("bind", "tls", "denial closes")
@in_passing
def test_a_foreign_client_id_gets_no_session_and_ends_none(endpoint: Endpoint) -> None:
    genuine = online(endpoint, "gw1")
    thief = endpoint.connect(dataclasses.replace(endpoint.identity("gw2"), client_id="gw1"))
    until(endpoint, lambda: "refused" in states(thief))
    assert "CONNACK" in thief.log[0][1]
    until(endpoint, endpoint.fence(genuine))
    assert states(genuine) == ["connected"]


@needs("takeover")
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


@needs("persistence")
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
    live.close()  # whether it ends of itself is the kind's own
    endpoint.settle(lambda: False, 0.1)
    again = endpoint.connect(endpoint.identity("gw1"))
    until(endpoint, lambda: "refused" in states(again))
    assert not again.connected and again.connects == 0
    assert "revoked" in again.log[-1][1]
    assert online(endpoint, "gw2").connected


@pytest.mark.parametrize("topic", ["", "gw/+/up", "gw/#"])
@in_passing
def test_a_topic_with_wildcards_cannot_be_published_to(endpoint: Endpoint, topic: str) -> None:
    session = online(endpoint, "gw1")
    with pytest.raises(EndpointError):
        session.publish(topic, b"")
    assert session.unacknowledged == 0


@in_passing
def test_settle_says_when_it_gave_up(endpoint: Endpoint) -> None:
    assert endpoint.settle(lambda: False, 0.1) is False
    assert endpoint.settle(lambda: True, 0.0) is True


@needs("crl", "tls")
def test_what_a_revoked_device_is_refused_for_is_its_certificate(endpoint: Endpoint) -> None:
    """Under whatever name it comes. The broker reads the list anew in its own time, so the session is tried again."""
    revoked = dataclasses.replace(endpoint.identity("gw1"), client_id="gw2")
    endpoint.revoke("gw1")
    for _ in range(100):
        session = endpoint.connect(revoked)
        until(endpoint, lambda session=session: session.connected or "refused" in states(session))
        connected = session.connected
        session.close()
        if not connected:
            break
    assert not connected


@needs("tls")
@in_passing
def test_without_a_certificate_there_is_no_session(endpoint: Endpoint) -> None:
    genuine = endpoint.identity("gw1")
    assert genuine.certificate is not None and genuine.authorities == endpoint.authority.certificate
    bare = endpoint.connect(dataclasses.replace(genuine, certificate=None, key=None))
    until(endpoint, lambda: "refused" in states(bare))
    assert bare.connects == 0


@needs("bind", "tls", without="denial closes")
@in_passing
def test_a_client_id_is_that_of_the_certificate(endpoint: Endpoint) -> None:
    """A session with the certificate of gw2 that claims to be gw1 ends none of gw1's, and publishes as gw2."""
    portal, genuine = online(endpoint, "portal", "gw/+/up"), online(endpoint, "gw1")
    thief = endpoint.connect(dataclasses.replace(endpoint.identity("gw2"), client_id="gw1"))
    until(endpoint, lambda: thief.connected)
    thief.publish("gw/gw1/up", b"forged")
    thief.publish("gw/gw2/up", b"its own")
    assert settled(endpoint, portal, thief) == [("gw/gw2/up", b"its own")]
    assert states(genuine) == ["connected"]


@needs("kill")
def test_sessions_come_back_after_a_kill_at_the_same_address(endpoint: Endpoint) -> None:
    portal, gateway = online(endpoint, "portal", "gw/+/up", clean=False), online(endpoint, "gw1")
    before, pid = endpoint.address, endpoint.pid
    assert pid is not None
    endpoint.kill()
    until(endpoint, lambda: not gateway.connected)
    assert endpoint.pid is None
    endpoint.restart()
    until(endpoint, lambda: portal.connects == 2 and gateway.connects == 2)
    assert endpoint.address == before and endpoint.pid not in (None, pid)
    gateway.publish("gw/gw1/up", b"again")
    assert settled(endpoint, portal, gateway) == [("gw/gw1/up", b"again")]


@needs("sockets")
def test_a_path_that_leads_elsewhere_ends_the_session_until_it_leads_back(endpoint: Endpoint) -> None:
    gateway = online(endpoint, "gw1")
    assert endpoint.address is not None
    gateway.reroute(Address("localhost", 1))
    until(endpoint, lambda: "refused" in states(gateway))
    assert not gateway.connected
    gateway.reroute(endpoint.address)
    until(endpoint, lambda: gateway.connects == 2)


@needs("retain")
def test_a_retained_message_is_there_for_who_comes_later(endpoint: Endpoint) -> None:
    gateway = online(endpoint, "gw1")
    gateway.publish("gw/gw1/up", b"not kept")
    gateway.publish("gw/gw1/birth", b"kept", retain=True)
    until(endpoint, lambda: not gateway.unacknowledged)
    gateway.close()
    portal = online(endpoint, "portal", "gw/+/up", "gw/+/birth")
    until(endpoint, lambda: bool(portal.inbox))
    assert [(one.topic, one.payload, one.retained) for one in portal.inbox] == [("gw/gw1/birth", b"kept", True)]


@needs("shadows")
def test_a_device_keeps_its_shadow(endpoint: Endpoint) -> None:
    shadow = "$aws/things/gw1/shadow"
    gateway = online(endpoint, "gw1", f"{shadow}/get/accepted")
    gateway.publish(f"{shadow}/update", b'{"state":{"reported":{"firmware":"1"}}}')
    until(endpoint, lambda: not gateway.unacknowledged)
    gateway.publish(f"{shadow}/get", b"")
    until(endpoint, lambda: len(gateway.inbox) == 1)
    assert json.loads(gateway.inbox[0].payload)["state"] == {"reported": {"firmware": "1"}}


@needs("tls settings")
def test_a_handshake_is_made_from_the_least_version_on(endpoint: Endpoint) -> None:
    assert endpoint.address is not None
    own = endpoint.identity("gw1")
    assert offered_at_most(endpoint.address, own, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises(ConnectFailed, match="protocol version"):
        offered_at_most(endpoint.address, own, ssl.TLSVersion.TLSv1_1)


@in_passing
def test_what_it_lacks_it_refuses_to_do(kind: str, endpoint: Endpoint) -> None:
    features = KINDS[kind].features
    session = online(endpoint, "gw1")
    asked: dict[EndpointFeature, Callable[[], object]] = {
        "kill": endpoint.kill,
        "sockets": lambda: session.reroute(Address("localhost", 1)),
        "tls": lambda: endpoint.authority,
    }
    for feature, ask in asked.items():
        if feature not in features:
            with pytest.raises(EndpointError):
                ask()
    assert (endpoint.address is None) == ("sockets" not in features)
    assert (endpoint.pid is None) == ("kill" not in features)


# --- the registry ----------------------------------------------------------------------------------------------


def test_each_feature_that_an_endpoint_may_have_has_a_test() -> None:
    tested = {one for test in globals().values() for one in getattr(test, "needs", ())}
    assert tested == set(get_args(EndpointFeature))


def test_a_kind_is_what_its_class_says(kind: str, tmp_path: Path) -> None:
    part = KINDS[kind]
    made = part.open(part.spec(), tmp_path)
    assert (made.name, made.features) == (kind, part.features)
    assert part.spec().kind == kind and part.title
    assert set(part.features) <= set(get_args(EndpointFeature))


def test_settings_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="MosquittoSpec"):
        KINDS["mosquitto"].open(KINDS["memory"].spec(), tmp_path)


def test_what_is_lacking_is_named_with_the_way_out() -> None:
    assert lacks("mosquitto", frozenset({"tls", "kill"})) == ""
    assert lacks("memory", frozenset({"acl"})) == ""
    clause = lacks("memory", frozenset({"tls", "acl", "kill"}))
    assert (
        clause == "needs an endpoint with kill, tls; 'memory' has none: run it with --endpoint aws_local or mosquitto"
    )
    with pytest.raises(ValueError, match=r"sokets.*sockets"):
        lacks("memory", frozenset({"sokets"}))
