"""Shadows beyond the published cases: what arrives cannot stop the service, and bounds hold on both sides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sim.endpoint.aws.shadows import Shadows, request_of


def ask(shadows: Shadows, operation: str, payload: Any = None, name: str | None = None) -> dict[str, Any]:
    data = payload if isinstance(payload, bytes) else b"" if payload is None else json.dumps(payload).encode()
    return {reply.suffix: reply.document for reply in shadows.handle("t", name, operation, data, 1_000)}


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"\xff", b"1", b'{"state":{"desired":{"a":NaN}}}', b'{"state":{"desired":{"a":1e999}}}',
     b"[" * 99_999,
     b'{"state":{"reported":{"a":"\\ud800"}},"clientToken":1}', b"9" * 9_999],
    ids=range(10),
)  # fmt: skip
def test_what_is_not_a_request_is_rejected(payload: bytes) -> None:
    shadows = Shadows()
    replies = ask(shadows, "update", payload)
    assert list(replies) == ["update/rejected"]
    assert replies["update/rejected"]["code"] == 400
    assert shadows.get("t", None) is None


def test_versions_rise_over_deletion_and_a_stale_one_conflicts() -> None:
    shadows = Shadows()
    assert ask(shadows, "update", {"state": {"desired": {"a": 1}}})["update/accepted"]["version"] == 1
    assert ask(shadows, "update", {"state": {"desired": {"a": 2}}, "version": 1})["update/accepted"]["version"] == 2
    assert ask(shadows, "update", {"state": {"desired": {"a": 3}}, "version": 1})["update/rejected"]["code"] == 409
    assert ask(shadows, "delete")["delete/accepted"]["version"] == 2
    assert ask(shadows, "delete")["delete/rejected"]["code"] == 404
    assert ask(shadows, "update", {"state": {"desired": {"a": 1}}})["update/accepted"]["version"] == 3


@pytest.mark.parametrize(("length", "code"), [(64, None), (65, 400)])
def test_a_token_of_64_bytes_comes_back_and_one_of_65_is_refused(length: int, code: int | None) -> None:
    replies = ask(Shadows(), "update", {"state": {"desired": {"a": 1}}, "clientToken": "t" * length})
    if code is None:
        assert all(reply["clientToken"] == "t" * length for reply in replies.values())
        assert set(replies) == {"update/accepted", "update/delta", "update/documents"}
    else:
        assert replies["update/rejected"]["code"] == code


@pytest.mark.parametrize(("desired", "reported", "fits"), [(4_088, 4_088, True), (4_089, 4_088, False)])
def test_the_limit_counts_both_sections(desired: int, reported: int, fits: bool) -> None:
    state = {"desired": {"a": "x" * desired}, "reported": {"a": "x" * reported}}  # {"a":""} is 8 bytes
    assert ("update/accepted" in ask(Shadows(), "update", {"state": state})) == fits


def test_a_refused_update_changes_nothing_and_a_named_shadow_is_another() -> None:
    shadows = Shadows()
    ask(shadows, "update", {"state": {"desired": {"a": 1}}})
    before = shadows.get("t", None)
    ask(shadows, "update", {"state": {"desired": {"a": "x" * 9_000}}})
    ask(shadows, "update", {"state": {"desired": {"b": 1}}}, name="other")
    assert shadows.get("t", None) == before
    assert shadows.names("t") == ["other"]


def test_replies_are_copies() -> None:
    shadows = Shadows()
    ask(shadows, "update", {"state": {"desired": {"a": {"b": [1]}}}})["update/accepted"]["state"]["desired"]["a"][
        "b"
    ].append(2)
    ask(shadows, "get")["get/accepted"]["state"]["desired"]["a"]["b"].append(3)
    assert ask(shadows, "get")["get/accepted"]["state"]["desired"] == {"a": {"b": [1]}}


@pytest.mark.parametrize(
    ("topic", "request_"),
    [
        ("$aws/things/t/shadow/update", ("t", None, "update")),
        ("$aws/things/t/shadow/name/n/get", ("t", "n", "get")),
        ("$aws/things/t/shadow/update/accepted", None),
        ("$aws/things/t/shadow/name/get", None),
        ("$aws/things//shadow/get", None),
    ],
)
def test_a_request_is_known_by_its_topic(topic: str, request_: tuple[str, str | None, str] | None) -> None:
    assert request_of(topic) == request_
