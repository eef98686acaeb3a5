"""What the talk claims, from figures of runs: held, refuted by the least, not proven, not measured."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

from bench.cli.catalogue import scenario_entries
from bench.worlds import SCENARIOS
from reports.claims import (
    GOALS,
    HELD,
    INCONCLUSIVE,
    REFUTED,
    UNMEASURED,
    Part,
    Stated,
    judge,
    missing_run,
    newest,
    print_claims,
    stated,
)
from reports.coverage import load_threats

NOBODY = Part("no record", ("L08",), "achieved", at_most=0)
WORKED = "SUCCEEDED 3 of 3 with the defences off"


def claim(*parts: Part) -> list[Stated]:
    return [Stated("Replay is impossible", ("integrity",), "none", "", ("L08",), parts)]


def cell(achieved: int, reached: int = 4, **more: Any) -> dict[str, Any]:
    return {"attack": "a", "variant": "v", "security": "mode5", "defences": "on", "control": WORKED,
            "verdict": "SUCCEEDED" if achieved else "PREVENTED",
            "evidence": {"reached": reached, "achieved": achieved}} | more  # fmt: skip


def run(*cells: dict[str, Any], started: str = "1", id_: str = "s", **more: Any) -> dict[str, Any]:
    scenario = {"id": id_, "threats": ["L08"], "outcome": "passed", "claims": list(cells), "replay": "again",
                "worlds": [{"world": "w"}]} | more  # fmt: skip
    return {"version": 1, "started": started, "scenarios": [scenario]}


def told(*bodies: dict[str, Any], parts: tuple[Part, ...] = (NOBODY,)) -> Any:
    (one,) = judge(newest(bodies), claim(*parts))
    return one


def test_the_list_states_its_claims_with_thresholds() -> None:
    claims = stated()
    assert len(claims) == 11
    assert {goal for one in claims for goal in one.goal} == set(GOALS)
    known = {threat["id"] for threat in load_threats()}
    assert all(set(part.threats) <= known for one in claims for part in one.parts)


def test_held_is_every_figure_within_and_every_control_successful() -> None:
    one = told(run(cell(0), cell(0, security="mode7")))
    assert (one.state, one.by_mode) == (HELD, {"mode5": HELD, "mode7": HELD})
    assert one.counterexample is None and one.conditions == ["w"]


def test_refuted_names_the_one_that_took_the_fewest_tries() -> None:
    one = told(run(cell(9, 40), cell(2, 3, variant="short"), cell(0, security="mode7")))
    assert (one.state, one.by_mode) == (REFUTED, {"mode5": REFUTED, "mode7": HELD})
    assert one.counterexample.what == "a, short" and one.counterexample.tries == 3


@pytest.mark.parametrize(
    "body",
    [run(cell(0, verdict="INCONCLUSIVE")), run(cell(0, control="did not succeed")), run(cell(0), outcome="error"),
     run(cell(0, 0)), run(cell(0, evidence={}))],
)  # fmt: skip
def test_what_is_not_proven_is_inconclusive(body: dict[str, Any]) -> None:
    assert told(body).state == INCONCLUSIVE


def test_what_no_run_has_is_not_measured_and_a_refusal_stands() -> None:
    assert told().state == UNMEASURED
    lacking = Part("uptime", ("L08",), "achieved", lacking="no such run")
    one = told(run(cell(0)), parts=(NOBODY, lacking))
    assert one.state == UNMEASURED and one.missing == ["uptime: no such run"]
    assert told(run(cell(1)), parts=(NOBODY, lacking)).state == REFUTED


def test_controls_other_threats_and_other_variants_do_not_speak() -> None:
    part = Part("x", ("L08",), "achieved", variants=("w",), at_most=0)
    others = run(cell(1, defences="off", variant="w"), cell(1, threats=["L09"], variant="w"), cell(1, variant="v"))
    assert told(others, parts=(part,)).state == UNMEASURED


def test_figures_beside_what_was_achieved() -> None:
    latency = Part("in time", ("L08",), "latency", at_most_of="limit")
    for seen, state in (
        ({"latency": 3, "limit": 4}, HELD),
        ({"latency": 5, "limit": 4}, REFUTED),
        ({"latency": "none"}, INCONCLUSIVE),
    ):
        assert told(run(cell(0, evidence={"reached": 4} | seen)), parts=(latency,)).state == state
    share = Part("often", ("L08",), "measure", named="alarms", at_least=0.99)
    for value, state in ((1.0, HELD), (0.5, REFUTED)):
        assert told(run(measures=[{"name": "share of alarms", "value": value}]), parts=(share,)).state == state


def test_a_threshold_between_the_ends_of_a_figures_interval_is_not_decided() -> None:
    rate = Part("rarely", ("L08",), "measure", named="alarms", at_most=0.1, low="low", high="high")
    for value, low, high, state in (
        (0.06, 0.01, 0.2, INCONCLUSIVE), (0.01, 0.0, 0.09, HELD), (0.3, 0.11, 0.5, REFUTED),
        (0.3, 0.05, 0.5, INCONCLUSIVE),
    ):  # fmt: skip
        measures = [{"name": "alarms", "value": value}, {"name": "low", "value": low}, {"name": "high", "value": high}]
        assert told(run(measures=measures), parts=(rate,)).state == state


def test_the_newest_run_of_a_scenario_counts_and_a_what_if_does_not() -> None:
    assert told(run(cell(1), started="2"), run(cell(0), started="1")).state == REFUTED
    assert told(run(cell(0), started="1"), run(cell(1), started="2", what_if=["portal.checks=[]"])).state == HELD


def test_each_part_names_the_files_that_measure_it_and_they_speak_of_its_threats() -> None:
    threats: dict[str, set[str]] = {}
    for entry in scenario_entries(SCENARIOS):
        threats.setdefault(entry["id"].partition("::")[0], set()).update(entry["threats"])
    for part in (part for one in stated() for part in one.parts):
        assert part.made_by and all(set(part.threats) & threats[file] for file in part.made_by), part.says


def test_what_no_run_has_is_told_with_the_command_that_makes_it() -> None:
    other = Part("x", ("L08",), "y", ("b.py", "card/a.py"), ("w",), at_most=1)
    parts = (replace(NOBODY, made_by=("card/a.py",)), other)
    out = io.StringIO()
    print_claims([told(parts=parts)], file=out)
    assert "no record: no run has it; ./wmbench run card/a.py makes one" in out.getvalue()
    assert out.getvalue().splitlines()[-1] == "what is not yet measured, at once: ./wmbench run card/a.py b.py"
    assert missing_run([told(run(cell(0)))]) == ""
    out = io.StringIO()
    print_claims([told(run(cell(0)), parts=parts)], file=out)
    assert out.getvalue().splitlines()[-1].endswith("run b.py card/a.py"), "only what is missing"


@pytest.mark.parametrize(
    ("body", "why"),
    [(run(cell(0, verdict="INCONCLUSIVE")), "its verdict is INCONCLUSIVE"),
     (run(cell(0, control="did not succeed")), "its control did not succeed"),
     (run(cell(0), outcome="error"), "its scenario is error"), (run(cell(0, 0)), "its run has no number")],
)  # fmt: skip
def test_what_decides_nothing_is_named_with_the_reason(body: dict[str, Any], why: str) -> None:
    out = io.StringIO()
    print_claims([told(body)], file=out)
    (line,) = [line for line in out.getvalue().splitlines() if "not decided" in line]
    assert line.strip().startswith("not decided: no record: mode 5, a, v: ") and f": {why}; again: again" in line


def test_a_figure_whose_interval_has_the_threshold_in_it_says_from_where_to_where() -> None:
    rate = Part("rarely", ("L08",), "measure", (), named="alarms", at_most=0.1, low="low", high="high")
    measures = [{"name": "alarms", "value": 0.06}, {"name": "low", "value": 0.01}, {"name": "high", "value": 0.2}]
    (figure,) = told(run(measures=measures), parts=(rate,)).undecided
    assert figure.open == "its interval reaches from 0.01 to 0.2, and the threshold lies in it"


def test_a_rate_is_of_all_seeds_together_and_decided_by_their_interval() -> None:
    rate = Part("rarely", ("L08",), "measure", (), named="false alarms", at_most=0.1, events="alarms", over="years")

    def seeds(*counts: int) -> dict[str, Any]:
        years = {"name": "years", "value": 31.0}
        bodies = [run(measures=[{"name": "alarms", "value": float(count)}, years]) for count in counts]
        return {**bodies[0], "scenarios": [body["scenarios"][0] for body in bodies]}

    one = told(seeds(2), parts=(rate,))
    assert one.state == INCONCLUSIVE and "from 0.007813 to 0.2331, and the threshold lies in it" in one.figures[0].open
    one = told(seeds(2, 2, 0, 1, 1), parts=(rate,))
    assert one.state == HELD and one.figures[0].what == "false alarms, 6 in 155 of 5 seeds"
    assert told(seeds(9, 9, 9, 9), parts=(rate,)).state == REFUTED
    assert told(run(), parts=(rate,)).state == UNMEASURED


def test_a_part_without_a_threshold_is_refused(tmp_path: Any) -> None:
    file = tmp_path / "threats.toml"
    file.write_text('[[claim]]\ntitle = "t"\ngoal = ["integrity"]\nthreshold = ""\nfalse_where = ""\nthreats = []\n'
                    '[[claim.part]]\nsays = "p"\nthreats = ["L08"]\nof = "achieved"\n', encoding="utf-8")  # fmt: skip
    with pytest.raises(ValueError, match="claim 't', part 'p': no threshold and nothing lacking"):
        stated(file)


def test_people_read_state_counterexample_and_what_is_missing() -> None:
    out = io.StringIO()
    print_claims(judge(newest([run(cell(2, 3, variant="\x1b[31m"))]), claim(NOBODY)), file=out)
    text = out.getvalue()
    assert (
        "INTEGRITY" in text
        and "refuted" in text
        and "smallest counterexample: mode 5" in text
        and "again: again" in text
    )
    assert "\x1b" not in text
