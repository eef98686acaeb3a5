"""Two checks of a gateway side by side, and what of a hostile gateway reaches a terminal or a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports import check_page, check_text


def check(**answers: str) -> dict[str, Any]:
    """A run.json; "PASS,FAIL" is a row that was tried twice."""
    rows = [
        {"row": row, "title": row.title(), "answer": answer.split(",")[-1], "answers": answer.split(","),
         "evidence": "", "message": f"words of {row}", "duration_s": 0.1}
        for row, answer in answers.items()
    ]  # fmt: skip
    return {"kind": "check", "title": "T", "name": "check-x", "wmbench": "", "started": "2026-01-01T00:00:00Z",
            "outcome": "passed", "duration_s": 1.0, "commit": "", "python": "", "machine": "", "command": "",
            "scenarios": rows, "check": {"claims": {"order": "none"}, "times": 1,
                                         "depth": {"outage_s": 1.0, "patience_s": 1.0}}}  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("PASS", "PASS", "same"), ("FAIL", "FAIL", "same"), ("PASS", "FAIL", "new failure"),
        ("NOT APPLICABLE", "FAIL", "new failure"), ("INCONCLUSIVE", "FAIL", "new failure"), ("FAIL", "PASS", "mended"),
        ("FAIL", "INCONCLUSIVE", "no longer decided"), ("PASS", "NOT APPLICABLE", "no longer decided"),
        ("INCONCLUSIVE", "PASS", "decided now"), ("PASS", "PASS,FAIL", "unstable"), ("FAIL,PASS", "PASS", "unstable"),
    ],
)  # fmt: skip
def test_what_became_of_a_row(before: str, after: str, change: str) -> None:
    (pair,) = check_text.pairs(check(one=before), check(one=after))
    assert pair.change == change


def test_new_failures_come_first_and_what_is_the_same_is_only_counted() -> None:
    old, new = check(a="PASS", b="FAIL", c="PASS", d="PASS"), check(a="PASS", b="PASS", c="FAIL", e="PASS")
    lines = list(check_text.against_lines(old, new))
    assert [line.split("  ")[0] for line in lines[1:3]] == ["new failure", "mended"]
    assert lines[-1] == "1 new failure, 1 mended, 2 only in one, 1 same"


def test_mostly_inconclusive_is_said_to_be_no_answer() -> None:
    assert check_text.summary(check(a="PASS", b="INCONCLUSIVE", c="INCONCLUSIVE")).startswith("no answer: 1 PASS")
    assert check_text.summary(check(a="PASS", b="INCONCLUSIVE")).startswith("passed: ")


def test_what_a_gateway_says_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    run = check(a="FAIL")
    run["scenarios"][0]["message"] = "\x1b[2J<script>alert(1)</script>"
    run["scenarios"][0]["evidence"] = "../../etc"
    assert not any("\x1b" in line for line in check_text.lines(run))
    page = check_page.render(run, tmp_path, run)
    assert "<script>alert" not in page and "&lt;script&gt;" in page
    assert "etc" not in page
