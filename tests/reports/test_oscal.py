"""OSCAL and the Navigator layer: satisfied only with a control, the same for the same run, read by another's library.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports import documents, navigator, oscal
from reports.findings import NOT_SATISFIED, OPEN, SATISFIED, findings
from reports.run_model import read_run
from reports.threat_list import threats
from tests.reports import evidence_run
from tests.reports.test_report_page import HOSTILE
from tests.reports.test_shots import change


def states(directory: Path) -> dict[tuple[str, str], str]:
    return {(finding.threat, finding.security): finding.state for finding in findings(read_run(directory))}


def claim_of(body: dict[str, Any], security: str, defences: str) -> dict[str, Any]:
    claims: list[dict[str, Any]] = body["scenarios"][0]["claims"]
    (found,) = [c for c in claims if (c["security"], c["defences"]) == (security, defences)]
    return found


def result_of(directory: Path) -> dict[str, Any]:
    body = oscal.results(read_run(directory))
    (result,) = body["assessment-results"]["results"]
    return dict(result)


def test_prevented_with_its_control_is_satisfied(tmp_path: Path) -> None:
    directory = evidence_run.write(tmp_path)
    assert set(states(directory).values()) == {SATISFIED}
    result = result_of(directory)
    assert len(result["findings"]) == 6 and len(result["observations"]) == 6
    assert {f["target"]["target-id"] for f in result["findings"]} == {"L08_obj", "L09_obj"}


def test_without_a_control_nothing_is_satisfied(tmp_path: Path) -> None:
    def edit(body: dict[str, Any]) -> None:
        for security in evidence_run.ORIGINALS:
            claim_of(body, security, "off")["verdict"] = "PREVENTED"

    directory = change(evidence_run.write(tmp_path), edit)
    assert set(states(directory).values()) == {OPEN}
    result = result_of(directory)
    assert "findings" not in result and len(result["observations"]) == 6


def test_a_control_of_another_mode_is_said_to_be_borrowed(tmp_path: Path) -> None:
    def edit(body: dict[str, Any]) -> None:
        claim_of(body, "mode7", "off")["verdict"] = "PREVENTED"

    directory = change(evidence_run.write(tmp_path), edit)
    assert states(directory)["L08", "mode7"] == SATISFIED
    marked = [f["title"] for f in result_of(directory)["findings"]
              if any(prop["name"] == "borrowed-control" for prop in f["props"])]  # fmt: skip
    assert [title[:11] for title in marked] == ["L08, mode 7", "L09, mode 7"]


@pytest.mark.parametrize(
    ("verdict", "state"),
    [("SUCCEEDED", NOT_SATISFIED), ("INCONCLUSIVE", OPEN), ("DETECTED", SATISFIED), ("invented", OPEN)],
)
def test_a_verdict_decides_its_mode_and_no_other(tmp_path: Path, verdict: str, state: str) -> None:
    def edit(body: dict[str, Any]) -> None:
        claim_of(body, "mode5", "on")["verdict"] = verdict

    directory = change(evidence_run.write(tmp_path), edit)
    found = states(directory)
    assert found["L08", "mode5"] == state
    assert {found["L08", "none"], found["L08", "mode7"]} == {SATISFIED}
    shown = {f["title"].partition(":")[0] for f in result_of(directory).get("findings", [])}
    assert ("L08, mode 5" in shown) == (state != OPEN)


def test_an_interrupted_scenario_satisfies_nothing(tmp_path: Path) -> None:
    directory = change(evidence_run.write(tmp_path), lambda body: body["scenarios"][0].update(outcome="interrupted"))
    assert set(states(directory).values()) == {OPEN}


def test_a_claim_speaks_of_its_own_threats_only(tmp_path: Path) -> None:
    def edit(body: dict[str, Any]) -> None:
        for claim in body["scenarios"][0]["claims"]:
            claim["threats"] = ["L08"]

    assert {threat for threat, _ in states(change(evidence_run.write(tmp_path), edit))} == {"L08"}


def test_evidence_is_linked_by_the_sums_of_the_files_that_lie_there(tmp_path: Path) -> None:
    directory = evidence_run.write(tmp_path)
    documents.write_all(directory)
    body = json.loads((directory / oscal.RESULTS_FILE).read_text())["assessment-results"]
    resources = {resource["uuid"]: resource for resource in body["back-matter"]["resources"]}
    linked = [link for resource in resources.values() for link in resource["rlinks"] if "hashes" in link]
    assert len(linked) == 7  # run.json, and of each of two worlds its history, capture and tables
    for link in linked:
        assert hashlib.sha256((directory / link["href"]).read_bytes()).hexdigest() == link["hashes"][0]["value"]
    for observation in body["results"][0]["observations"]:
        hrefs = [row["href"] for row in observation["relevant-evidence"] if "href" in row]
        assert len(hrefs) == 3 and all(href[1:] in resources for href in hrefs)
        assert any("received in packets" in row["description"] for row in observation["relevant-evidence"])


def test_equal_runs_give_equal_documents(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        directory = evidence_run.write(tmp_path / name)
        documents.write_all(directory)
        names = (oscal.RESULTS_FILE, oscal.CATALOG_FILE, navigator.FILE)
        once = [(directory / name).read_bytes() for name in names]
        documents.write_all(directory)
        assert [(directory / name).read_bytes() for name in names] == once
        texts.append(once)
    assert texts[0] == texts[1]


def test_the_catalogue_has_every_threat_and_its_places_in_other_lists() -> None:
    groups = oscal.catalog()["catalog"]["groups"]
    controls = {control["id"]: control for group in groups for control in group["controls"]}
    assert list(controls) == list(threats())
    props = {(prop["name"], prop["value"]) for prop in controls["L08"]["props"]}
    assert {("bsi-control", "DEV.3.1"), ("attack-ics", "T0856"), ("stride", "tampering")} <= props
    assert [id_ for id_, threat in threats().items() if threat.cwe] == ["L06"]
    for threat in threats().values():
        assert threat.remedy.endswith(".") and threat.stride


def test_the_layer_scores_decided_findings(tmp_path: Path) -> None:
    def edit(body: dict[str, Any]) -> None:
        claim_of(body, "mode5", "on")["verdict"] = "SUCCEEDED"
        claim_of(body, "mode7", "on")["verdict"] = "INCONCLUSIVE"

    layer = navigator.layer(read_run(change(evidence_run.write(tmp_path), edit)))
    assert layer["domain"] == "ics-attack"
    by_id = {row["techniqueID"]: row for row in layer["techniques"]}
    assert set(by_id) == {"T0856", "T0860"}
    assert by_id["T0856"]["score"] == 50
    assert by_id["T0856"]["comment"] == "radio/test_replay.py::test_replay"
    assert {"name": "L08, mode 7", "value": "open"} in by_id["T0856"]["metadata"]


# --- another's library -----------------------------------------------------------------------------------------


def hostile(body: dict[str, Any]) -> None:
    body.update(title=HOSTILE, commit="", started="yesterday", left_out=[HOSTILE], versions={"a b\x1b": HOSTILE})
    for claim in body["scenarios"][0]["claims"]:
        claim.update(attack=HOSTILE, variant=" \x1b[0m\n ", title="", why=HOSTILE, control="")


def empty(body: dict[str, Any]) -> None:
    body.update(scenarios=[])


@pytest.mark.parametrize("edit", [lambda body: None, hostile, empty], ids=["whole", "hostile", "empty"])
def test_trestle_reads_both_documents(tmp_path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    pytest.importorskip("trestle")
    from trestle.oscal import OSCAL_VERSION
    from trestle.oscal.assessment_results import AssessmentResults
    from trestle.oscal.catalog import Catalog

    assert OSCAL_VERSION == oscal.OSCAL
    directory = change(evidence_run.write(tmp_path), edit)
    catalog_path, results_path = oscal.write_oscal(directory)
    catalog = Catalog.oscal_read(catalog_path)
    assert sum(len(group.controls) for group in catalog.groups) == len(threats())
    found = AssessmentResults.oscal_read(results_path)
    observed = [] if edit is empty else found.results[0].observations
    assert len(observed) == (0 if edit is empty else 6)
    body = json.loads(results_path.read_text())
    body["assessment-results"]["results"][0].pop("reviewed-controls")
    results_path.write_text(json.dumps(body))
    with pytest.raises(Exception, match="reviewed-controls"):
        AssessmentResults.oscal_read(results_path)


def test_a_packet_that_nobody_received_is_not_among_those_received(tmp_path: Path) -> None:
    directory = evidence_run.write(tmp_path)
    body = oscal.results(read_run(directory))["assessment-results"]["results"][0]
    said = [row["description"] for one in body["observations"] for row in one["relevant-evidence"]]
    told = (
        "received in packets 8 of air.pcapng; not received, in packets 9 of air.pcapng; brought to the portal in "
        "packets 11 of air.pcapng; refused: replayed counter"
    )
    assert any(told in text for text in said)


def test_the_clean_twins_files_and_the_shots_left_out_are_named(tmp_path: Path) -> None:
    directory = evidence_run.write(tmp_path)
    path = directory / "run.json"
    run = json.loads(path.read_text())
    scenario = run["scenarios"][0]
    shutil.copytree(directory / "radio-test-replay-1/on", directory / "radio-test-replay-1/clean")
    scenario["worlds"].append(
        {**scenario["worlds"][0], "role": "clean twin", "variant": "clean", "directory": "radio-test-replay-1/clean"}
    )
    scenario["claims"][0]["shots"] *= oscal.LISTED + 3
    path.write_text(json.dumps(run))
    results = oscal.results(read_run(directory))["assessment-results"]
    linked = {link["href"] for resource in results["back-matter"]["resources"] for link in resource["rlinks"]}
    kept = ("events.jsonl", "air.pcapng", "portal/portal.sqlite.gz")
    assert {f"radio-test-replay-1/clean/{name}" for name in kept} <= linked
    for observation in results["results"][0]["observations"]:
        assert sum("clean twin" in row["description"] for row in observation["relevant-evidence"]) == 3
    evidence = results["results"][0]["observations"][0]["relevant-evidence"]
    assert evidence[-1]["description"].startswith("and 3 more shots, in run.json")
