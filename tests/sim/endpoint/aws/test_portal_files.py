"""A portal that takes bundles from the files of a topic rule: each is stored once, whenever the portal is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.endpoint.aws import portal_files
from sim.endpoint.aws.bill import Meter
from sim.endpoint.aws.portal_files import Files
from sim.endpoint.aws.rule_actions import Actions, installed
from sim.endpoint.aws.rule_function import Facts
from sim.endpoint.port import Message
from sim.portal.store.sqlite import SqliteStore
from tests.forked import die, exit_code
from tests.sim.portal.bed import Bed, acked, telegram

AT_MS = 1_700_000_000_000


def put(folder: Path, *messages: Message) -> list[str]:
    """As the companion runs the rules; what failed."""
    failed: list[str] = []
    rules = [installed(one) for one in portal_files.RULES]
    actions = Actions(rules, folder, lambda *_: None, lambda _rule, why: failed.append(why))
    for one in messages:
        actions.handle(one.payload, Facts(topic=one.topic, clock_ms=AT_MS), Meter())
    return failed


def lying(folder: Path) -> list[Path]:
    return sorted(one for one in (folder / "s3").rglob("*") if one.is_file())


def test_two_bundles_of_one_millisecond_are_two_files_and_one_that_comes_again_is_one(tmp_path: Path) -> None:
    said = [Message("gw/a/up", b'{"x":1}'), Message("gw/a/up", b'{"x": 1}'), Message("gw/b/up", b"\x00\xff")]
    assert put(tmp_path, *said, said[0]) == []
    files = Files(tmp_path)
    assert sorted(files.waiting(), key=repr) == sorted(said, key=repr)
    assert len(lying(tmp_path)) == 3
    files.taken()
    assert (lying(tmp_path), files.waiting()) == ([], [])


def test_what_comes_while_the_portal_commits_is_not_forgotten(tmp_path: Path) -> None:
    put(tmp_path, Message("gw/a/up", b"1"))
    files = Files(tmp_path)
    assert len(files.waiting()) == 1
    put(tmp_path, Message("gw/a/up", b"2"))
    files.taken()
    assert files.waiting() == [Message("gw/a/up", b"2")]
    assert files.waiting() == [Message("gw/a/up", b"2")], "not taken: given again"


@pytest.mark.parametrize("content", [b"", b"x", b"[]", b"7", b"{}", b'{"topic":"t","payload":"?"}', b"[" * 9_000])
def test_a_file_of_somebody_elses_is_put_aside_once(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, Message("gw/a/up", b"1"))
    odd = tmp_path / "s3" / portal_files.BUCKET / "a" / "odd.json"
    odd.write_bytes(content)
    files = Files(tmp_path)
    assert files.waiting() == [Message("gw/a/up", b"1")]
    assert not odd.exists()
    assert (tmp_path / "s3" / portal_files.ASIDE / "a" / "odd.json").read_bytes() == content


def test_a_gateway_whose_name_is_no_file_name_fails_aloud(tmp_path: Path) -> None:
    failed = put(tmp_path, Message("gw/../up", b"1"))
    assert len(failed) == 1 and "no file can be named" in failed[0]
    assert not (tmp_path / "s3").exists() or lying(tmp_path) == []


def dying(directory: Path, actions: Path, point: str) -> None:
    bed, files = Bed(directory), Files(actions)
    found = files.waiting()
    if point == "before the commit":
        SqliteStore._many = die  # type: ignore[method-assign]
    bed.take(*found, now_s=2_705.0)
    if point == "after the commit":
        die()
    unlink = Path.unlink
    Path.unlink = lambda one, **_: (unlink(one), die())  # type: ignore[method-assign,assignment]
    files.taken()


POINTS = {"before the commit": (0, 3), "after the commit": (3, 3), "amid the files": (3, 2)}
"""Readings that are stored then, and files that lie there still."""


@pytest.mark.parametrize("point", POINTS)
def test_a_portal_that_is_killed_stores_each_bundle_once(tmp_path: Path, point: str) -> None:
    """By SIGKILL, with three files of which two hold the same telegram."""
    actions, portal = tmp_path / "actions", tmp_path / "portal"
    portal.mkdir()
    writer = Bed(tmp_path / "writer")
    said = [writer.message("gw1", [(telegram(k), k * 900.0)]) for k in (1, 2)]
    said.append(writer.message("gw2", [(telegram(k), k * 900.0) for k in (1, 3)]))
    assert put(actions, *said) == []
    stored, left = POINTS[point]
    assert exit_code(dying, portal, actions, point) == -9
    bed, files = Bed(portal), Files(actions)
    assert (bed.portal.store.count_readings(), len(lying(actions))) == (stored, left)
    answers = bed.take(*files.waiting(), now_s=2_710.0)
    files.taken()
    assert sum(len(acked(one)) for one in answers) == left, "each of them is acknowledged, again or for the first time"
    assert sorted(row.acc for row in bed.portal.store.readings()) == [1, 2, 3]
    assert bed.portal.store.refusals() == []
    assert lying(actions) == []
