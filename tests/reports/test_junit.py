"""junit.xml as CI reads it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.junit import as_xml, write_junit
from reports.run_model import from_json

Make = Callable[..., Path]


def test_a_passed_run_is_a_suite_of_passed_cases(make_run: Make) -> None:
    path = write_junit(make_run())
    suite = ET.parse(path).getroot().find("testsuite")
    assert suite is not None
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "name")} == {
        "tests": "5", "failures": "0", "errors": "0", "skipped": "0", "name": "card",
    }  # fmt: skip
    case = suite.findall("testcase")[1]
    assert (case.get("classname"), case.get("name")) == (
        "card.test_replay", "test_replay_never_changes_a_reading",
    )  # fmt: skip
    assert case.find("failure") is case.find("error") is None
    properties = [(p.get("name"), p.get("value")) for p in case.iter("property")]
    assert ("seed", "1") in properties
    assert sum(name == "verdict" for name, _ in properties) == 18
    assert sum(name == "digest" for name, _ in properties) == 4
    assert ("threats", "L08 L09") in properties


def test_a_failure_lists_what_does_not_hold() -> None:
    run = from_json({"version": 1, "scenarios": [{
        "id": "card/test_a.py::test_b", "outcome": "failed", "message": "one claim fails", "replay": "./wmbench x",
        "claims": [
            {"attack": "radio.replay", "variant": "after a wrap", "security": "mode5", "defences": "acc",
             "expected": "PREVENTED", "verdict": "SUCCEEDED", "control": "SUCCEEDED", "why": "accepted"},
            {"attack": "radio.sniff", "expected": "PREVENTED", "verdict": "PREVENTED"},
        ],
        "measures": [{"name": "alarm delay", "value": 40.0, "unit": "s", "limit": "<= 30", "ok": False}],
    }]})  # fmt: skip
    failure = as_xml(run).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "one claim fails"
    assert failure.text == (
        "one claim fails\n"
        "radio.replay, after a wrap, mode5, acc: SUCCEEDED, expected PREVENTED (control SUCCEEDED): accepted\n"
        "alarm delay = 40.0 s, limit <= 30\n"
        "replay: ./wmbench x"
    )


@pytest.mark.parametrize(
    ("outcome", "tag"),
    [("inconclusive", "error"), ("error", "error"), ("interrupted", "error"), ("skipped", "skipped"), ("", "error")],
)
def test_what_did_not_pass_is_never_green(outcome: str, tag: str) -> None:
    root = as_xml(from_json({"version": 1, "scenarios": [{"id": "a", "outcome": outcome}]}))
    assert root.find(f".//{tag}") is not None


def test_characters_that_xml_cannot_hold_are_replaced(tmp_path: Path, make_run: Make) -> None:
    scenario = {"id": "a\x00b]]>", "outcome": "failed", "message": "\x1b[31m<script>\ud800"}
    root = ET.parse(write_junit(make_run(scenarios=[scenario]))).getroot()
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "\ufffd[31m<script>\ufffd"
