"""What becomes of a client's packets at the companion: broken ones, MQTT 5, deliveries, and what is billed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.endpoint.aws import aws_limits as limits
from sim.endpoint.aws.client_packets import encoded
from sim.endpoint.aws.fleet_policies import fleet_policies
from sim.endpoint.aws.policies import Policy
from sim.endpoint.aws.rule_actions import Actions, installed
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
         (0x13, (1_200).to_bytes(2, "big")), (0x11, (3_600).to_bytes(4, "big"))]
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
    assert len(desk.say(subscribe("a")).hear(publish("a", qos=0))) == 1, "judged anew with a new filter"
    assert desk.limits == ["parent-level"]


def test_a_message_of_the_broker_itself(tmp_path: Path) -> None:
    documents = fleet_policies(narrow=False)
    desk = Desk(tmp_path, {name: tuple(map(Policy, many)) for name, many in documents.items()}).say(connect())
    desk.say(subscribe("$SYS/#", "$aws/things/#"))
    assert desk.hear(publish("$SYS/broker/clients/total")) == [] and desk.limits == ["broker-topics"]
    assert [one.kind for one in desk.hear(publish("$aws/things/gw2/shadow/update"))] == [PUBLISH]


def test_no_dup_is_delivered(online: Desk) -> None:
    assert [packet.flags for packet in online.hear(publish("gw/gw1/ack", flags=8))] == [2]


# --- topics that were judged before ------------------------------------------------------------------------------


def test_what_comes_on_a_judged_topic_goes_on_as_it_stands(online: Desk) -> None:
    many = [(size * b"x", qos) for size in (1, 0, 130, 20_000) for qos in (1, 0)]
    said = [publish(payload=payload, qos=qos) for payload, qos in many]
    online.say(*said)
    assert online.passed == said
    assert online.account.meter.messages == 1 + 3 * 2 + 2 * 4
    online.client.clear()
    sent = [publish("gw/gw1/ack", payload, qos=qos) for payload, qos in many]
    assert [online.hear(one) for one in sent] == [[one] for one in sent]
    assert online.account.meter.messages == 1 + 2 * (3 * 2 + 2 * 4)


@pytest.mark.parametrize(
    ("packet", "limit"),
    [
        (publish(payload=(limits.PAYLOAD_BYTES + 1) * b"x"), "payload"),
        (publish(flags=1), "retain-denied"),
        (Packet(PUBLISH, 2, text("gw/gw1/up")), "bad-packet"),
        (Packet(PUBLISH, 2, text("gw/gw1/up") + b"1"), "bad-packet"),
        (Packet(PUBLISH, 0, b"\0\x09gw/gw1/u"), "bad-packet"),
        (Packet(PUBLISH, 0, b""), "bad-packet"),
        (Packet(PUBLISH, 0, b"\0"), "bad-packet"),
    ],
)
def test_a_judged_topic_lets_nothing_pass_that_is_not_like_it(online: Desk, packet: Packet, limit: str) -> None:
    online.say(publish(), publish(qos=0))
    online.broker.clear()
    online.say(packet)
    assert broke(online, limit)
    online.say(publish())
    assert not online.passed, "an ended connection says nothing more"


def test_a_judged_topic_is_judged_by_the_rates_and_by_the_rules_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rates=True).say(connect(), *[publish(payload=b"x") for _ in range(limits.PUBLISHES_A_SECOND)])
    assert desk.limits == []
    assert desk.say(publish()).limits == ["publish-rate"]
    heard: list[bytes] = []
    rule = installed({"ruleName": "up", "sql": "SELECT * FROM 'gw/#'", "actions": [{"republish": {"topic": "x"}}]})
    desk = Desk(tmp_path)
    desk.account.actions = Actions([rule], tmp_path, lambda *what: heard.append(what[1]), lambda *_: None)
    desk.say(connect(), *[publish(payload=b'{"n":1}') for _ in range(3)])
    assert heard == [b'{"n":1}'] * 3


def test_acknowledgements_pass_and_are_counted(online: Desk) -> None:
    acknowledged = Packet(PUBACK, 0, b"\0\x07")
    before = online.account.meter.messages
    assert online.say(acknowledged).passed == [acknowledged]
    assert online.account.meter.messages == before + 1
    online.say(*[publish() for _ in range(limits.IN_FLIGHT)])
    assert online.connection.full
    assert online.hear(acknowledged) == [acknowledged] and not online.connection.full
    for _ in range(2 * limits.IN_FLIGHT):
        online.hear(acknowledged)
    online.say(*[publish() for _ in range(limits.IN_FLIGHT)])
    assert online.connection.full, "the broker cannot give more room than there is"


def test_an_acknowledgement_before_a_connect_is_none(desk: Desk) -> None:
    assert broke(desk.say(Packet(PUBACK, 0, b"\0\x07")), "bad-packet")
