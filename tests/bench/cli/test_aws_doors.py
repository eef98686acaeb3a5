"""`./wmbench aws rule | policy | shadow --jsonl` and `aws fleet` with what cannot be used: a sentence each in place,
INCONCLUSIVE at the end, and the rows beside it answered."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.cli.main import main
from bench.exit_codes import INCONCLUSIVE_EXIT, USAGE_EXIT
from reports.run_model import VERSION
from sim.endpoint.aws.aws_limits import NEVER_CONFIRMED

RULE = {"sql": "SELECT * FROM 'a'", "payload": "{}", "topic": "a"}
POLICY: dict[str, Any] = {
    "policy": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}},
    "context": {"client_id": "a"}, "action": "iot:Connect", "resource": "arn:aws:iot:eu-central-1:1:client/a",
}  # fmt: skip
SHADOW = {"op": "update", "shadow": "classic", "before": None, "update": {"state": {"reported": {"a": 1}}}}

WRONG: dict[str, tuple[str, Any, Any, str]] = {
    "no JSON": ("rule", RULE, b"{", "line 2 is no JSON: "),
    "no object": ("rule", RULE, b"7", "line 2 is no JSON object; a case is one"),
    "no UTF-8": ("rule", RULE, b'{"sql": "\xff"}', "line 2, byte 10: no UTF-8"),
    "a statement": ("rule", RULE, RULE | {"sql": "SELEC * FROM 'a'"}, "should; AWS takes no such rule: mend it"),
    "a function": ("rule", RULE, RULE | {"sql": "SELECT gone(1) AS g FROM 'a'"}, "there is no function gone(); AWS"),
    "a version": ("rule", RULE, RULE | {"sql_version": "2031-01-01"}, "no SQL version '2031-01-01'; there are: "),
    "a template": ("rule", RULE, RULE | {"republish_topic": "b/${topic("}, "republish_topic: character "),
    "no payload": ("rule", RULE, {"sql": "SELECT 1", "topic": "a"}, "'payload' is missing; it is a text"),
    "a policy": ("policy", POLICY, POLICY | {"policy": "{"}, "AWS takes no such policy: mend the document"),
    "an effect": ("policy", POLICY, POLICY | {"policy": {"Statement": {"Effect": "allow"}}}, "Statement[0].Effect is"),
    "no action": ("policy", POLICY, POLICY | {"action": None}, "'action' is to be a text"),
    "an operation": ("shadow", SHADOW, SHADOW | {"op": "put"}, "'op' is to be update, get, delete or sequence"),
}


def streamed(monkeypatch: pytest.MonkeyPatch, verb: str, *rows: Any) -> int:
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"\n".join(lines))))
    return main(["aws", verb, "--jsonl"])


@pytest.mark.parametrize("case", WRONG)
def test_a_row_that_cannot_be_used_says_why_and_the_others_are_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    verb, good, bad, expected = WRONG[case]
    assert streamed(monkeypatch, verb, good, bad, good) == INCONCLUSIVE_EXIT
    out, err = capsys.readouterr()
    first, wrong, last = map(json.loads, out.splitlines())
    assert expected in wrong["error"] and "\n" not in wrong["error"], wrong["error"]
    for one in (first, last):
        assert "error" not in one and one.keys() > good.keys()
    assert err == (
        "wmbench: INCONCLUSIVE: 1 of 3 rows could not be judged; each says under 'error' what to mend\n"
    )


@pytest.mark.parametrize(("verb", "row"), [("rule", RULE), ("policy", POLICY), ("shadow", SHADOW)])
def test_an_answer_that_is_asked_again_is_answered_alike(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str, row: dict[str, Any]
) -> None:
    row = row | {"clock_ms": 5, "clock_s": 5}
    assert streamed(monkeypatch, verb, row | {"error": "of before"}) == 0
    once = capsys.readouterr().out
    assert streamed(monkeypatch, verb, json.loads(once)) == 0
    assert capsys.readouterr() == (once, "")


@pytest.mark.parametrize("words", [(), ("--claims",), ("--json",)])
def test_threats_say_of_a_verdict_from_the_companion_that_it_was_not_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path))
    for endpoint, noted in (("mosquitto", False), ("aws_local", True)):
        place = tmp_path / "x" / f"of-{endpoint}"
        place.mkdir(parents=True)
        (place / "run.json").write_text(json.dumps({"version": VERSION, "endpoint": endpoint, "scenarios": []}))
        assert main(["threats", *words]) == 0
        out, err = capsys.readouterr()
        assert (f"note: {NEVER_CONFIRMED}\n" in (err if words == ("--json",) else out)) == noted


def test_a_place_for_policies_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "file"
    place.write_text("kept", encoding="utf-8")
    words = ["aws", "fleet", "--region", "eu-central-1", "--account", "123456789012", "--out"]
    assert main([*words, str(place)]) == USAGE_EXIT
    said = capsys.readouterr().err
    assert f"cannot write into {place}: " in said and "--out" in said and said.count("\n") == 1
    assert main([*words, str(tmp_path / "new")]) == 0
    assert {"gateway.json", "portal.json"} <= {one.name for one in (tmp_path / "new").iterdir()}
