"""Each row of aws_limits.LIMITS is broken here by a client's own bytes; the same bytes just inside the bound pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sim.endpoint.aws import aws_limits as limits
from sim.endpoint.aws.account import Account, Certificate
from sim.endpoint.aws.claims import Registered
from sim.endpoint.aws.client_packets import encoded
from sim.endpoint.aws.connection import Connection
from sim.endpoint.aws.fleet_policies import fleet_policies
from sim.endpoint.aws.policies import Policy
from sim.endpoint.aws.rule_actions import Actions, installed
from sim.endpoint.mqtt_wire import (
    CONNACK,
    CONNECT,
    DISCONNECT,
    PUBACK,
    PUBLISH,
    SUBACK,
    SUBSCRIBE,
    Packet,
    Packets,
)  # fmt: skip

HERE = Path(__file__).read_text(encoding="utf-8")


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def connect(client_id: str = "gw1", *, clean: bool = True, keep_alive_s: int = 60, will: str = "", retain: bool = False,
            level: int = 4, expiry_s: int | None = None) -> Packet:  # fmt: skip
    flags = 0x02 * clean | (0x04 | 0x20 * retain if will else 0)
    body = text("MQTT") + bytes([level, flags]) + keep_alive_s.to_bytes(2, "big")
    if level == 5:
        body += encoded([(0x11, expiry_s.to_bytes(4, "big"))] if expiry_s is not None else [])
    body += text(client_id)
    if will:
        body += (b"\0" if level == 5 else b"") + text(will) + text("gone")
    return Packet(CONNECT, 0, body)


def publish(topic: str = "gw/gw1/up", payload: bytes = b"x", *, qos: int = 1, flags: int = 0, level: int = 4) -> Packet:
    body = text(topic) + (b"\0\x07" if qos else b"") + (b"\0" if level == 5 else b"") + payload
    return Packet(PUBLISH, qos << 1 | flags, body)


def subscribe(*filters: str, qos: int = 1) -> Packet:
    return Packet(SUBSCRIBE, 2, b"\0\x01" + b"".join(text(one) + bytes([qos]) for one in filters))


@dataclass
class Desk:
    """A connection with both its ends in hand. `now_s` stands still until it is moved."""

    directory: Path
    policies: dict[str, tuple[Policy, ...]] = field(default_factory=dict)
    rates: bool = False
    now_s: float = 100.0
    said: list[tuple[str, str, str]] = field(default_factory=list)
    client: bytearray = field(default_factory=bytearray)
    broker: bytearray = field(default_factory=bytearray)
    closed: bool = False

    def __post_init__(self) -> None:
        documents = fleet_policies()
        self.account = Account(
            self.policies or {name: tuple(map(Policy, many)) for name, many in documents.items()},
            lambda *what: self.said.append(what),
            lambda: self.now_s,
            lambda: 1_700_000_000.0,
            Actions([], self.directory, lambda *_: None, lambda *_: None),
            enforce_rates=self.rates,
        )
        self.dial()

    def dial(self, name: str = "gw1") -> None:
        self.closed = False
        self.connection = Connection(
            self.account, Certificate("c" * 64, {"CommonName": (name,)}, {}), "127.0.0.1", self
        )

    def to_client(self, data: bytes) -> None:
        self.client += data

    def to_broker(self, data: bytes) -> None:
        self.broker += data

    def close(self) -> None:
        self.closed = True

    def say(self, *packets: Packet) -> Desk:
        for packet in packets:
            self.connection.from_client(packet)
        return self

    def hear(self, packet: Packet) -> list[Packet]:
        """What the client gets of a packet of the broker's."""
        self.client.clear()
        self.connection.from_broker(packet)
        return Packets().feed(bytes(self.client))

    @property
    def limits(self) -> list[str]:
        return [limit for _, limit, _ in self.said]

    @property
    def passed(self) -> list[Packet]:
        return Packets().feed(bytes(self.broker))

    @property
    def answered(self) -> list[Packet]:
        return Packets().feed(bytes(self.client))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def online(desk: Desk) -> Desk:
    desk.say(connect())
    assert [packet.kind for packet in desk.passed] == [CONNECT] and not desk.closed
    desk.broker.clear()
    return desk


def broke(desk: Desk, limit: str) -> bool:
    """The rule was enforced, the connection ended, and nothing reached the broker."""
    return desk.limits[-1:] == [limit] and desk.closed and not desk.passed


def wide(*actions: str) -> dict[str, tuple[Policy, ...]]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"*": (Policy({"Version": "2012-10-17", "Statement": [statement]}),)}


# --- every row -------------------------------------------------------------------------------------------------


def test_every_limit_names_a_test_that_is_here_or_in_the_contract() -> None:
    elsewhere = (Path(__file__).parent / "test_companion.py").read_text(encoding="utf-8")
    missing = [one.id for one in limits.LIMITS if f"def test_{one.test}" not in HERE + elsewhere]
    assert not missing
    assert len({one.id for one in limits.LIMITS}) == len(limits.LIMITS)


def test_the_numbers_are_those_that_aws_publishes() -> None:
    """Written out once more: the tests below take theirs from limits."""
    assert (limits.PAYLOAD_BYTES, limits.TOPIC_BYTES, limits.TOPIC_SLASHES, limits.CLIENT_ID_BYTES) == (
        131_072,
        256,
        7,
        128,
    )
    assert (limits.IN_FLIGHT, limits.FILTERS_A_SUBSCRIBE, limits.FILTERS_A_CONNECTION) == (100, 8, 50)
    assert (limits.KEEP_ALIVE_S, limits.KEEP_ALIVE_FACTOR, limits.SESSION_EXPIRY_S) == ((30, 1_200), 1.5, 3_600)
    assert (limits.PUBLISHES_A_SECOND, limits.BYTES_A_SECOND) == (100, 512 * 1_024)
    assert (limits.CONNECTS_A_SECOND_A_CLIENT, limits.CONNECTS_A_SECOND, limits.PACKET_BYTES) == (1, 500, 149_504)


@pytest.mark.parametrize(("level", "code"), [(4, 5), (5, 0x87)])
def test_a_connect_that_no_policy_allows(desk: Desk, level: int, code: int) -> None:
    desk.say(connect("gw2", level=level))
    assert broke(desk, "connect-denied")
    assert [(packet.kind, packet.body[1]) for packet in desk.answered] == [(CONNACK, code)]


def test_a_certificate_that_is_pending(desk: Desk) -> None:
    desk.account.registry["c" * 64] = Registered(thing="gw1", policies=("p",))
    desk.account.named = {"p": desk.account.policies["*"]}
    desk.dial()
    desk.say(connect())
    assert broke(desk, "inactive")
    desk.account.registry["c" * 64].status = "ACTIVE"
    desk.dial()
    desk.say(connect())
    assert not desk.closed and desk.limits == ["inactive"]


def test_a_will_it_may_not_publish(desk: Desk) -> None:
    desk.say(connect(will="gw/gw2/up"))
    assert broke(desk, "will-denied")
    desk.dial()
    desk.say(connect(will="gw/gw1/birth"))
    assert not desk.closed and desk.passed[0].body.endswith(text("gw/gw1/birth") + text("gone"))
    desk.dial()
    desk.say(connect(will="gw/gw1/birth", retain=True))
    assert desk.closed and desk.limits[-1] == "will-denied"


@pytest.mark.parametrize("qos", [0, 1])
def test_a_publish_that_no_policy_allows(online: Desk, qos: int) -> None:
    assert broke(online.say(publish("gw/gw2/up", qos=qos), publish()), "publish-denied")


def test_a_v5_client_is_told_before_it_is_cut(desk: Desk) -> None:
    desk.say(connect(level=5), publish("gw/gw2/up", level=5))
    assert [(packet.kind, packet.body) for packet in desk.answered] == [(DISCONNECT, b"\x87\0")]


def test_retain_needs_its_own_action(tmp_path: Path) -> None:
    for more, fine in (((), False), (("iot:RetainPublish",), True)):
        desk = Desk(tmp_path, wide("iot:Connect", "iot:Publish", *more)).say(connect(), publish("a", flags=1))
        assert desk.closed != fine
        assert desk.limits == ([] if fine else ["retain-denied"])


@pytest.mark.parametrize("wanted", ["gw/gw2/ack", "#", "gw/+/ack", "$share/group/gw/gw2/ack", "$share/x"])
def test_a_subscribe_that_no_policy_allows(online: Desk, wanted: str) -> None:
    assert broke(online.say(subscribe("gw/gw1/ack", wanted)), "subscribe-denied")


def test_a_message_it_may_not_receive(tmp_path: Path) -> None:
    desk = Desk(tmp_path, wide("iot:Connect", "iot:Subscribe")).say(connect(), subscribe("a"))
    desk.broker.clear()
    assert desk.hear(publish("a")) == [] and desk.limits == ["receive-denied"]
    assert desk.passed == [Packet(PUBACK, 0, b"\0\x07")], "the broker must not send it again"


def test_qos_2(online: Desk) -> None:
    online.say(publish(qos=2), subscribe("gw/gw1/ack", qos=2))
    assert online.limits == ["qos-2", "qos-2"]
    assert not online.closed and not online.passed and not online.answered
    online.dial()
    online.say(connect(level=5), publish(qos=2, level=5))
    assert online.closed and online.answered[-1].body[0] == 0x9B


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


def test_a_message_of_the_broker_itself(tmp_path: Path) -> None:
    documents = fleet_policies(narrow=False)
    desk = Desk(tmp_path, {name: tuple(map(Policy, many)) for name, many in documents.items()}).say(connect())
    desk.say(subscribe("$SYS/#", "$aws/things/#"))
    assert desk.hear(publish("$SYS/broker/clients/total")) == [] and desk.limits == ["broker-topics"]
    assert [one.kind for one in desk.hear(publish("$aws/things/gw2/shadow/update"))] == [PUBLISH]


def test_no_dup_is_delivered(online: Desk) -> None:
    assert [packet.flags for packet in online.hear(publish("gw/gw1/ack", flags=8))] == [2]


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


def test_basic_ingest_names_a_rule_that_does_not_exist(tmp_path: Path) -> None:
    failed: list[tuple[str, str]] = []
    desk = Desk(tmp_path, wide("iot:*"))
    rule = installed({"ruleName": "up", "sql": "SELECT *", "actions": [{"sqs": {"queueUrl": "q"}}]})
    desk.account.actions = Actions([rule], tmp_path, lambda *_: None, lambda *what: failed.append(what))
    desk.say(connect(), publish("$aws/rules/up/a"), publish("$aws/rules/down/a"))
    assert [name for name, _ in failed] == ["down"]
    assert [packet.kind for packet in desk.answered] == [PUBACK, PUBACK], "the engine took both"
    assert [packet.kind for packet in desk.passed] == [CONNECT], "none reaches the broker"


@pytest.mark.parametrize("bound", [True, False])
def test_the_fleets_policies_fit_an_account(bound: bool) -> None:
    """2 048 characters a document, white space left out."""
    for many in fleet_policies(bound=bound).values():
        assert all(len(json.dumps(one, separators=(",", ":"))) <= 2_048 for one in many)


# --- what else a client can do ---------------------------------------------------------------------------------


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


def test_the_page_of_reference_has_every_limit_as_it_stands() -> None:
    page = (Path(__file__).parents[4] / "docs/reference/aws.md").read_text(encoding="utf-8")
    assert limits.NEVER_CONFIRMED in page
    for one in limits.LIMITS:
        rated = " (rated)" if one.rated else ""
        assert f"| `{one.id}` | {one.what} | {one.does} | {one.source} | {one.mark}{rated} |" in page, one.id
