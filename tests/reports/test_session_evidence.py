"""A verdict without a telegram is shown by sessions: on the page, and by commands that a reader types himself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from reports import by_hand, html
from reports.run_model import Claim, SessionEvent, from_json, read_run
from reports.wording import ALARM_RULES, MEANINGS
from sim.core.events import AlarmRaised, SessionChanged
from sim.core.history import History
from tests.reports import evidence_run

BEGUN_NS = 1_795_800_000_000_000_000
EVENTS = (
    ("owner", "dropped", "closed by the server", 1), ("attacker", "connected", "", 2), ("attacker", "dropped", "x", 3),
    ("owner", "connected", "", 4), ("owner", "dropped", "closed by the server", 5),
)  # fmt: skip


def taken_over(directory: Path) -> Path:
    """A run whose second claim is shown by sessions; its history holds a later drop that is not of it."""
    run = evidence_run.write(directory)
    body = json.loads((run / "run.json").read_text())
    scenario = body["scenarios"][0]
    claim: dict[str, Any] = next(one for one in scenario["claims"] if one["defences"] == "on")
    world = next(one for one in scenario["worlds"] if one["variant"] == "on")
    with (run / world["directory"] / "events.jsonl").open("a") as file:
        history = History(directory / "new.jsonl")
        for whose, state, reason, at in (*EVENTS, ("owner", "dropped", "later", 9)):
            history.record(SessionChanged(7, "gw-0001", state, reason, BEGUN_NS + at, whose))
        history.record(AlarmRaised(7, "twin", "gw-0001", "more"))
        history.close()
        file.write((directory / "new.jsonl").read_text())
    claim |= {
        "shots": [], "verdict": "DETECTED", "expected": "DETECTED", "alarm_counts": True,
        "alarm": {"kind": "twin", "subject": "gw-0001", "time_ns": 7, "latency_s": 0.0},
        "sessions": [{"whose": whose, "client": "gw-0001", "state": state, "reason": reason, "wall_ns": BEGUN_NS + at,
                      "time_ns": 7} for whose, state, reason, at in EVENTS],
        "broker_lines": ["2026-11-28T01:02:03: Client gw-0001 <b>disconnected</b>"],
    }  # fmt: skip
    (run / "run.json").write_text(json.dumps(body))
    return run


def test_what_is_typed_finds_the_sessions_of_its_own_time_and_no_other(tmp_path: Path) -> None:
    run = read_run(taken_over(tmp_path))
    scenario, claim = next((s, c) for s, c in run.claims if c.sessions)
    directory = next(world.directory for world in scenario.worlds if world.variant == "on")
    steps = {step.what: step for step in by_hand.session_steps(claim, directory)}
    said = {
        what: subprocess.run(step.command, shell=True, cwd=run.directory, capture_output=True, text=True).stdout
        for what, step in steps.items()
    }
    assert [line.split()[1:4] for line in said["sessions in the history"].splitlines()] == [
        [whose, "gw-0001", state] for whose, state, _, _ in EVENTS
    ]
    thrown_off = "how often the owner was thrown off"
    assert said[thrown_off].strip() == steps[thrown_off].shows == "2"
    assert '"kind":"twin"' in said["alarm in the history"]


def test_the_page_shows_who_was_thrown_off_when(tmp_path: Path) -> None:
    page = html.write_report(taken_over(tmp_path)).read_text()
    assert "Sessions: 5 events in its own time" in page
    assert "closed by the server" in page and "2026-11-27 17:20:00.000" in page
    assert "&lt;b&gt;disconnected" in page and "<b>disconnected" not in page
    assert ALARM_RULES[True] in page and MEANINGS["SUCCEEDED"] in page


def test_no_steps_without_sessions_and_none_in_an_older_run() -> None:
    assert by_hand.session_steps(Claim(), "on") == []
    old = from_json({"version": 1, "scenarios": [{"claims": [{"attack": "a"}]}]}).scenarios[0].claims[0]
    assert (old.sessions, old.alarm_counts, old.broker_lines) == ([], None, [])


def test_a_hostile_client_id_is_one_word_of_the_shell() -> None:
    claim = Claim(attack="a; touch x", sessions=[SessionEvent("owner", "gw'; touch y; '", "dropped", "", 5, 7)])
    commands = " ".join(step.command for step in by_hand.session_steps(claim, "on; touch z"))
    assert "'a; touch x'" in commands and "'on; touch z/events.jsonl'" in commands and "'gw'\"'\"'; touch y" in commands
