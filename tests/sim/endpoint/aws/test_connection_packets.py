"""What becomes of a client's packets at the companion: broken ones, MQTT 5, deliveries, and what is billed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.endpoint.aws.client_packets import encoded
from sim.endpoint.mqtt_wire import CONNACK, CONNECT, PUBACK, PUBLISH, SUBACK, SUBSCRIBE, Packet
from tests.sim.endpoint.aws.client_desk import Desk, broke, connect, publish, subscribe, text, wide


@pytest.mark.parametrize(
    "packet",
    [publish(), subscribe("a"), Packet(15, 0, b""), Packet(0, 0, b""), Packet(CONNECT, 0, b""),
     Packet(CONNECT, 0, text("MQTT") + b"\x09\x02\0\0" + text("gw1")),
     Packet(CONNECT, 0, text("MQTT") + b"\x04\xc2\0\0")],
    ids=range(7),
)  # fmt: skip
def test_what_is_no_connect_ends_the_connection(desk: Desk, packet: Packet) -> None:
    assert broke(desk.say(packet), "bad-packet")


@pytest.mark.parametrize(
    "packet",
    [Packet(PUBLISH, 0, b""), Packet(PUBLISH, 0, b"\0\x05a"), Packet(PUBLISH, 0, text(b"\xff")), publish("gw/+/up"),
     publish("a\0b"), Packet(SUBSCRIBE, 2, b"\0\x01"), Packet(SUBSCRIBE, 2, b"\0\x01" + text("a")),
     Packet(SUBACK, 0, b"")],
    ids=range(8),
)  # fmt: skip
def test_a_broken_packet_ends_the_connection(online: Desk, packet: Packet) -> None:
    online.say(packet)
    assert online.closed and not online.passed


def test_user_name_and_password_stay_in_front(desk: Desk) -> None:
    body = text("MQTT") + bytes([4, 0xC2]) + b"\0\x3c" + text("gw1") + text("?SDK=PythonV2") + text("secret")
    desk.say(Packet(CONNECT, 0, body))
    assert not desk.closed and b"secret" not in desk.broker and b"SDK" not in desk.broker


def test_v5_is_offered_what_the_service_offers(desk: Desk) -> None:
    desk.say(connect(level=5, keep_alive_s=65_535, expiry_s=7_200))
    assert (3_600).to_bytes(4, "big") in desk.passed[0].body and (7_200).to_bytes(4, "big") not in desk.passed[0].body
    (answer,) = desk.hear(Packet(CONNACK, 0, b"\0\0" + encoded([(0x22, b"\0\x0a"), (0x29, b"\x01")])))
    assert answer.body[3:] == encoded(
        [(0x21, b"\0\x64"), (0x24, b"\x01"), (0x27, (149_504).to_bytes(4, "big")), (0x22, b"\0\x08"), (0x29, b"\0"),
         (0x13, (1_200).to_bytes(2, "big"))]
    )[1:]  # fmt: skip


def test_a_topic_alias_is_judged_by_the_topic_it_stands_for(desk: Desk) -> None:
    def aliased(topic: str, alias: int) -> Packet:
        return Packet(PUBLISH, 0, text(topic) + encoded([(0x23, alias.to_bytes(2, "big"))]) + b"x")

    desk.say(connect(level=5), aliased("gw/gw1/up", 1), aliased("", 1))
    assert not desk.closed and len(desk.passed) == 3
    assert desk.say(aliased("", 2)).limits == ["publish-denied"]
    desk.dial()
    assert desk.say(connect(level=5), aliased("gw/gw1/up", 9)).limits[-1] == "bad-packet"


@pytest.mark.parametrize(
    ("how", "messages"),
    [
        (lambda desk: desk.say(publish(payload=b"x" * (5_120 - 9))), 1),
        (lambda desk: desk.say(publish(payload=b"x" * (5_121 - 9))), 2),
        (lambda desk: desk.say(subscribe("gw/gw1/ack")), 1),
        (lambda desk: desk.say(Packet(PUBACK, 0, b"\0\x01")), 1),
        (lambda desk: desk.say(Packet(12, 0, b"")), 0),
        (lambda desk: desk.hear(publish("gw/gw1/ack")), 1),
        (lambda desk: desk.say(publish("$aws/rules/portal/gw/gw1/up")), 0),
    ],
)
def test_messages_are_counted_as_aws_counts(online: Desk, how: Callable[[Desk], object], messages: int) -> None:
    before = online.account.meter.messages
    how(online)
    assert online.account.meter.messages - before == messages


def test_a_retained_message_for_a_wildcard(tmp_path: Path) -> None:
    desk = Desk(tmp_path, wide("iot:*")).say(connect(), subscribe("a/+", "b"))
    assert desk.hear(publish("a/b", qos=0, flags=1)) == []
    assert len(desk.hear(publish("a/b", qos=0))) == 1
    assert len(desk.hear(publish("b", qos=0, flags=1))) == 1
    assert desk.limits == ["wildcard-retained"]


def test_the_parent_of_a_filter(tmp_path: Path) -> None:
    desk = Desk(tmp_path, wide("iot:*")).say(connect(), subscribe("a/#"))
    assert desk.hear(publish("a")) == [] and len(desk.hear(publish("a/"))) == 1
    assert len(desk.say(subscribe("a")).hear(publish("a", qos=0))) == 0, "remembered"
    assert desk.limits == ["parent-level", "parent-level"]


def test_no_dup_is_delivered(online: Desk) -> None:
    assert [packet.flags for packet in online.hear(publish("gw/gw1/ack", flags=8))] == [2]
