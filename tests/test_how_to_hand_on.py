"""docs/how-to/hand-evidence-on.md: its commands, followed to the letter in a copy of the tree; and that
docs/reference/run.md names every field that a run has."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from bench.run_directory import ROOT
from reports.run_model import Alarm, Claim, Clause, Run, Scenario, Shot, World
from tests.how_to import follow

REFERENCE = (ROOT / "docs" / "reference" / "run.md").read_text(encoding="utf-8")
OF_READING = {"directory", "notes"}  # remarks about the reading itself


def test_the_page_works_as_it_stands(tmp_path: Path) -> None:
    assert len(follow(ROOT / "docs" / "how-to" / "hand-evidence-on.md", tmp_path)) == 3


@pytest.mark.parametrize("record", [Run, Scenario, World, Claim, Clause, Shot, Alarm])
def test_the_reference_names_every_field(record: type) -> None:
    named = set(re.findall(r"`(?:scenarios\[\]\.)?([a-z_]+)`", REFERENCE))
    fields = {field.name for field in dataclasses.fields(record)} - (OF_READING if record is Run else set())
    assert fields <= named
