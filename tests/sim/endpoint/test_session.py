"""Sessions on the loop against networks that misbehave: nobody blocks the others, and no reason is lost."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.core import clock
from sim.endpoint import event_loop
from sim.endpoint import session as session_module
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.port import Address, Identity
from sim.endpoint.session_state import SessionState
from tests.sim.endpoint.brokers import Ahead, CuttingProxy, make, states, until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = make(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def dead() -> Iterator[Address]:
    """Nobody listens there, and nobody else can be given it meanwhile: it is bound."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield Address("localhost", bound.getsockname()[1])


@pytest.mark.acceptance
def test_a_thousand_gateways_connect_by_mutual_tls(broker: Mosquitto) -> None:
    identities = [broker.identity(f"gw{number}") for number in range(1_000)]
    sessions = [broker.connect(one, subscribe=(f"gw/{one.client_id}/ack",)) for one in identities]
    until(broker, lambda: all(session.connected for session in sessions), 60)
    portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",))
    until(broker, lambda: portal.connected)
    for session in sessions:
        session.publish(f"gw/{session.client_id}/up", session.client_id.encode())
    until(broker, lambda: len(portal.inbox) == 1_000)
    assert {message.payload.decode() for message in portal.inbox} == {one.client_id for one in identities}
    assert {str(session.log) for session in sessions} == {"[('connected', '')]"}, "none had to dial twice"


def test_a_dead_port_is_a_reason_and_costs_the_others_nothing(broker: Mosquitto, dead: Address) -> None:
    lost = [broker.connect(broker.identity(f"lost{n}"), address=dead) for n in range(3)]
    good = broker.connect(broker.identity("gw1"))
    until(broker, lambda: good.connected, event_loop.DIAL_DEADLINE_S)
    until(broker, lambda: all(one.log for one in lost))
    assert all(one.log[0] == ("refused", "Connection refused") for one in lost)


def test_a_server_that_says_nothing_is_given_up_and_costs_the_others_nothing(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = Ahead(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = Address("localhost", silent.getsockname()[1])
        stuck = [broker.connect(broker.identity(f"stuck{n}"), address=where) for n in range(70)]
        good = broker.connect(broker.identity("gw1"))
        until(broker, lambda: good.connected)
        assert not any(one.log for one in stuck), "it was connected before anybody was given up"
        ahead.s += event_loop.DIAL_DEADLINE_S
        until(broker, lambda: bool(stuck[0].log))
        assert stuck[0].log[0] == ("refused", "no answer within 5 s (TLS)")
        assert not stuck[-1].log, "more than may dial at once: it got its leave only now"
        ahead.s += event_loop.DIAL_DEADLINE_S
        until(broker, lambda: all(one.log for one in stuck))


def test_a_rerouted_session_dials_there_at_once_and_comes_back(
    broker: Mosquitto, dead: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BACKOFF_S", "BACKOFF_MAX_S"):  # longer than anybody waits here
        monkeypatch.setattr(session_module, name, 60.0)
    ahead = Ahead(monkeypatch)
    assert broker.address is not None
    session = broker.connect(broker.identity("gw1"))
    session.reroute(broker.address)  # before the first turn: the first leave to dial is void
    until(broker, lambda: session.connected)
    for turn in range(2, 5):
        session.reroute(dead)
        assert not session.connected
        until(broker, lambda: session.log[-1] == ("refused", "Connection refused"))
        session.reroute(broker.address)  # in the middle of a back-off
        until(broker, lambda: session.connected)
        assert session.connects == turn
    session.reroute(broker.address)  # in the middle of a dial
    broker.loop.turn(0)
    session.reroute(broker.address)
    until(broker, lambda: session.connected)
    ahead.s += 120
    broker.settle(lambda: False, 0.3)
    assert session.connects == 5, "no attempt of an earlier route goes on in the background"
    assert set(broker.loop._dialling.values()) == {0}, "every leave to dial was given back"
    session.close()
    session.reroute(dead)
    assert session.log[-1][0] == "closed"


def test_a_host_that_does_not_exist_is_a_reason(broker: Mosquitto) -> None:
    session = broker.connect(broker.identity("gw1"), address=Address("no-such-host.invalid", 8883))
    until(broker, lambda: bool(session.log))
    assert session.log[0][0] == "refused" and "no-such-host.invalid" in session.log[0][1]


def test_the_back_off_doubles_up_to_its_limit(
    broker: Mosquitto, dead: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "BACKOFF_MAX_S", 0.2)
    after, waits_s = broker.loop.after, list[float]()
    monkeypatch.setattr(broker.loop, "after", lambda delay_s, call: (waits_s.append(delay_s), after(delay_s, call)))
    session = broker.connect(broker.identity("gw1"), address=dead)
    until(broker, lambda: len(session.log) == 5)
    assert [wait_s for wait_s in waits_s if wait_s != event_loop.DIAL_DEADLINE_S] == [0.05, 0.1, 0.2, 0.2, 0.2]


def test_a_cut_connection_comes_back(broker: Mosquitto) -> None:
    assert broker.address is not None
    proxy = CuttingProxy(broker.address)
    session = broker.connect(broker.identity("gw1"), address=proxy.address)
    for turn in range(1, 4):
        until(broker, lambda turn=turn: session.connects == turn)
        proxy.cut()
        until(broker, lambda: not session.connected)
    until(broker, lambda: session.connected)
    assert states(session) == ["connected", "dropped"] * 3 + ["connected"]
    proxy.close()


def test_what_the_broker_did_not_accept_stays_counted_after_the_loss(broker: Mosquitto) -> None:
    assert broker.address is not None
    proxy = CuttingProxy(broker.address)
    session = broker.connect(broker.identity("gw1"), address=proxy.address)
    until(broker, lambda: session.connected)
    session.publish("gw/gw1/up", b"accepted")
    until(broker, lambda: not session.unacknowledged)
    proxy.deaf = True
    session.publish("gw/gw1/up", b"accepted, but we never hear of it")
    broker.settle(lambda: False, 0.1)
    proxy.cut()
    until(broker, lambda: not session.connected)
    assert session.unacknowledged == 1
    proxy.deaf = False
    until(broker, lambda: session.connected)
    assert session.unacknowledged == 0, "a new connection starts from nothing: sending again is the gateway's part"
    proxy.close()


def test_a_fence_survives_a_lost_connection(broker: Mosquitto) -> None:
    assert broker.address is not None
    proxy = CuttingProxy(broker.address)
    portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",), address=proxy.address)
    until(broker, lambda: portal.connected)
    proxy.deaf = True
    fence = broker.fence(portal)
    assert not broker.settle(fence, 0.2)
    proxy.cut()
    proxy.deaf = False
    until(broker, fence)
    proxy.close()


def test_large_messages_pass_in_both_directions(broker: Mosquitto) -> None:
    portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",))
    gateway = broker.connect(broker.identity("gw1"))
    until(broker, lambda: portal.connected and gateway.connected)
    sent = [bytes([n]) * (131_072 - n) for n in range(50)]
    for payload in sent:
        gateway.publish("gw/gw1/up", payload)
    until(broker, lambda: len(portal.inbox) == len(sent))
    assert [message.payload for message in portal.inbox] == sent


def test_packets_that_arrive_together_are_all_taken_at_once() -> None:
    """Read-ahead holds bytes that epoll will not announce again."""
    connack, hello = b"\x20\x02\x00\x00", b"\x30\x06\x00\x03a/bx"
    loop = event_loop.EventLoop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        session = session_module.MqttSession(
            loop, Identity("gw1"), Address("localhost", listener.getsockname()[1])
        )
        loop.turn(0)
        broker, _ = listener.accept()
        loop.turn()
        assert broker.recv(100)[:1] == b"\x10", "CONNECT"
        broker.sendall(connack + 5 * hello)
        assert loop.settle(lambda: len(session.inbox) == 5, 10.0)
        assert [message.payload for message in session.inbox] == [b"x"] * 5
        broker.close()
    session.close()
    loop.close()


def test_timers_fire_in_order_and_only_when_turned() -> None:
    loop, fired = event_loop.EventLoop(), list[str]()
    loop.after(0.02, lambda: fired.append("later"))
    loop.after(0.01, lambda: fired.append("sooner"))
    clock.wall_sleep(0.03)
    assert not fired
    loop.turn(0)
    assert fired == ["sooner", "later"]
    loop.close()


def test_the_share_of_time_that_a_session_was_up() -> None:
    """Of spans that begin and end while it is up, while it is down, and between."""

    class Still(SessionState):
        publish = close = cut = reroute = _listen = lambda *_: None  # type: ignore[assignment]

    session = Still("g", ())
    session._moves = [(100, True), (300, False), (400, True), (450, False)]
    shares = {(100, 300): 1.0, (0, 200): 0.5, (200, 400): 0.5, (300, 400): 0.0, (350, 550): 0.25, (500, 600): 0.0}
    assert {span: session.up_share(*span) for span in shares} == shares
    assert session.downs_ns(0, 600) == [100, 100, 150]
