"""Shadows on the companion's disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.endpoint.aws import shadow_file
from sim.endpoint.aws.shadows import Shadows
from sim.endpoint.kinds.aws_local import AwsLocal
from tests.sim.endpoint.brokers import found_mosquitto, until


def update(shadows: Shadows, thing: str, name: str | None, **reported: object) -> None:
    shadows.handle(thing, name, "update", json.dumps({"state": {"reported": reported}}).encode(), 7)


def test_what_was_written_is_what_comes_back(tmp_path: Path) -> None:
    shadows = Shadows()
    update(shadows, "b", None, firmware="1")
    update(shadows, "a", "named", firmware="2")
    update(shadows, "a", None, firmware="3")
    update(shadows, "a", None, firmware="4")
    assert shadows.changes == 4
    shadow_file.write(shadows, tmp_path)
    again = Shadows()
    shadow_file.restore(again, tmp_path)
    assert again.everything() == shadows.everything() and len(again.everything()) == 3
    found = shadow_file.classic(shadow_file.read(tmp_path))
    assert {thing: one["version"] for thing, one in found.items()} == {"a": 2, "b": 1}
    assert found["a"]["metadata"] == {"reported": {"firmware": {"timestamp": 7}}}
    shadows.handle("a", None, "get", b"", 8)
    shadows.handle("a", None, "update", b"{", 8)
    assert shadows.changes == 4, "neither a get nor a refusal changes anything"
    shadows.handle("a", None, "delete", b"", 8)
    assert shadows.changes == 5


@pytest.mark.parametrize("content", ["{", "{}", "[1]", '[{"state": {}}]'])
def test_a_file_that_is_none_of_ours_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / shadow_file.FILE).write_text(content)
    with pytest.raises(ValueError):  # noqa: PT011 (JSON's own words, or ours)
        shadow_file.read(tmp_path)
    assert shadow_file.read(tmp_path / "elsewhere") == []


def test_a_companion_that_is_started_again_knows_its_shadows(tmp_path: Path) -> None:
    found_mosquitto()
    local = AwsLocal(tmp_path / "endpoint")
    local.start()
    try:
        session = local.connect(local.identity("gw1"))
        until(local, lambda: session.connected)
        for firmware in ("1", "2"):
            session.publish(
                "$aws/things/gw1/shadow/update", b'{"state":{"reported":{"firmware":"%s"}}}' % firmware.encode()
            )
        until(local, lambda: session.unacknowledged == 0)
        before = local.shadows()
        assert before["gw1"]["state"] == {"reported": {"firmware": "2"}} and before["gw1"]["version"] == 2
        local.restart()
        assert local.shadows() == before
    finally:
        local.stop()
    assert local.shadows() == before, "and when it is stopped"
