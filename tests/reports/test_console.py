"""The summary in a terminal and in a log."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from reports.console import print_run
from reports.run_model import Measure, Run, from_json, read_run
from sim.endpoint.aws.aws_limits import NEVER_CONFIRMED

Make = Callable[..., Path]


def printed(run: Run, *, rich: bool, verbose: bool = False) -> str:
    out = io.StringIO()
    print_run(run, file=out, rich=rich, report=Path("runs/card/latest/report.html"), verbose=verbose)
    return out.getvalue()


def test_a_log_gets_a_plain_matrix_and_on_demand_lines_that_begin_with_the_verdict(make_run: Make) -> None:
    run = read_run(make_run())
    short, lines = (printed(run, rich=False, verbose=verbose).splitlines() for verbose in (False, True))
    assert not any(line.startswith("PREVENTED") for line in short)
    assert sum(line.startswith(("PREVENTED", "DETECTED", "SUCCEEDED")) for line in lines) == 42
    assert any(line.startswith("PREVENTED     radio.replay, after a wrap, mode5, all (control SUCCEEDED): refused by")
               for line in lines)  # fmt: skip
    assert short[0] == "radio.sniff"
    assert short[1].split() == ["all", "S", "X", "X", "none", "S", "X", "X"]
    assert (
        "42 of 42 verdicts as expected: defences on 12 PREVENTED, 3 DETECTED, 6 SUCCEEDED; "
        "controls 4 PREVENTED, 17 SUCCEEDED"
    ) in lines
    assert lines[-2:] == ["passed: card, seed 1, 93.1 s", "report: runs/card/latest/report.html"]
    assert not any("\x1b" in line for line in lines)


def test_a_run_on_an_aws_endpoint_says_what_it_would_cost_and_who_confirmed_it(make_run: Make) -> None:
    run = read_run(make_run(endpoint="aws_local"))
    cost = Measure("AWS: cost of a month at this rate (us-east-1, prices of 2026-06)", 17.856, "USD")
    priced = replace(run, scenarios=[replace(run.scenarios[0], measures=[cost]), *run.scenarios[1:]])
    lines = printed(priced, rich=False).splitlines()
    assert f"  {cost.name}: 17.86 USD" in lines
    assert f"note: {NEVER_CONFIRMED}" in lines
    elsewhere = replace(run, notes=[])
    assert not any("note:" in line for line in printed(elsewhere, rich=False).splitlines())


def test_a_run_directory_is_summed_up(make_run: Make) -> None:
    out = io.StringIO()
    print_run(read_run(make_run()), file=out)  # a StringIO is no terminal
    assert out.getvalue().splitlines()[-1] == "passed: card, seed 1, 93.1 s"


def test_a_run_of_several_seeds_names_them(make_run: Make) -> None:
    run = read_run(make_run())
    [one, *_] = run.scenarios
    seeded = [replace(one, title="Once", seed=seed, outcome="passed", duration_s=0.5) for seed in (2, 1)]
    lines = printed(replace(run, scenarios=seeded), rich=False).splitlines()
    assert lines[-2] == "passed: card, seeds 1, 2, 93.1 s"
    assert "PASSED: Once, seed 2 (0.5 s)" in lines and "PASSED: Once, seed 1 (0.5 s)" in lines
    many = [replace(one, seed=seed) for seed in range(12)]
    closing = printed(replace(run, scenarios=many), rich=False).splitlines()[-2]
    assert closing == "passed: card, seeds 0, 1, 2, 3, 4, 5, 6, 7 ... (12 seeds), 93.1 s"


def test_a_terminal_gets_a_table(make_run: Make) -> None:
    run = read_run(make_run())
    text = printed(run, rich=True)
    assert "\x1b[1mradio.sniff" in text
    assert text.count("radio.sniff") == 2  # once in the matrix, once as a scenario's title
    assert "\x1b[32mPREVENTED" in printed(run, rich=True, verbose=True)


def test_an_attack_on_a_weakened_world_is_counted_apart() -> None:
    one = {"attack": "a", "verdict": "SUCCEEDED", "expected": "SUCCEEDED"}
    claims = [{**one, "defences": defences} for defences in ("on", "off", "unverified")]
    body = {"version": 1, "scenarios": [{"id": "x", "outcome": "passed", "claims": claims}]}
    said = "3 of 3 verdicts as expected: defences on 1 SUCCEEDED; some on 1 SUCCEEDED; controls 1 SUCCEEDED"
    assert said in printed(from_json(body), rich=False).splitlines()


def test_what_is_not_as_expected_stands_out() -> None:
    claims = [
        {"attack": "a", "variant": "v", "security": security, "defences": "on", "verdict": verdict,
         "expected": "PREVENTED"}
        for security, verdict in (("none", "SUCCEEDED"), ("mode7", "INCONCLUSIVE"))
    ]  # fmt: skip
    body = {"version": 1, "scenarios": [{"id": "x", "outcome": "failed", "message": "why", "claims": claims}]}
    run = from_json(body)
    row = printed(run, rich=False).splitlines()[1]
    assert row.split() == ["v", "on", "S!", "-", "?"]
    assert f"\x1b[31m{row}" in printed(run, rich=True)
    assert "FAILED: x" in printed(run, rich=False)
    assert "SUCCEEDED     a, v, none, on (expected PREVENTED): " in printed(run, rich=False, verbose=True)


def test_several_runs_of_one_variant_stand_under_each_other() -> None:
    claim = {"attack": "a", "variant": "v", "security": "mode5", "defences": "on", "verdict": "SUCCEEDED"}
    scenario = {"id": "x", "outcome": "passed", "claims": [
        {**claim, "expected": "SUCCEEDED"}, {**claim, "verdict": "PREVENTED", "expected": "PREVENTED"}
    ]}  # fmt: skip
    lines = printed(from_json({"version": 1, "scenarios": [scenario]}), rich=False).splitlines()
    assert [line.split() for line in lines[1:3]] == [["v", "on", "-", "S", "-"], ["v", "on", "-", "X", "-"]]


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
