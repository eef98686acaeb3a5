"""The threat list and the matrix made from it."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

from reports.coverage import NO_VERDICT, NOT_COVERED, THREATS, load_threats, print_matrix, threat_matrix

Make = Callable[..., Path]


def body(
    started: str, scenario: str, threats: list[str], verdict: str = "", outcome: str = "passed"
) -> dict[str, object]:
    claims = [{"attack": "a", "verdict": verdict, "expected": "PREVENTED"}] if verdict else []
    entry = {"id": scenario, "threats": threats, "outcome": outcome, "claims": claims}
    return {"version": 1, "started": started, "scenarios": [entry]}


def test_the_list_is_whole_and_its_references_resolve() -> None:
    threats = load_threats()
    ids = [threat["id"] for threat in threats]
    assert len(ids) == len(set(ids)) == 58
    expected = {f"L{n:02d}" for n in range(1, 32)} - {"L05", "L28"}
    expected |= {"M01", "M02", "P01", "P02", "P03", "P04", "P05"}
    expected |= {f"G{n:02d}" for n in range(1, 10)} | {f"W{n:02d}" for n in range(1, 14)}
    assert set(ids) == expected
    assert {area for threat in threats for area in threat["answered_by"]} <= {"meter", "gateway", "endpoint", "portal"}
    assert all(set(claim["threats"]) <= set(ids) for claim in tomllib.loads(THREATS.read_text())["claim"])
    replay = next(threat for threat in threats if threat["id"] == "L08")
    assert replay["bsi"] == ["T.DataModificationLocal"]
    assert replay["claims"] == ["Replay is impossible, a counter prevents it"]


def test_what_no_scenario_names_is_not_covered() -> None:
    rows = threat_matrix([])
    assert {row.status for row in rows} == {NOT_COVERED}
    assert rows[0].as_json()["status"] == NOT_COVERED


def test_what_has_not_run_has_no_verdict_yet() -> None:
    rows = {row.id: row for row in threat_matrix([], declared={"card/test_replay.py::test": ["L08", "L09"]})}
    assert rows["L08"].status == rows["L09"].status == NO_VERDICT
    assert rows["L10"].status == NOT_COVERED
    rows = {row.id: row for row in threat_matrix([body("1", "s", ["L08"], outcome="skipped")])}
    assert rows["L08"].status == NO_VERDICT


def test_the_newest_run_of_a_scenario_counts() -> None:
    runs = [body("2026-02-01", "s", ["L08"], "SUCCEEDED"), body("2026-01-01", "s", ["L08"], "PREVENTED"),
            body("2026-01-02", "t", ["L08"], "PREVENTED")]  # fmt: skip
    row = next(row for row in threat_matrix(runs) if row.id == "L08")
    assert row.status == "1 PREVENTED, 1 SUCCEEDED; 1 not as expected"
    assert sorted(row.scenarios) == ["s", "t"]


def claims_of(rows: list[tuple[str, str, str, list[str]]]) -> dict[str, object]:
    claims = [
        {"attack": "a", "variant": v, "security": mode, "defences": "on", "verdict": verdict, "expected": verdict,
         "threats": threats}
        for v, mode, verdict, threats in rows
    ]  # fmt: skip
    claims.append({**claims[0], "defences": "off", "verdict": "SUCCEEDED"})
    return {"version": 1, "scenarios": [{"id": "s", "threats": ["L08", "L09"], "outcome": "passed", "claims": claims}]}


def test_verdicts_are_told_for_each_variant_and_mode_and_only_under_the_threats_they_speak_of() -> None:
    run = claims_of([("at once", "none", "PREVENTED", ["L08"]), ("at once", "mode5", "DETECTED", ["L08"]),
                     ("new number", "mode5", "SUCCEEDED", ["L09"]), ("both", "mode7", "TOLERATED", [])])  # fmt: skip
    rows = {row.id: row for row in threat_matrix([run])}
    assert rows["L08"].by_variant == [("a, at once", {"none": "X", "mode5": "D"}), ("a, both", {"mode7": "T"})]
    assert rows["L09"].by_variant == [("a, new number", {"mode5": "S"}), ("a, both", {"mode7": "T"})]
    assert rows["L09"].status == "1 SUCCEEDED, 1 TOLERATED"
    assert rows["L08"].as_json()["by_variant"][1] == {"variant": "a, both", "modes": {"mode7": "T"}}
    out = io.StringIO()
    print_matrix([rows["L08"]], file=out, rich=False)
    assert out.getvalue().splitlines()[1:3] == ["\tmode 0 X, mode 5 D\ta, at once", "\tmode 7 T\ta, both"]
    out = io.StringIO()
    print_matrix([rows["L08"]], file=out, rich=True)
    assert "mode 0 X, mode 5 D" in out.getvalue()


def test_what_was_not_expected_and_what_differs_between_scenarios_shows() -> None:
    run = claims_of([("v", "mode5", "PREVENTED", ["L08"]), ("v", "mode5", "SUCCEEDED", ["L08"]),
                     ("v", "mode7", "INCONCLUSIVE", ["L08"])])  # fmt: skip
    run["scenarios"][0]["claims"][1]["expected"] = "PREVENTED"  # type: ignore[index]
    (row,) = [row for row in threat_matrix([run]) if row.id == "L08"]
    assert row.by_variant == [("a, v", {"mode5": "X/S!", "mode7": "?"})]


def test_what_is_unlike_the_hypothesis_is_said_with_its_reason() -> None:
    threats = [{"id": "L08", "title": "t", "area": "radio", "hypothesis": {"none": "S", "mode5": "SX"}}]
    run = claims_of([("v", "none", "PREVENTED", []), ("v", "mode5", "SUCCEEDED", []), ("w", "mode5", "DETECTED", []),
                     ("v", "mode7", "SUCCEEDED", []), ("w", "none", "INCONCLUSIVE", [])])  # fmt: skip
    (row, _) = threat_matrix([run], threats)
    assert row.unlike == {"none": ["X"], "mode5": ["D"]}, "of mode 7 nothing was expected, and ? says nothing"
    said = "mode 0 X where S was expected; mode 5 D where S or X was expected"
    assert row.beside_hypothesis == f"{said}: why is not known yet"
    (row, _) = threat_matrix([run], [{**threats[0], "differs": "it is so"}])
    assert row.as_json()["beside_hypothesis"] == f"{said}: it is so"
    for rich, begins in ((False, "unlike what was expected: mode 0 X"), (True, "unlike what")):
        out = io.StringIO()
        print_matrix([row], file=out, rich=rich)
        assert begins in out.getvalue()
    (row, _) = threat_matrix([claims_of([("v", "none", "SUCCEEDED", [])])], threats)
    assert (row.unlike, row.beside_hypothesis) == ({}, "")


def test_each_hypothesis_has_letters_of_the_list_and_modes_of_the_bench() -> None:
    for threat in load_threats():
        hypothesis = threat.get("hypothesis", {})
        assert set(hypothesis) <= {"none", "mode5", "mode7"}
        assert all(letters and set(letters) <= set("SXDT") for letters in hypothesis.values())
        assert hypothesis or "differs" not in threat, threat["id"]


def test_all_seeds_of_a_scenarios_newest_run_stand_side_by_side() -> None:
    def seeded(seed: int, verdict: str) -> dict[str, object]:
        entry = body("1", "s", ["L08"], verdict)["scenarios"][0]  # type: ignore[index]
        return {**entry, "seed": seed}

    both = {"version": 1, "started": "2", "scenarios": [seeded(1, "SUCCEEDED"), seeded(2, "PREVENTED")]}
    older = {"version": 1, "started": "1", "scenarios": [seeded(1, "DETECTED")]}
    row = next(row for row in threat_matrix([both, older]) if row.id == "L08")
    assert sorted(one.verdict for one in row.verdicts) == ["PREVENTED", "SUCCEEDED"]
    assert row.by_variant == [("a", {"": "S!/X"})]


def test_an_unknown_threat_shows_as_a_row() -> None:
    row = threat_matrix([body("1", "s", ["L99"])])[-1]
    assert (row.id, row.title) == ("L99", "not in the threat list")


def test_the_card_covers_what_it_names(make_run: Make) -> None:
    run = json.loads((make_run() / "run.json").read_text())
    rows = {row.id: row for row in threat_matrix([run])}
    assert rows["L09"].status == "6 PREVENTED, 3 SUCCEEDED", "with all defences on: controls are not counted"
    assert len(rows["G01"].scenarios) == 2
    assert "conform" not in json.dumps([row.as_json() for row in rows.values()]).lower()


def test_threats_are_told_with_their_status() -> None:
    out = io.StringIO()
    run = {"version": 1, "scenarios": [{"id": "s", "threats": ["L08"], "outcome": "passed"}]}
    print_matrix(threat_matrix([run]), file=out, rich=False)
    lines = {line.split("\t")[0]: line.split("\t") for line in out.getvalue().splitlines()}
    assert lines["L08"][1:] == ["1 passed", lines["L08"][2], "s"]
    assert lines["L09"][1] == "not covered"
    out = io.StringIO()
    print_matrix(threat_matrix([run]), file=out, rich=True)
    assert "Freshness poisoning" in out.getvalue()


def test_a_what_if_run_stands_beside_and_spoils_nothing() -> None:
    stands, changed = body("2026-01-01", "s", ["L08"], "PREVENTED"), body("2026-02-01", "s", ["L08"], "SUCCEEDED")
    for what_if in ({"what_if": ["portal.strict=false"]}, {"replay": "./wmbench run s --set portal.strict=false"}):
        run = json.loads(json.dumps(changed))
        run["scenarios"][0].update(what_if)
        row = next(row for row in threat_matrix([stands, run]) if row.id == "L08")
        assert row.status == "1 PREVENTED"
        assert row.what_ifs == [("portal.strict=false", "a", {"": "S"})]
        for rich in (False, True):
            out = io.StringIO()
            print_matrix([row], file=out, rich=rich)
            assert "what if" in out.getvalue() and "portal.strict=false" in out.getvalue()


def test_somebodys_own_scenario_is_none_of_the_projects() -> None:
    runs = [body("1", "/tmp/test_mine.py::test_x", ["L08"], "SUCCEEDED")]
    row = next(row for row in threat_matrix(runs, declared={"s": ["L08"]}) if row.id == "L08")
    assert (row.scenarios, row.status) == (["s"], NO_VERDICT)
