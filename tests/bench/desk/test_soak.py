"""Hours of work that are broken off, what they remember, and a check of a gateway that is dead: a program that passes
lines on, and real pipes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bench.desk.contract_suite import DEAD_AFTER, Check, Result
from bench.desk.depth import Depth
from bench.desk.rows import soak
from bench.desk.rows.port import Row
from bench.desk.stand import Stand
from sim.core.clock import wall_ns, wall_s
from sim.desk.inventory import GatewayEntry, ListenSpec, RunSpec
from sim.feeders.port import Sent
from sim.readers.kinds.stdout import StdoutSpec
from tests.sim.desk.boxes import reference

PASSES_ON = 'while read -r line; do echo "$line"; done'
AGAIN_LATER = 'while read -r line; do echo "$line"; (sleep 0.3; echo "$line") & done'
DEADLINE_S = 60.0


def passing(*command: str) -> GatewayEntry:
    """A gateway that prints the lines that it is fed."""
    run = RunSpec(command=command, settle_s=0.0)
    entry = reference(run=run, listen=ListenSpec(broker=False), read=(StdoutSpec(format="rtl_wmbus"),))
    return dataclasses.replace(entry, claims=dataclasses.replace(entry.claims, gathers_s=0.0))


def test_a_soak_that_is_broken_off_says_what_it_saw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "_ROUND_S", 0.5)

    def first_minutes(stand: Stand) -> str:
        end_s = wall_s() + DEADLINE_S
        while not (tmp_path / "soak" / "soak.jsonl").exists() and wall_s() < end_s:
            stand.turn(0.05)
        return "they are over"

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    rows = [soak.ROW, Row("minutes", "The first minutes", first_minutes)]
    depth = Depth(patience_s=5.0, soak_h=72.0)
    check = Check(passing("sh", "-c", PASSES_ON), rows, tmp_path, depth, say=interrupt)
    with pytest.raises(KeyboardInterrupt):
        check.run()
    found = check.results["soak"]
    assert found.answer == "INCONCLUSIVE"
    assert found.words.startswith("stopped before its 72 h were over: ") and " telegrams in " in found.words
    assert json.loads((tmp_path / "soak" / "row.json").read_text())["words"] == found.words
    minutes = [json.loads(line) for line in (tmp_path / "soak" / "soak.jsonl").read_text().splitlines()]
    assert minutes[0]["fed"] >= 1 and minutes[0]["resident_bytes"] > 0


def test_what_comes_once_more_of_a_forgotten_minute_is_no_stranger(tmp_path: Path) -> None:
    with Stand(passing("sh", "-c", AGAIN_LATER), tmp_path, Depth(patience_s=20.0)) as stand:
        assert stand.await_all(stand.feed_all(stand.traffic.several(3)))
        stand.forget()
        end_s = wall_s() + DEADLINE_S
        while len((tmp_path / "delivered.jsonl").read_text().splitlines()) < 6 and wall_s() < end_s:
            stand.turn(0.05)
            stand.flush()
        assert len((tmp_path / "delivered.jsonl").read_text().splitlines()) == 6
        assert not stand.strangers and not stand.fed
        stand.forget()
        stand.forget()
        other = stand.traffic.next()
        assert stand.inject(stand.line.bytes_of(Sent(other.frame, "T1", -70.0, wall_ns())))
        while not stand.strangers and wall_s() < end_s:
            stand.turn(0.05)
        assert stand.strangers[0].frame == other.frame


@pytest.mark.parametrize("spoke", [False, True])
def test_of_a_dead_gateway_the_first_rows_are_tried(tmp_path: Path, spoke: bool) -> None:
    def play(stand: Stand) -> str:
        raise AssertionError(f"{stand.entry.name} did not start")

    rows = [Row(f"row-{at}", "A row", play) for at in range(DEAD_AFTER + 2)]
    said: list[Result] = []
    check = Check(passing("no-such-gateway"), rows, tmp_path, Depth(), side_by_side=1,
                  say=lambda one, *_: said.append(one))  # fmt: skip
    check._spoke = spoke
    check.run()
    assert {one.answer for one in said} == {"INCONCLUSIVE"}
    tried = [one.row for one in said if "no program 'no-such-gateway'" in one.words]
    assert len(tried) == (DEAD_AFTER + 2 if spoke else DEAD_AFTER)
    for one in said:
        assert one.row in tried or one.words.endswith("mend what row-0 says, and check it again"), one.words
        assert (tmp_path / one.row).exists() is (one.row in tried)


def test_a_flood_tries_no_more_where_nothing_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[bytes] = []

    def takes_nothing(_: Stand, piece: bytes) -> bool:
        tried.append(piece)
        return False

    monkeypatch.setattr("bench.desk.stand._STUCK_S", 0.0)
    monkeypatch.setattr(Stand, "inject", takes_nothing)
    with Stand(passing("sh", "-c", PASSES_ON), tmp_path, Depth()) as stand:
        fed = stand.flood(stand.traffic.several(5))
    assert len(tried) == 1 and not any(one.handed for one in fed)


def test_what_was_missed_before_the_first_delivery_is_not_asked_for(tmp_path: Path) -> None:
    late = 'read -r line; while read -r line; do echo "$line"; done'
    with Stand(passing("sh", "-c", late), tmp_path, Depth(patience_s=0.1)) as stand:
        fed = stand.hello()
        assert fed[0].came and fed[0] is not stand.fed[0]
