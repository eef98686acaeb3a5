"""The comparison's data and its table: each topic leads to scenarios and variants that there are, each scenario says
for each system what it is, and a verdict is nobody's word but the claims'."""

from __future__ import annotations

import ast
import dataclasses
import html
import json
from pathlib import Path
from typing import Any

import pytest

from bench import scenario_files
from bench.cli.main import main
from bench.compare import side_by_side as table
from bench.compare.compared import AT_HOME, CARD, KEYLESS, PAIRS, SMGW, SYSTEMS, Look, Measured, NotYet, scenarios_of
from reports import compare_page
from reports.run_model import caveats
from sim.endpoint.aws.aws_limits import NEVER_CONFIRMED
from sim.systems.port import SYSTEMS as KINDS

ROOT = Path(__file__).resolve().parents[3]
TOPICS = CARD + PAIRS
LOOKS = [(topic.id, name, topic.sides[name]) for topic in TOPICS for name in SYSTEMS]


def test_there_are_nineteen_pairs_and_every_topic_has_both_sides() -> None:
    assert list(dict.fromkeys(topic.id[:7] for topic in PAIRS)) == [f"pair-{number:02d}" for number in range(1, 20)]
    assert len({topic.id for topic in TOPICS}) == len(TOPICS)
    assert all(set(topic.sides) == set(SYSTEMS) for topic in TOPICS)


@pytest.mark.parametrize(("topic", "system", "side"), LOOKS)
def test_a_topic_leads_to_what_there_is(topic: str, system: str, side: object) -> None:
    if isinstance(side, (Look, Measured)):
        path = ROOT / "scenarios" / side.scenario
        text = path.read_text("utf-8")
        alone = '"system.kind": "smgw"' in text
        assert not (alone and system == KEYLESS) and (alone or system == KEYLESS or "smgw=here(" in text)
    if isinstance(side, Look):
        sources = "".join(one.read_text("utf-8") for one in (ROOT / "attacks").glob("*.py")).replace('\\"', '"')
        assert all(f'"{name}"' in sources for name in side.variants)
        assert side.defences == "on" or f'"{side.defences}"' in text
    if isinstance(side, NotYet):
        assert len(side.missing) > 5


def _says(function: ast.FunctionDef) -> tuple[set[str], bool, str]:
    """(kinds of system in not_for, every expectation says what smgw must do, the scenario's own kind)."""
    decorator = next(one for one in function.decorator_list if isinstance(one, ast.Call))
    given = {keyword.arg: keyword.value for keyword in decorator.keywords}
    not_for = ast.literal_eval(given["not_for"]) if "not_for" in given else {}
    settings = given.get("settings")
    own = SMGW if settings is not None and "'system.kind'" in ast.unparse(settings) else KEYLESS
    inside = [one for one in ast.walk(function) if isinstance(one, ast.Call)]
    calls = [one for one in inside if getattr(one.func, "attr", "") == "expect"]
    spoken = bool(calls) and all(any(keyword.arg == "smgw" for keyword in call.keywords) for call in calls)
    return set(not_for), spoken, own


def test_each_scenario_says_for_each_system_what_it_is() -> None:
    """Run, with what must come out; or not applicable, and why."""
    silent = []
    for path in scenario_files.listed():
        for one in scenario_files.under(path):
            for node in ast.parse(one.read_text("utf-8")).body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and node.decorator_list:
                    not_for, spoken, own = _says(node)
                    others = set(SYSTEMS) - {own} - not_for
                    silent += [f"{one.name}::{node.name}: {kind}" for kind in others if not (spoken and kind == SMGW)]
    assert silent == []


def claim(variant: str, security: str, verdict: str, defences: str = "on") -> dict[str, Any]:
    return {
        "variant": variant, "security": security, "verdict": verdict, "defences": defences, "why": f"why {verdict}",
        "control": "it worked", "evidence": {},
    }  # fmt: skip


def run_of(scenario: str, claims: list[Any], outcome: str = "passed", message: str = "") -> dict[str, Any]:
    world = {
        "variant": "on", "meters": 10, "duration_ns": 3_600_000_000_000, "world": "estate", "endpoint": "aws_local",
        "sights": [{"party": "broker <b>", "values": 1.0, "metadata": 2.0, "habits": "none"}],
        "costs": [{"name": "bytes", "amount": 12.0, "unit": "B"}],
    }  # fmt: skip
    one = {"id": f"{scenario}::test_x", "title": "X", "outcome": outcome, "message": message, "claims": claims,
           "worlds": [world]}  # fmt: skip
    return {"scenarios": [one]}


def test_the_worst_variant_decides_and_modes_stand_apart() -> None:
    sniffing = CARD[0]
    scenario = "card/test_sniffing.py"
    runs = {
        KEYLESS: run_of(scenario, [claim("values", "none", "SUCCEEDED"), claim("values", "mode7", "PREVENTED"),
                                   claim("values", "mode7", "SUCCEEDED", "off"),
                                   claim("who and when", "mode7", "SUCCEEDED")]),
        SMGW: run_of(scenario, [claim("values", "mode7", "PREVENTED")]),
    }  # fmt: skip
    (row,) = table.rows([sniffing], runs)
    assert row["systems"][KEYLESS]["by_security"] == {"none": "SUCCEEDED", "mode7": "PREVENTED"}
    assert row["systems"][KEYLESS]["verdict"] == "none SUCCEEDED / mode7 PREVENTED"
    assert row["systems"][KEYLESS]["reason"] == "why SUCCEEDED"
    assert row["systems"][SMGW]["verdict"] == "PREVENTED" and len(row["systems"][SMGW]["cells"]) == 1


def test_what_was_not_measured_is_no_verdict() -> None:
    rows = {row["id"]: row["systems"] for row in table.rows(TOPICS, {})}
    missing = {(topic, name) for topic, name, side in LOOKS if isinstance(side, NotYet)}
    assert {(id_, name) for id_, row in rows.items() for name in SYSTEMS
            if row[name]["verdict"] == table.NOT_YET} == missing  # fmt: skip
    assert rows["pair-16"][KEYLESS]["verdict"] == table.NO_SURFACE and rows["pair-16"][SMGW]["verdict"] == table.NOT_RUN
    assert rows["card-1"][SMGW]["verdict"] == table.NOT_RUN
    failed = run_of("smgw/test_ten_days.py", [], "failed", "9 values are missing\nagain: x")
    (row,) = table.rows([one for one in PAIRS if one.id == "pair-15"], {SMGW: failed})
    assert (row["systems"][SMGW]["verdict"], row["systems"][SMGW]["reason"]) == ("FAILS", "9 values are missing")


def test_the_page_holds_every_row_and_escapes_what_it_shows() -> None:
    runs = {KEYLESS: run_of("card/test_sniffing.py", [claim("values", "mode7", "PREVENTED")])}
    body = {
        "command": "x", "systems": list(SYSTEMS), "runs": {}, "rows": table.rows(TOPICS, runs),
        "at_home": table.at_home(AT_HOME, runs), "sights": table.sights(runs), "costs": table.costs(runs),
        "measured_in": table.measured_in(runs),
    }  # fmt: skip
    page = compare_page.render(body)
    assert all(topic.id in page for topic in TOPICS)
    assert "broker &lt;b&gt;" in page and "broker <b>" not in page
    assert page.count("NOT YET MEASURED") == sum(isinstance(side, NotYet) for _, _, side in LOOKS)
    assert "estate, 1 h" in page
    assert table.endpoints(runs) == {"aws_local"}
    assert NEVER_CONFIRMED not in html.unescape(page)
    noted = compare_page.render(body | {"caveats": caveats(table.endpoints(runs))})
    assert f'<p class="note">{NEVER_CONFIRMED}' in html.unescape(noted)


def test_a_comparison_has_its_page_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = {
        "kind": compare_page.KIND, "command": "x", "systems": list(SYSTEMS), "runs": {}, "rows": [], "at_home": [],
        "sights": {}, "costs": {}, "measured_in": {},
    }  # fmt: skip
    (tmp_path / compare_page.FILE).write_text(json.dumps(body))
    assert main(["report", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "report.html")
    assert "Systems under" in (tmp_path / "report.html").read_text()


def test_a_third_system_is_a_column_that_says_what_no_scenario_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is run for it: no topic names one of its scenarios. Its title is its own."""
    third = dataclasses.replace(KINDS.find(KEYLESS), kind="third")
    monkeypatch.setattr(type(third), "title", "A third <way>")
    monkeypatch.setitem(KINDS.parts(), "third", third)  # type: ignore[arg-type]
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path))
    assert main(["compare", "--only", "card", "--system", "third", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["systems"] == ["third"] and body["titles"] == {"third": "A third <way>"}
    cells = [row["systems"]["third"] for row in body["rows"]]
    assert {(one["verdict"], one["reason"]) for one in cells} == {
        (table.NOT_YET, "no scenario is named for system 'third'")
    }
    assert "A third &lt;way&gt;" in compare_page.render(body)
    assert main(["compare", "--system", "third", "--system", SMGW, "--of", "latest"]) != 0
    assert "1 runs are given for the systems third, smgw; one each" in capsys.readouterr().err


def test_scenarios_that_both_ran_are_joined_by_variant() -> None:
    runs = {
        KEYLESS: run_of("card/test_sniffing.py", [claim("values", "mode7", "SUCCEEDED")]),
        SMGW: run_of("card/test_sniffing.py", [], "skipped", "left out: not for system 'smgw': because"),
    }
    (row,) = table.joined(runs)
    assert row["systems"][KEYLESS]["verdict"] == "SUCCEEDED"
    assert row["systems"][SMGW]["reason"].endswith("because")


def test_what_one_system_leaves_out_does_not_fail_there() -> None:
    runs = {
        KEYLESS: run_of("smgw/test_ten_days.py", [], "skipped", "not for system 'keyless': because\nagain: x"),
        SMGW: run_of("smgw/test_ten_days.py", []),
    }
    (row,) = table.joined(runs)
    assert row["systems"][SMGW]["verdict"] == table.HOLDS
    assert row["systems"][KEYLESS]["verdict"] == table.NOT_RUN
    assert row["systems"][KEYLESS]["reason"] == "left out: not for system 'keyless': because"


def test_a_run_of_one_system_says_nothing_of_the_other() -> None:
    run = run_of("card/test_sniffing.py", [claim("values", "mode7", "PREVENTED")])
    run["scenarios"][0]["worlds"][0]["system"] = SMGW
    assert table.of_system(run, KEYLESS)["scenarios"] == []
    assert table.of_system(run, SMGW) == run


def test_each_system_s_scenarios_are_named_once() -> None:
    for system in SYSTEMS:
        found = scenarios_of(TOPICS, system)
        assert len(found) == len(set(found)) > 8


def test_who_might_see_that_somebody_is_at_home_has_a_curve_each() -> None:
    """A curve is of the claim that the looker names: its system, variant, defences and mode; who did not run says
    so."""
    for one in AT_HOME:
        text = (ROOT / "scenarios" / one.look.scenario).read_text("utf-8")
        assert one.look.defences == "on" or f'"{one.look.defences}"' in text
    daily = next(one for one in AT_HOME if one.look.defences == "daily")
    claims = []
    for defences, area in (("on", 0.5), ("daily", 0.567)):
        made = claim(daily.look.variants[0], "mode7", "SUCCEEDED", defences)
        curve = {"x": "wrong", "y": "right", "points": [[0.0, 0.0], [0.25, area], [1.0, 1.0]]}
        claims.append({**made, "curve": curve, "evidence": {"area under the curve": area}})
    runs = {SMGW: run_of(daily.look.scenario, claims)}
    rows = {one["party"]: one for one in table.at_home(AT_HOME, runs)}
    assert rows[daily.party]["area"] == 0.567
    assert rows["the portal's operator"]["area"] is None and "test_who_heats" in rows["the portal's operator"]["why"]
    body = {
        "command": "x", "systems": list(SYSTEMS), "runs": {}, "rows": [], "at_home": list(rows.values()),
        "sights": {}, "costs": {}, "measured_in": {},
    }  # fmt: skip
    page = compare_page.render(body)
    assert page.count("<polyline") == 2 and "25.0,43.3" in page and "0.567" in page
