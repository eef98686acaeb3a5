"""What the night says of a run over three seeds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools import three_seeds

DECLARED = {"card/test_replay.py::test_a": ["L08"]}


def run(*, outcome: str = "passed", verdict: str = "PREVENTED", mode: str = "mode5", seed: int = 1) -> dict[str, Any]:
    claim = {"attack": "a", "variant": "v", "security": mode, "defences": "on", "verdict": verdict, "expected": verdict,
             "control": "SUCCEEDED", "evidence": {"reached": 3, "records changed": 0, "stored again": 0}}  # fmt: skip
    one = {"id": "card/test_replay.py::test_a", "threats": ["L08"], "outcome": outcome, "claims": [claim], "seed": seed,
           "message": "why it failed\nmore", "worlds": [{"world": "w"}]}  # fmt: skip
    return {"version": 1, "started": "1", "scenarios": [one]}


def said(body: dict[str, Any], of: str) -> list[str]:
    return [text for text in three_seeds.complaints(body, DECLARED) if text.startswith(of)]


def test_a_scenario_that_does_not_pass_is_named_with_its_seed() -> None:
    (text,) = said(run(outcome="inconclusive", seed=3), "card/")
    assert text == "card/test_replay.py::test_a, seed 3: inconclusive: why it failed"
    assert said(run(outcome="skipped"), "card/") == said(run(), "card/") == []


def test_a_threat_without_a_verdict_is_named() -> None:
    assert "L08: not covered" not in said(run(), "L08") and said(run(), "L09") == ["L09: not covered"]


def test_a_verdict_unlike_the_hypothesis_needs_a_reason_and_a_reason_needs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [{"id": "L08", "title": "t", "area": "radio", "hypothesis": {"mode5": "S"}}]
    monkeypatch.setattr("reports.coverage.load_threats", lambda *_: listed)
    (text,) = said(run(), "L08")
    assert text.startswith("L08: mode 5 X where S was expected: why is not known yet; say it under differs")
    listed[0]["differs"] = "so"
    assert said(run(), "L08") == []
    assert said(run(verdict="SUCCEEDED"), "L08") == [
        "L08: threats.toml says why runs differ from its hypothesis, and they do not"
    ]


def test_a_part_that_reads_a_verdict_without_such_a_figure_is_named() -> None:
    body = run()
    body["scenarios"][0]["claims"][0]["evidence"] = {"reached": 3}
    of_it = said(body, "claim 'Replay is impossible, a counter prevents it', no altered record by a replay")
    assert any("a, v, of which no figure speaks: variants" in text for text in of_it)


def test_a_part_of_a_claim_without_a_figure_or_from_another_file_is_named() -> None:
    parts = said(run(), "claim 'Replay is impossible, a counter prevents it'")
    assert any("no run has it; ./wmbench run radio/test_hold_back.py makes one" in text for text in parts)
    assert any("no altered record by a replay: its figures are of card/test_replay.py; made_by" in t for t in parts)
