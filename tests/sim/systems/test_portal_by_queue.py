"""The portal beside AWS takes bundles from a queue that a topic rule fills; and what AWS could read of them, per
mode."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench.rig import secrets
from sim.core.clock import NS_PER_S
from sim.endpoint.aws.portal_queue import Queue, messages
from sim.endpoint.kinds.aws_local import AwsLocal
from sim.endpoint.port import Message
from sim.faults.portal_killed import PortalKilled
from sim.world import World
from tests.sim.endpoint.brokers import found_mosquitto
from tests.small_worlds import dozen, keyless

RUN_NS = 240 * NS_PER_S


def stored(world: World) -> list[tuple[str, object]]:
    return sorted((row.meter, row.units) for row in keyless(world).portal.store.readings())


def test_a_queue_and_files_bring_what_a_subscription_brings(tmp_path: Path) -> None:
    """Of files though the portal is killed after a commit and before it acknowledges, and hears the same again."""
    found_mosquitto()
    found = []
    for way in ("subscription", "queue", "file"):
        (tmp_path / way).mkdir()
        with World(dozen(tmp_path / way, endpoint__kind="aws_local", endpoint__portal_by=way), 3,
                   tmp_path / way / "world") as world:  # fmt: skip
            world.run(RUN_NS // 2)
            came: Counter[bytes] = Counter()
            tap = keyless(world).message_taps
            tap.append(lambda many, _now_ns, came=came: came.update(one.payload for one in many))  # type: ignore[misc]
            if way == "file":
                world.fault(PortalKilled(phase="commit"))
            world.run(RUN_NS // 2)
            found.append(stored(world))
            endpoint = keyless(world).endpoint
            assert world.truth.missing() == [] and world.truth.doubled() == 0
        assert (max(came.values()) > 1) == (way == "file"), "what was committed and not acknowledged came again"
        assert isinstance(endpoint, AwsLocal)
        actions = endpoint.directory / "actions"
        assert (way == "queue") == (actions / "sqs" / "portal.jsonl").exists()
        assert (way == "file") == (actions / "s3").exists()
        assert [one for one in actions.rglob("*.json") if one.is_file()] == [], "each file was taken"
    assert found[0] == found[1] == found[2] and len(found[0]) > 20


def test_aws_reads_no_value_that_is_encrypted_and_every_one_that_is_not(tmp_path: Path) -> None:
    """Everything that lies with AWS: payloads and topics in the queue, the broker's store, the companion's logs, what a
    rule's action wrote. Mode 0 is the control: there the same search finds what was sent."""
    found_mosquitto()
    rules = [{"ruleName": "keep", "topicRulePayload": {
        "sql": "SELECT * FROM 'gw/+/up'", "awsIotSqlVersion": "2016-03-23",
        "actions": [{"s3": {"bucketName": "kept", "key": "${topic(2)}/${timestamp()}.json"}}]}}]  # fmt: skip
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    with World(dozen(tmp_path, endpoint__kind="aws_local", endpoint__portal_by="queue",
                     endpoint__rules=str(tmp_path / "rules.json")), 3, tmp_path / "world") as world:  # fmt: skip
        seen: list[Message] = []
        keyless(world).message_taps.append(lambda many, _now_ns: seen.extend(many))
        world.run(RUN_NS)
        hidden = secrets.of_world(world)
        endpoint = keyless(world).endpoint
        assert isinstance(endpoint, AwsLocal)
        directory, authority = endpoint.directory, endpoint.authority.directory
        clear = secrets.Secrets({
            f"{fleet_meter}": bytes(world.fleet.telegram(fleet_meter, 3))[-20:]
            for fleet_meter in range(world.fleet.n) if world.fleet.key(fleet_meter) is None
        })  # fmt: skip
    assert seen and list((directory / "actions" / "s3" / "kept").iterdir())
    everything = [*(one.payload for one in seen), *(one.topic.encode() for one in seen), *files(directory, authority)]
    assert [found for block in everything for found in hidden.within(block)] == []
    shown = {found.secret for block in everything for found in clear.within(block)}
    assert len(shown) == 4, "the control: what mode 0 sends stands there"


def files(directory: Path, but: Path) -> Iterable[bytes]:
    return (one.read_bytes() for one in sorted(directory.rglob("*")) if one.is_file() and but not in one.parents)


def test_a_queue_gives_again_what_the_portal_did_not_commit(tmp_path: Path) -> None:
    place = tmp_path / "sqs" / "portal.jsonl"
    place.parent.mkdir()
    line = b'{"body": "{\\"topic\\": \\"gw/a/up\\", \\"payload\\": \\"eA==\\"}"}\n'
    place.write_bytes(line + line[:9])
    queue = Queue(tmp_path)
    assert queue.waiting() == queue.waiting() == [Message("gw/a/up", b"x")]
    place.write_bytes(line + line)
    queue.taken()
    assert queue.waiting() == [Message("gw/a/up", b"x")], "what came since, and the half line is whole now"
    queue.taken()
    assert queue.waiting() == []


@pytest.mark.parametrize("line", [b"{}\n", b"x\n", b'{"body": 7}\n', b'{"body": "{}"}\n', b'{"body": "[]"}\n',
                                  b'{"body": "{\\"topic\\": \\"t\\", \\"payload\\": \\"?\\"}"}\n'])  # fmt: skip
def test_a_line_of_somebody_elses_is_left_out(line: bytes) -> None:
    good = b'{"body": "{\\"topic\\": \\"gw/a/up\\", \\"payload\\": \\"eA==\\"}"}\n'
    assert messages(good + line + good) == [Message("gw/a/up", b"x")] * 2
