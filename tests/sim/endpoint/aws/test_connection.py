"""What a connection to the companion refuses by policy, and the table of limits that these files hold.

Each row of aws_limits.LIMITS is broken by a client's own bytes; the same bytes just inside the bound pass.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sim.endpoint.aws import aws_limits as limits
from sim.endpoint.aws.certificate_claims import Registered
from sim.endpoint.aws.fleet_policies import fleet_policies
from sim.endpoint.aws.rule_actions import Actions, installed
from sim.endpoint.mqtt_wire import CONNACK, CONNECT, DISCONNECT, PUBACK, Packet
from tests.sim.endpoint.aws.client_desk import Desk, broke, connect, publish, subscribe, text, wide

# --- every row -------------------------------------------------------------------------------------------------


def test_every_limit_names_a_test_that_is_in_this_folder() -> None:
    tests = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    missing = [one.id for one in limits.LIMITS if f"def test_{one.test}(" not in tests]
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


def test_the_page_of_reference_has_every_limit_as_it_stands() -> None:
    page = (Path(__file__).parents[4] / "docs/reference/aws.md").read_text(encoding="utf-8")
    assert limits.NEVER_CONFIRMED in page
    for one in limits.LIMITS:
        rated = " (rated)" if one.rated else ""
        row = f"| `{one.id}` | {one.what} | {one.does} | {one.source} | {one.mark}{rated} | `test_{one.test}` |"
        assert row in page, one.id
    assert page.count("| `test_") == len(limits.LIMITS), "a row of the page that is no rule"


def test_whatever_the_companion_says_it_enforced_is_a_row() -> None:
    """Its log is what a page of verdicts is read beside."""
    rooms = Path(limits.__file__).parent.glob("*.py")
    source = "".join(file.read_text(encoding="utf-8") for file in rooms)
    words = set(re.findall(r'(?:Refused|_refuse_connect)\(\s*"([a-z0-9-]+)"', source))
    words |= set(re.findall(r'\bsaid\([^"()]*(?:\([^()]*\))?[^"()]*"([a-z0-9-]+)"', source))
    assert len(words) > 25, words
    assert words - {one.id for one in limits.LIMITS} == {"broker"}, "which is the broker's fault, and breaks no rule"


# --- what no policy allows ---------------------------------------------------------------------------------------


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
