"""The page that compares endpoints, and how what it says is held against two runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.rig.scenario_run import title_of
from tests.tools.compare_endpoints import AREAS, PAGE, ROOT, read, rows, said_by, unexplained

SCENARIO = "wan/test_x.py::test_a_thing_is_so"
TABLE = "| scenario | on aws_local |\n|---|---|\n| A thing is so | {} |\n"


def test_the_page_names_no_scenario_that_is_not_there() -> None:
    """That it names each of them is for the night: by day a new one need not wait for two runs."""
    files = [file for area in AREAS for file in sorted((ROOT / "scenarios" / area).glob("test_*.py"))]
    titles = {
        title_of(line.removeprefix("def ").partition("(")[0])
        for file in files
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("def test_")
    }
    assert len(titles) > 60
    said = set(said_by(PAGE.read_text(encoding="utf-8")))
    assert said <= titles and len(said) > 60


def found(folder: Path, outcome: str, **verdicts: str) -> Any:
    claims = [
        {"attack": "a", "variant": variant, "security": "mode5", "defences": "on", "verdict": verdict}
        for variant, verdict in verdicts.items()
    ]
    folder.mkdir(parents=True)
    body = {"scenarios": [{"id": SCENARIO, "seed": 1, "outcome": outcome, "claims": claims, "message": ""}]}
    (folder / "run.json").write_text(json.dumps(body))
    return read(folder)


@pytest.mark.parametrize(
    ("says", "mosquitto", "aws", "complaint"),
    [
        ("the same", ("passed", "X"), ("passed", "X"), ""),
        ("the same", ("passed", "X"), ("passed", "S"), "the page says the same"),
        ("the same", ("passed", "X"), ("failed", "X"), "the page says the same"),
        ("the same", ("passed", "X"), ("skipped", "X"), "the page says the same"),
        ("left out: no tls", ("passed", "X"), ("skipped", "X"), ""),
        ("left out: no tls", ("passed", "X"), ("passed", "X"), "the page says: left out"),
        ("left out: no tls", ("skipped", "X"), ("skipped", "X"), "the page says: left out"),
        ("only here: shadows", ("skipped", "X"), ("passed", "X"), ""),
        ("only here: shadows", ("passed", "X"), ("passed", "X"), "the page says: only here"),
        ("differs: a rate", ("passed", "X"), ("inconclusive", "X"), ""),
        ("another word", ("passed", "X"), ("passed", "X"), "the page does not name it"),
    ],
)
def test_what_the_page_says_is_held_against_the_runs(
    tmp_path: Path, says: str, mosquitto: tuple[str, str], aws: tuple[str, str], complaint: str
) -> None:
    runs = [found(tmp_path / name, one[0], v=one[1]) for name, one in (("m", mosquitto), ("a", aws))]
    said = unexplained(runs[0], runs[1], TABLE.format(says))
    assert bool(said) == bool(complaint) and all(complaint in one for one in said)


def test_a_scenario_that_was_not_run_is_no_agreement(tmp_path: Path) -> None:
    runs = found(tmp_path / "m", "passed", v="X")
    assert "not run" in unexplained(runs, {}, TABLE.format("the same"))[0]


def test_rows_name_what_differs(tmp_path: Path) -> None:
    one, other = found(tmp_path / "1", "passed", v="X", w="X"), found(tmp_path / "2", "failed", v="S", w="X")
    assert rows(one, one) == [f"| `{SCENARIO}` | passed | passed | 2 verdicts, the same |"]
    assert rows(one, other) == [f"| `{SCENARIO}` | passed | failed | v / mode5 / on: X and S |"]


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"name a directory with run\.json"):
        read(tmp_path)
