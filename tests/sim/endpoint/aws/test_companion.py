"""The companion as a process, with real sockets and TLS: what a connection alone cannot show."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import sqlite3
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.endpoint.aws.aws_limits import BEFORE_CONNECT_S
from sim.endpoint.aws.bill import Meter
from sim.endpoint.kinds.aws_local import AwsLocal, AwsLocalSpec
from sim.endpoint.port import Address, EndpointError, Session
from tests.sim.endpoint.brokers import found_mosquitto, states, until

RULES = [
    {"ruleName": "portal", "topicRulePayload": {
        "sql": "SELECT temp AS t, topic(2) AS id FROM 'gw/+/up' WHERE temp > 50", "awsIotSqlVersion": "2016-03-23",
        "actions": [
            {"republish": {"topic": "fence/${topic(2)}", "qos": 1}},
            {"s3": {"bucketName": "store", "key": "${topic(2)}/${temp}.json"}},
            {"timestream": {"tableName": "readings", "dimensions": [{"name": "gateway", "value": "${clientid()}"}]}},
            {"sqs": {"queueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/portal"}},
            {"lambda": {"functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:keep"}},
        ]}},
    {"ruleName": "hostile", "topicRulePayload": {
        "sql": "SELECT * FROM 'gw/+/birth'", "actions": [{"s3": {"bucketName": "store", "key": "${name}"}}],
        "errorAction": {"sqs": {"queueUrl": "errors"}}}},
]  # fmt: skip


@pytest.fixture
def local(tmp_path: Path) -> Iterator[AwsLocal]:
    found_mosquitto()
    kept = tmp_path / "kept.json"
    program = [sys.executable, "-c", f"import sys; open({str(kept)!r}, 'w').write(sys.stdin.read())"]
    (tmp_path / "rules.json").write_text(json.dumps(RULES), encoding="utf-8")
    (tmp_path / "functions.json").write_text(json.dumps({"keep": program}), encoding="utf-8")
    spec = AwsLocalSpec(rules=str(tmp_path / "rules.json"), functions=str(tmp_path / "functions.json"))
    made = AwsLocal(tmp_path / "endpoint", spec)
    made.start()
    yield made
    made.stop()


def online(local: AwsLocal, name: str, *topics: str) -> Session:
    session = local.connect(local.identity(name), subscribe=topics)
    until(local, lambda: session.connected)
    return session


def limits(local: AwsLocal) -> list[tuple[str, str]]:
    return [(one["client"], one["limit"]) for one in local.enforced()]


def test_a_shadow_answers_its_thing_and_nobody_else(local: AwsLocal) -> None:
    shadow = "$aws/things/gw1/shadow"
    gateway = online(local, "gw1", f"{shadow}/update/accepted", f"{shadow}/update/delta", f"{shadow}/get/accepted")
    gateway.publish(f"{shadow}/update", b'{"state":{"desired":{"firmware":"2"},"reported":{"firmware":"1"}}}')
    until(local, lambda: len(gateway.inbox) == 2)
    gateway.publish(f"{shadow}/get", b"")
    until(local, lambda: len(gateway.inbox) == 3)
    documents = {message.topic.removeprefix(f"{shadow}/"): json.loads(message.payload) for message in gateway.inbox}
    assert documents["update/delta"]["state"] == {"firmware": "2"}
    assert documents["get/accepted"]["version"] == 1
    other = online(local, "gw2")
    other.publish(f"{shadow}/get", b"")
    until(local, lambda: other.connects == 2)
    assert ("gw2", "publish-denied") in limits(local)


def test_a_rule_reaches_every_action(local: AwsLocal, tmp_path: Path) -> None:
    gateway = online(local, "gw1")
    gateway.publish("gw/gw1/up", b'{"temp": 60}')
    gateway.publish("gw/gw1/up", b'{"temp": 40}')
    gateway.publish("$aws/rules/portal/gw/gw1/up", b'{"temp": 70}')
    until(local, lambda: not gateway.unacknowledged)
    until(local, local.fence(gateway))
    actions = local.directory / "actions"
    assert sorted(path.name for path in (actions / "s3/store/gw1").iterdir()) == ["60.json", "70.json"]
    assert json.loads((actions / "s3/store/gw1/60.json").read_text()) == {"t": 60, "id": "gw1"}
    with sqlite3.connect(actions / "timestream.sqlite") as table:
        rows = table.execute("SELECT table_name, dimensions, measure_name, measure_value FROM records").fetchall()
    assert ("readings", '{"gateway": "gw1"}', "t", "60") in rows and len(rows) == 4
    assert len((actions / "sqs/portal.jsonl").read_text().splitlines()) == 2
    assert json.loads((tmp_path / "kept.json").read_text()) == {"t": 70, "id": "gw1"}
    assert limits(local) == []
    gateway.publish("$aws/rules/portal/gw/gw2/up", b'{"temp": 80}')
    until(local, lambda: gateway.connects == 2)
    assert limits(local)[0] == ("gw1", "publish-denied")


def test_a_key_from_a_payload_stays_in_its_bucket(local: AwsLocal) -> None:
    gateway = online(local, "gw1")
    names = ["../../outside", "/", "..", "a\nb", "x" * 300, ""]
    for name in names:
        gateway.publish("gw/gw1/birth", json.dumps({"name": name}).encode())
    until(local, local.fence(gateway))
    assert limits(local) == [("hostile", "rule-action")] * len(names)
    assert not (local.directory / "actions" / "s3").exists() and not list(local.directory.parent.glob("**/outside"))
    assert len((local.directory / "actions/sqs/errors.jsonl").read_text().splitlines()) == len(names)


def test_a_second_session_ends_the_first(local: AwsLocal) -> None:
    genuine = online(local, "gw1")
    clone = local.connect(local.identity("gw1"))
    until(local, lambda: "dropped" in states(genuine) and clone.connects >= 1)
    assert ("gw1", "duplicate-id") in limits(local)


def test_a_certificate_that_is_not_good(local: AwsLocal) -> None:
    online(local, "gw1").close()
    local.revoke("gw1")
    local.settle(lambda: False, 0.1)
    revoked = local.connect(local.identity("gw1"))
    until(local, lambda: "refused" in states(revoked))
    assert "revoked" in revoked.log[0][1]
    until(local, lambda: "certificate" in {limit for _, limit in limits(local)})


def test_a_live_session_whose_certificate_is_revoked(local: AwsLocal) -> None:
    """Closed, and let in no more; the sessions of others go on."""
    revoked, other = online(local, "gw1"), online(local, "gw2")
    local.revoke("gw1")
    until(local, lambda: "dropped" in states(revoked) and "refused" in states(revoked))
    assert revoked.connects == 1
    assert ("gw1", "revoked-live") in limits(local)
    other.publish("gw/gw2/up", b"still here")
    until(local, lambda: not other.unacknowledged)
    assert other.connects == 1 and ("gw2", "revoked-live") not in limits(local)


CLOSE_NOTIFY = bytes.fromhex("15030300020100")  # RFC 5246, 7.2.1: this side ends in order


def client_hello() -> bytes:
    context = ssl.create_default_context()
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("hello", [False, True], ids=["a look at the port", "an end amid the handshake"])
def test_who_goes_before_a_certificate_is_judged_broke_no_rule(local: AwsLocal, hello: bool) -> None:
    assert local.address is not None
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", local.address.port)) as look:
            look.sendall(client_hello() + CLOSE_NOTIFY if hello else b"")
    online(local, "gw1")
    assert limits(local) == []


def test_a_handshake_without_a_server_name(local: AwsLocal) -> None:
    assert local.address is not None
    nameless = local.connect(local.identity("gw1"), address=Address("127.0.0.1", local.address.port))
    until(local, lambda: "refused" in states(nameless))
    assert "unrecognized name" in nameless.log[0][1]
    assert ("", "sni") in limits(local)


@pytest.mark.night
def test_who_says_nothing_is_let_go(local: AwsLocal) -> None:
    assert local.address is not None
    with socket.create_connection((local.address.host, local.address.port)) as silent:
        silent.settimeout(4 * BEFORE_CONNECT_S)
        assert silent.recv(1) == b""
    assert limits(local)[-1][1] == "no-connect"


def test_a_full_disk_ends_no_connection(local: AwsLocal) -> None:
    """What cannot be written is written when there is room."""
    gateway = online(local, "gw1")
    assert local.pid is not None
    _, hard = resource.prlimit(local.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(local.pid, resource.RLIMIT_FSIZE, (0, hard))
    thief = local.connect(local.identity("gw2"))
    until(local, lambda: thief.connected)
    thief.publish("gw/gw1/up", b"x")
    until(local, lambda: "dropped" in states(thief))
    thief.close()
    gateway.publish("$aws/things/gw1/shadow/update", b'{"state":{"reported":{"firmware":"1"}}}')
    until(local, local.fence(gateway))
    local.settle(lambda: False, 1.2)  # the files of each second
    assert local.pid is not None and gateway.connects == 1
    resource.prlimit(local.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert local.shadows()["gw1"]["state"] == {"reported": {"firmware": "1"}}


def test_the_broker_behind_has_no_port_and_leaves_no_process(local: AwsLocal) -> None:
    pids = {local.pid, local.broker_pid}
    assert len(pids) == 2 and None not in pids
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {line[9] for line in listening if line[3] == "0A"}
    for path in Path(f"/proc/{local.broker_pid}/fd").iterdir():
        if not path.is_symlink():
            continue  # closed meanwhile, so it does not listen
        assert path.readlink().name.removeprefix("socket:[").rstrip("]") not in inodes
    local.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert local.meter() != Meter() and local.meter().messages >= 1


@pytest.mark.parametrize(
    ("rules", "said"),
    [("{", "no JSON"), ("{}", "holds no JSON list"), ('[{"ruleName": "x"}]', "no 'sql'"),
     ('[{"ruleName": "x", "sql": "SELECT FROM", "actions": [{"sqs": {"queueUrl": "q"}}]}]', "character 8"),
     ('[{"ruleName": "x", "sql": "SELECT *", "actions": [{"sns": {}}]}]', "no action 'sns' here"),
     ('[{"ruleName": "x", "sql": "SELECT *", "actions": [{"s3": {"key": "k"}}]}]', "lacks 'bucketName'")],
)  # fmt: skip
def test_a_wrong_rule_is_named_and_nothing_runs(tmp_path: Path, rules: str, said: str) -> None:
    found_mosquitto()
    (tmp_path / "rules.json").write_text(rules, encoding="utf-8")
    made = AwsLocal(tmp_path / "e", AwsLocalSpec(rules=str(tmp_path / "rules.json")))
    with pytest.raises(EndpointError) as refused:
        made.start()
    assert said in str(refused.value)
    assert made.pid is None and made.broker_pid is None
