"""Reading run directories, whole and broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reports import navigator
from reports.run_model import Claim, RunError, from_json, read_run
from sim.endpoint.aws.aws_limits import NEVER_CONFIRMED

Make = Callable[..., Path]


def test_a_whole_run_is_read_as_records(make_run: Make) -> None:
    run = read_run(make_run())
    assert (run.name, run.outcome, run.seed, run.notes) == ("card", "passed", 1, [])
    assert len(run.scenarios) == 5
    assert len(run.claims) == 42
    scenario, claim = run.claims[9]
    assert (scenario.threats, claim.attack, claim.variant) == (["L08", "L09"], "radio.replay", "at once")
    assert claim.evidence["telegrams delivered"] == 5
    assert scenario.worlds[0].digest == read_run(run.directory).scenarios[1].worlds[0].digest


@pytest.mark.parametrize(("endpoint", "noted"), [("aws_local", True), ("mosquitto", False), ("gone", False)])
def test_a_kinds_caveat_is_a_note_of_every_run_on_it(make_run: Make, endpoint: str, noted: bool) -> None:
    run = read_run(make_run(endpoint=endpoint))
    assert (NEVER_CONFIRMED in run.notes) == noted
    assert (NEVER_CONFIRMED in navigator.layer(run)["description"]) == noted


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run directory"):
        read_run(tmp_path / "nowhere")


def test_a_directory_without_a_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"run.json is missing.*no events.jsonl"):
        read_run(tmp_path)


def test_another_version_is_an_error(make_run: Make) -> None:
    with pytest.raises(RunError, match="version 2; this wmbench reads version 1"):
        read_run(make_run(version=2))


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_run_without_its_verdicts_is_interrupted_and_keeps_its_histories(make_run: Make, damage: str) -> None:
    directory = make_run()
    path = directory / "run.json"
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    run = read_run(directory)
    assert run.outcome == "interrupted"
    assert damage in run.notes[0]
    assert "12 histories" in run.notes[0]
    assert len(run.scenarios[0].worlds) == 12
    assert run.claims == []


def test_what_has_the_wrong_type_is_left_out_and_noted() -> None:
    body = {"version": 1, "seed": "one", "left_out": ["a", 3], "scenarios": [{"claims": [{"evidence": 4}, "x"]}, 7]}
    run = from_json(json.loads(json.dumps(body)))
    assert (run.seed, run.left_out) == (0, ["a"])
    assert len(run.scenarios) == 1
    assert run.scenarios[0].claims == [Claim()]
    assert any("seed" in note for note in run.notes)


def test_what_is_absent_is_inconclusive_never_passed() -> None:
    run = from_json({"version": 1, "scenarios": [{"claims": [{}]}]})
    assert run.outcome == run.scenarios[0].outcome == "inconclusive"
    assert run.scenarios[0].claims[0].verdict == "INCONCLUSIVE"
    assert not run.scenarios[0].claims[0].holds


def test_a_claim_holds_when_the_verdict_is_the_expected_one() -> None:
    assert Claim(verdict="SUCCEEDED", expected="SUCCEEDED").holds
    assert not Claim(verdict="SUCCEEDED", expected="PREVENTED").holds
    assert not Claim(verdict="INCONCLUSIVE", expected="INCONCLUSIVE").holds
