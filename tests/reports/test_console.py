"""The summary in a terminal and in a log."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.console import print_run, print_summary
from reports.run_model import Run, from_json, read_run

Make = Callable[..., Path]


def printed(run: Run, *, rich: bool) -> str:
    out = io.StringIO()
    print_run(run, file=out, rich=rich, report=Path("runs/card/latest/report.html"))
    return out.getvalue()


def test_a_log_gets_plain_lines_that_begin_with_the_verdict(make_run: Make) -> None:
    lines = printed(read_run(make_run()), rich=False).splitlines()
    assert lines[15].startswith("PREVENTED     radio.replay, after a wrap, mode5, all (control SUCCEEDED): refused by")
    assert (
        "42 of 42 verdicts as expected: defences on 12 PREVENTED, 3 DETECTED, 6 SUCCEEDED; "
        "controls 4 PREVENTED, 17 SUCCEEDED"
    ) in lines
    assert lines[-2:] == ["passed: card, seed 1, 93.1 s", "report: runs/card/latest/report.html"]
    assert not any("\x1b" in line for line in lines)


def test_a_run_directory_is_summed_up(make_run: Make) -> None:
    out = io.StringIO()
    print_summary(make_run(), file=out)  # a StringIO is no terminal
    assert out.getvalue().splitlines()[-1] == "passed: card, seed 1, 93.1 s"


def test_a_terminal_gets_a_table(make_run: Make) -> None:
    text = printed(read_run(make_run()), rich=True)
    assert "\x1b[32mPREVENTED" in text
    assert text.count("radio.sniff") == 2  # once in the table, once as a scenario's title


def test_an_attack_on_a_weakened_world_is_counted_apart() -> None:
    claims = [{"attack": "a", "verdict": "SUCCEEDED", "defences": defences} for defences in ("on", "off", "unverified")]
    body = {"version": 1, "scenarios": [{"id": "x", "outcome": "passed", "claims": claims}]}
    said = "3 of 3 verdicts as expected: defences on 1 SUCCEEDED; some on 1 SUCCEEDED; controls 1 SUCCEEDED"
    assert said in printed(from_json(body), rich=False).splitlines()


def test_what_is_not_as_expected_stands_out() -> None:
    claims = [{"attack": "a", "verdict": "SUCCEEDED", "expected": "PREVENTED"}]
    body = {"version": 1, "scenarios": [{"id": "x", "outcome": "failed", "message": "why", "claims": claims}]}
    run = from_json(body)
    assert "SUCCEEDED     a (expected PREVENTED): " in printed(run, rich=False)
    assert "≠ PREVENTED" in printed(run, rich=True)
    assert "FAILED: x" in printed(run, rich=False)


def test_a_message_of_several_lines_stays_so() -> None:
    body = {"version": 1, "scenarios": [{"id": "x", "outcome": "failed", "message": "one is wrong\ntwo is wrong"}]}
    lines = printed(from_json(body), rich=False).splitlines()
    assert lines[lines.index("  one is wrong") + 1] == "  two is wrong"


def test_markup_and_terminal_control_are_shown_and_not_obeyed() -> None:
    hostile = "[red]x[/nope] \x1b[2J\x07"
    claims = [{"attack": hostile, "verdict": hostile, "why": hostile}]
    body = {"version": 1, "scenarios": [{"id": hostile, "title": hostile, "message": hostile, "claims": claims}]}
    for rich in (False, True):
        text = printed(from_json(body), rich=rich)
        assert "[red]x[/nope]" in text
        assert "\x1b[2J" not in text and "\x07" not in text


def test_a_narrow_terminal_gets_the_columns_that_fit(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    run = read_run(make_run())
    monkeypatch.setenv("COLUMNS", "90")
    assert "counter already seen" not in printed(run, rich=True)
    monkeypatch.setenv("COLUMNS", "200")
    assert "counter already seen" in printed(run, rich=True)
