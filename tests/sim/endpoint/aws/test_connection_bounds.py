"""Sizes, counts and rates of a connection to the companion: one too many, and as many as are allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.endpoint.aws import aws_limits as limits
from sim.endpoint.aws import client_packets as packets
from sim.endpoint.mqtt_wire import CONNACK, PUBACK, PUBLISH, Packet
from tests.sim.endpoint.aws.client_desk import Desk, broke, connect, publish, subscribe, text, wide


def test_a_payload_too_large(online: Desk) -> None:
    online.say(publish(payload=b"x" * limits.PAYLOAD_BYTES))
    assert not online.closed and len(online.passed) == 1
    online.broker.clear()
    assert broke(online.say(publish(payload=b"x" * (limits.PAYLOAD_BYTES + 1))), "payload")


def test_a_topic_too_long(tmp_path: Path) -> None:
    for prefix in ("", "$aws/rules/up/"):
        desk = Desk(tmp_path, wide("iot:*")).say(connect(), publish(prefix + "t" * limits.TOPIC_BYTES))
        assert not desk.closed
        assert desk.say(publish(prefix + "t" * (limits.TOPIC_BYTES + 1))).limits[-1] == "topic-length"
        assert desk.closed


def test_a_topic_with_too_many_levels(tmp_path: Path) -> None:
    for prefix in ("", "$aws/rules/up/"):
        desk = Desk(tmp_path, wide("iot:*")).say(connect(), publish(prefix + "/" * limits.TOPIC_SLASHES))
        assert not desk.closed
        assert desk.say(publish(prefix + "/" * (limits.TOPIC_SLASHES + 1))).limits[-1] == "topic-levels"
        assert desk.closed


def test_a_reserved_topic(tmp_path: Path) -> None:
    assert Desk(tmp_path, wide("iot:*")).say(connect(), publish("$mine/a")).limits == ["reserved-topic"]


@pytest.mark.parametrize("wanted", ["$aws/rules/up/#", "$aws/rules/#", "$aws/#", "$aws/rules/up/a"])
def test_a_subscription_to_basic_ingest(tmp_path: Path, wanted: str) -> None:
    assert Desk(tmp_path, wide("iot:*")).say(connect(), subscribe(wanted)).limits == ["ingest-subscribed"]


@pytest.mark.parametrize(
    ("client_id", "fine"), [("", False), ("x" * 128, True), ("x" * 129, False), ("$x", False), ("é" * 65, False)]
)
def test_a_client_id_out_of_bounds(tmp_path: Path, client_id: str, fine: bool) -> None:
    desk = Desk(tmp_path, wide("iot:*")).say(connect(client_id))
    assert desk.closed != fine
    assert desk.limits == ([] if fine else ["client-id"])
    assert [packet.body[1] for packet in desk.answered] == ([] if fine else [2])


def test_a_v5_client_without_an_id_is_given_one(tmp_path: Path) -> None:
    """awscrt's suite connects so against the service."""
    given = set()
    for _ in range(2):
        desk = Desk(tmp_path, wide("iot:*"))
        desk.account.unix_s = lambda: 1_700_000_000.0 + len(given)
        desk.say(connect("", level=5))
        assert not desk.closed and desk.limits == []
        [answer] = desk.hear(Packet(CONNACK, 0, b"\0\0\0"))
        properties = dict(packets.connack(answer, 5)[2])
        given.add(properties[packets.ASSIGNED_ID][2:].decode())
        assert packets.connect(desk.passed[0]).client_id in given
        assert desk.connection.client_id in given
    assert len(given) == 2


def test_a_second_connect(online: Desk) -> None:
    assert broke(online.say(connect()), "second-connect")


def test_too_many_filters_in_a_subscribe(tmp_path: Path) -> None:
    desk = Desk(tmp_path, wide("iot:*")).say(connect(), subscribe(*"abcdefgh"))
    assert not desk.closed
    assert desk.say(subscribe(*"abcdefghi")).limits == ["filters"] and desk.closed


def test_too_many_subscriptions(tmp_path: Path) -> None:
    desk = Desk(tmp_path, wide("iot:*")).say(connect(), *(subscribe(str(number)) for number in range(50)))
    assert not desk.say(subscribe("7")).closed
    assert desk.say(subscribe("50")).limits == ["subscriptions"] and desk.closed


def test_too_many_publishes_in_flight(online: Desk) -> None:
    online.say(*[publish()] * 99)
    assert not online.connection.full
    online.say(publish())
    assert online.connection.full
    online.hear(Packet(PUBACK, 0, b"\0\x07"))
    assert not online.connection.full


@pytest.mark.parametrize(("wanted", "kept"), [(0, 1_200), (1, 30), (29, 30), (30, 30), (1_200, 1_200), (1_201, 1_200)])
def test_keep_alive_is_brought_into_bounds(desk: Desk, wanted: int, kept: int) -> None:
    desk.say(connect(keep_alive_s=wanted))
    assert desk.connection.keep_alive_s == kept
    assert desk.limits == (["keep-alive"] if wanted != kept else [])


def test_publishes_above_the_rate(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rates=True).say(connect(), *[publish(qos=0)] * 101)
    assert desk.limits == ["publish-rate"] and not desk.closed and len(desk.passed) == 101
    desk.now_s += 1
    assert len(desk.say(publish(qos=0)).passed) == 102


def test_bytes_above_the_rate(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rates=True).say(connect(), *[publish(qos=0, payload=b"x" * 131_072)] * 5)
    assert desk.limits == ["byte-rate"] and len(desk.passed) == 5


def test_connects_above_the_rate(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rates=True)
    for wait_s, limit in ((0.0, []), (0.5, ["connect-rate"]), (0.5, [])):
        desk.now_s += wait_s
        desk.said.clear()
        desk.dial()
        assert desk.say(connect()).limits == limit


def test_connects_of_the_account_above_the_rate(tmp_path: Path) -> None:
    desk = Desk(tmp_path, wide("iot:*"), rates=True)
    for number in range(501):
        desk.dial()
        desk.say(connect(f"c{number}"))
    assert desk.limits == ["account-rate"]
    desk.now_s += 1
    desk.dial()
    assert desk.say(connect("later")).limits == ["account-rate"]


def test_without_rates_nothing_is_counted_against_a_client(tmp_path: Path) -> None:
    desk = Desk(tmp_path).say(connect(), *[publish(qos=0)] * 500)
    desk.dial()
    assert desk.say(connect()).limits == []


def test_a_message_without_its_acknowledgement(tmp_path: Path) -> None:
    desk = Desk(tmp_path, wide("iot:*"), rates=True).say(connect(), subscribe("a"))
    first, second = publish("a", b"1"), Packet(PUBLISH, 2, text("a") + b"\0\x08" + b"2")
    for one in (first, second, publish("a", b"3", qos=0)):
        desk.hear(one)

    def again(after_s: float) -> list[Packet]:
        desk.client.clear()
        desk.now_s += after_s
        desk.connection.misc(desk.now_s)
        return desk.answered

    assert again(limits.RESEND_S - 1) == []
    desk.say(Packet(PUBACK, 0, b"\0\x07"))
    assert again(1) == [second]
    assert again(1) == [] and again(limits.RESEND_S) == [second]
    desk.say(Packet(PUBACK, 0, b"\0\x08"))
    assert again(9 * limits.RESEND_S) == []
    assert desk.limits == ["unacknowledged"] * 2
    calm = Desk(tmp_path, wide("iot:*")).say(connect(), subscribe("a"))
    calm.hear(first)
    calm.client.clear()
    calm.connection.misc(1e9)
    assert calm.answered == [], "the wall's seconds are none of a compressed world's"
