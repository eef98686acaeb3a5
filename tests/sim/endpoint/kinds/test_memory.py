"""What only the embedded broker promises: no wall time, the same order each time, an early end when nothing moves."""

from __future__ import annotations

from itertools import count

import pytest

from sim.endpoint.kinds.memory import Memory, MemorySpec
from sim.endpoint.port import Address, EndpointError
from sim.endpoint.topic_acl import matches


@pytest.mark.parametrize(
    ("pattern", "topic", "hit"),
    [
        ("gw/1/up", "gw/1/up", True),
        ("gw/1/up", "gw/2/up", False),
        ("gw/+/up", "gw/1/up", True),
        ("gw/+/up", "gw/1/2/up", False),
        ("gw/+/up", "gw//up", True),
        ("gw/+", "gw/1/up", False),
        ("gw/+/+", "gw/1", False),
        ("gw/#", "gw/1/up", True),
        ("gw/#", "gw", True),
        ("#", "gw/1/up", True),
        ("+/+/+", "gw/1/up", True),
        ("#", "$SYS/broker", False),
        ("+/broker", "$SYS/broker", False),
        ("$SYS/#", "$SYS/broker", True),
    ],
)
def test_wildcards(pattern: str, topic: str, hit: bool) -> None:
    assert matches(pattern, topic) is hit


def story() -> list[object]:
    """Two portals, a flood from three gateways, a clone: everything that could come in another order."""
    broker = Memory()
    portals = [broker.connect(broker.identity("portal"), subscribe=("gw/+/up",)) for _ in range(2)]
    gateways = [broker.connect(broker.identity(f"gw{n}"), subscribe=("#",)) for n in (2, 0, 1, 0)]
    sent = 0

    def done() -> bool:
        nonlocal sent
        for gateway in gateways:
            if gateway.connected and sent < 60:
                sent += 1
                gateway.publish(f"gw/{gateway.client_id}/up", str(sent).encode())
        return False

    broker.settle(done, 5)
    return [(one.client_id, one.log, list(one.inbox), one.connects) for one in [*portals, *gateways]]


def test_the_same_story_twice() -> None:
    assert story() == story()


def test_nothing_to_do_ends_at_once() -> None:
    asked = count()
    assert Memory().settle(lambda: next(asked) < 0, 60) is False
    assert next(asked) < 10


def test_two_who_displace_each_other_end_too() -> None:
    broker = Memory()
    one, two = (broker.connect(broker.identity("gw1")) for _ in range(2))
    asked = count()
    assert broker.settle(lambda: next(asked) < 0, 60) is False
    assert next(asked) < 10_000
    assert one.connects > 2 and two.connects > 2 and one.connected != two.connected


def test_both_of_two_who_displace_each_other_get_their_word_in() -> None:
    broker = Memory()
    portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",))
    pair = [broker.connect(broker.identity("gw1")) for _ in range(2)]
    said: set[int] = set()

    def done() -> bool:
        for number, session in enumerate(pair):
            if session.connected and number not in said:
                said.add(number)
                session.publish("gw/gw1/up", str(number).encode())
        return len(portal.inbox) == 2

    assert broker.settle(done, 5)


def test_without_an_access_list_anybody_may_say_and_hear_anything() -> None:
    broker = Memory(spec=MemorySpec(per_device_acl=False))
    spy = broker.connect(broker.identity("spy"), subscribe=("#",))
    liar = broker.connect(broker.identity("liar"))
    broker.settle(lambda: spy.connected and liar.connected, 1)
    liar.publish("gw/gw1/up", b"forged")
    assert broker.settle(lambda: bool(spy.inbox), 1)


def test_what_it_cannot_do_it_says() -> None:
    broker = Memory()
    assert not broker.features & {"tls", "sockets", "kill"}
    assert broker.address is None
    for wish in (broker.kill, broker.restart):
        with pytest.raises(EndpointError, match="mosquitto"):
            wish()
    with pytest.raises(EndpointError, match="mosquitto"):
        broker.connect(broker.identity("gw1"), address=Address("localhost", 1))


def test_it_keeps_no_retained_message_and_says_so() -> None:
    broker = Memory()
    session = broker.connect(broker.identity("gw1"))
    assert broker.settle(lambda: session.connected, 1.0)
    with pytest.raises(EndpointError, match="mosquitto"):
        session.publish("gw/gw1/up", b"", retain=True)


def test_stop_closes_everybody() -> None:
    broker = Memory()
    online, waiting = broker.connect(broker.identity("a")), broker.connect(broker.identity("b"))
    broker.settle(lambda: online.connected, 1)
    late = broker.connect(broker.identity("c"))
    broker.stop()
    broker.stop()
    assert [one.log[-1][0] for one in (online, waiting, late)] == ["closed"] * 3
