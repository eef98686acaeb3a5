"""Lockstep on doubles: what is waited for, what is not, and when a fault strikes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sim import lockstep
from sim.endpoint.port import Message, NotConnected
from sim.lockstep import Lockstep, NotSettled


class Line:
    """A session that is up or not."""

    def __init__(self) -> None:
        self.connected = True
        self.unacknowledged = 0
        self.inbox: list[Message] = []
        self.sent: list[tuple[str, bytes]] = []

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if not self.connected:
            raise NotConnected("down")
        self.sent.append((topic, payload))


class Sender:
    """A gateway that hands its bundles to the portal's inbox when pumped, one a pump."""

    def __init__(self, id_: str, portal: Line, *bundles: bytes) -> None:
        self.id, self.up, self.session = id_, True, Line()
        self.waiting: tuple[bytes, ...] = bundles
        self._unsent = list(bundles)
        self._portal = portal

    def pump(self, _now_ns: int) -> None:
        if self.up and self.session.connected and self._unsent:
            self._portal.inbox.append(Message(f"gw/{self.id}/up", self._unsent.pop(0)))

    def acknowledged(self) -> None:
        self.waiting = tuple(self._unsent)


class Wire:
    """An endpoint whose wheel turns a few times and gives up. `address`: None where it is embedded."""

    name = "wire"

    def __init__(self) -> None:
        self.address: str | None = "127.0.0.1:8883"
        self.turns = 0
        self.fenced = True

    def settle(self, done: Callable[[], bool], _deadline_s: float) -> bool:
        for _ in range(5):
            self.turns += 1
            if done():
                return True
        return False

    def fence(self, _session: Any) -> Callable[[], bool]:
        return lambda: self.fenced


def made(*gateways: Sender, portal: Line, cut_off: tuple[str, ...] = ()) -> tuple[Lockstep, Wire]:
    wire = Wire()
    return Lockstep(wire, gateways, portal, lambda g: g.id in cut_off), wire  # type: ignore[arg-type]


def portal_that_acknowledges(*gateways: Sender) -> tuple[list[Message], Callable[[list[Message]], list[Message]]]:
    taken: list[Message] = []

    def take(messages: list[Message]) -> list[Message]:
        taken.extend(messages)
        for gateway in gateways:
            gateway.acknowledged()
        return [Message(m.topic.replace("/up", "/ack"), b"ok") for m in messages]

    return taken, take


def test_rounds_go_on_until_nothing_is_held() -> None:
    portal = Line()
    one = Sender("a", portal, b"1", b"2", b"3")
    taken, take = portal_that_acknowledges(one)
    settled, _ = made(one, portal=portal)
    settled.run(0, take)
    assert [m.payload for m in taken] == [b"1", b"2", b"3"]
    assert one.waiting == ()
    assert len(portal.sent) == 3
    assert settled.messages_taken == 3


def test_messages_are_taken_in_an_order_that_no_socket_decides() -> None:
    portal = Line()
    settled, _ = made(portal=portal)
    portal.inbox = [Message("gw/b/up", b"1"), Message("gw/a/up", b"22"), Message("gw/a/up", b"3")]
    taken, take = portal_that_acknowledges()
    settled.run(0, take)
    assert [(m.topic, m.payload) for m in taken] == [("gw/a/up", b"3"), ("gw/a/up", b"22"), ("gw/b/up", b"1")]


def test_a_gateway_that_gets_no_session_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    portal = Line()
    one = Sender("deaf-7", portal, b"1")
    one.session.connected = False
    settled, _ = made(one, portal=portal)
    with pytest.raises(NotSettled, match=r"could not publish.*deaf-7.*broker's log"):
        settled.run(0, lambda messages: [])


def test_an_embedded_endpoint_that_hands_nothing_on_is_named_with_its_file() -> None:
    portal = Line()
    one = Sender("gw-1", portal, b"1")
    one.session.unacknowledged = 1
    settled, wire = made(one, portal=portal)
    wire.address = None
    with pytest.raises(NotSettled) as caught:
        settled.run(0, lambda messages: [])
    assert str(caught.value) == (
        f"gateways could not publish and nothing moves any more at endpoint 'wire' ({__file__}): its "
        "accept(sender, topic, payload) must hand on what it is given, by super().accept(sender, topic, payload); "
        'to lose it, with the topic ""'
    )


def test_a_fence_that_does_not_come_back_is_an_error() -> None:
    portal = Line()
    settled, wire = made(portal=portal)
    wire.fenced = False
    with pytest.raises(NotSettled, match="fence"):
        settled.run(0, lambda messages: [])


@pytest.mark.parametrize("how", ["no power", "cut off"])
def test_who_cannot_get_through_is_not_waited_for(how: str) -> None:
    portal = Line()
    lost, well = Sender("lost", portal, b"1"), Sender("well", portal, b"2")
    lost.session.connected = False
    lost.up = how != "no power"
    taken, take = portal_that_acknowledges(well)
    settled, _ = made(lost, well, portal=portal, cut_off=("lost",) if how == "cut off" else ())
    settled.run(0, take)
    assert [m.payload for m in taken] == [b"2"]
    assert lost.waiting == (b"1",)


def test_a_portal_that_is_cut_off_gets_nothing_and_ends_the_window() -> None:
    portal, away = Line(), [True]
    one = Sender("a", portal, b"1")
    one.session.connected = False
    wire = Wire()
    settled = Lockstep(wire, [one], portal, lambda _: away[0], lambda: away[0])  # type: ignore[arg-type]
    portal.inbox = [Message("gw/b/up", b"2")]
    taken, take = portal_that_acknowledges(one)
    settled.run(0, take)
    assert (taken, one.waiting) == ([], (b"1",))
    assert wire.turns > 1, "sockets move, so that everybody finds out"
    away[0], one.session.connected = False, True
    settled.run(0, take)
    assert [m.payload for m in taken] == [b"1", b"2"]


def test_a_portal_that_never_acknowledges_ends_the_rounds() -> None:
    portal = Line()
    one = Sender("a", portal, b"1")
    settled, _ = made(one, portal=portal)
    settled.run(0, lambda messages: [])
    assert one.waiting == (b"1",)


def test_an_acknowledgement_lost_with_its_connection_is_no_error() -> None:
    portal = Line()
    portal.connected = False
    portal.inbox = [Message("gw/a/up", b"1")]
    settled, _ = made(portal=portal)
    settled.run(0, lambda messages: messages)
    assert portal.sent == []


@pytest.mark.parametrize("phase", lockstep.PHASES)
def test_a_fault_strikes_once_and_only_while_something_is_under_way(phase: str) -> None:
    portal = Line()
    idle = Sender("idle", portal)
    settled, _ = made(idle, portal=portal)
    struck: list[str] = []
    settled.strike(phase, lambda: struck.append(phase))
    settled.run(0, lambda messages: messages)
    assert struck == []
    busy = Sender("busy", portal, b"1", b"2")
    settled._gateways = [busy]
    _, take = portal_that_acknowledges()  # nothing is taken off the gateway: it stays busy in every phase

    def taken(messages: list[Message]) -> list[Message]:
        answers = take(messages)
        settled.committed()
        return answers

    settled.run(0, taken)
    assert struck == [phase]


def test_a_birth_that_the_broker_did_not_answer_yet_is_nothing_under_way() -> None:
    """Whether its PUBACK is there by now is a matter of sockets: a fault that struck for it would strike in one window
    or another."""

    class Newborn(Sender):
        def pump(self, _now_ns: int) -> None:
            self.session.unacknowledged = max(0, self.session.unacknowledged - 1)

    portal = Line()
    idle = Newborn("idle", portal)
    idle.session.unacknowledged = 3
    settled, _ = made(idle, portal=portal)
    struck: list[str] = []
    settled.strike("publish", lambda: struck.append("then"))
    settled.run(0, lambda messages: messages)
    assert struck == []


def test_an_unknown_phase_is_refused() -> None:
    settled, _ = made(portal=Line())
    with pytest.raises(ValueError, match="publish, deliver, commit, acknowledge"):
        settled.strike("later", lambda: None)
