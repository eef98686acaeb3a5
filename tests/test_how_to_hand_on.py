"""docs/how-to/hand-evidence-on.md: its commands, followed to the letter in a copy of the tree; and that
docs/reference/run.md names every field that a run has."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.rig.verdict import CLAUSES
from bench.run_directory import ROOT
from reports.run_model import Alarm, Claim, Clause, Run, Scenario, Shot, World
from sim.core.events import AlarmRaised, Event, FaultWitnessed, RunStarted
from sim.core.history import History
from tests.how_to import follow

REFERENCE = (ROOT / "docs" / "reference" / "run.md").read_text(encoding="utf-8")
OF_READING = {"directory", "notes"}  # remarks about the reading itself


@pytest.mark.acceptance
def test_the_page_works_as_it_stands(tmp_path: Path) -> None:
    assert len(follow(ROOT / "docs" / "how-to" / "hand-evidence-on.md", tmp_path)) == 4


@pytest.mark.parametrize("record", [Run, Scenario, World, Claim, Clause, Shot, Alarm])
def test_the_reference_names_every_field(record: type) -> None:
    named = set(re.findall(r"`(?:scenarios\[\]\.)?([a-z_]+)`", REFERENCE))
    fields = {field.name for field in dataclasses.fields(record)} - (OF_READING if record is Run else set())
    assert fields <= named


@pytest.mark.parametrize("clause", CLAUSES)
def test_the_reference_defines_every_clause(clause: str) -> None:
    assert re.search(rf"^\| `{clause}` \| .{{40,}} \|$", REFERENCE, re.M)


def test_the_recipe_of_the_digests_gives_a_historys_digest(tmp_path: Path) -> None:
    history = History(tmp_path / "events.jsonl")
    for k in range(300):
        history.record(AlarmRaised(k, "freshness", f"meter \xfc {k}\u2028", "replayed counter"))
    started = {field.name: "x" for field in dataclasses.fields(RunStarted) if field.name != "time_ns"}
    history.record(RunStarted(1, **started))  # type: ignore[arg-type]
    history.close()
    (recipe,) = re.findall(r"```python\n(.*?)```", REFERENCE, re.S)
    done = subprocess.run(
        [sys.executable, "-c", recipe], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == history.digest != "0" * 32


def test_the_recipe_names_all_that_does_not_count() -> None:
    assert FaultWitnessed.observed
    observed = {kind.__name__ for kind in Event.__subclasses__() if kind.observed}
    (named,) = re.findall(r"^OBSERVED = \{(.*?)\}$", REFERENCE, re.M)
    assert set(re.findall(r'"(\w+)"', named)) == observed
