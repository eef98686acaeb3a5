"""docs/how-to/size-a-system.md: its sweep, written out and run, gives the output that stands on the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.cli import main
from bench.run_directory import ROOT

PAGE = ROOT / "docs" / "how-to" / "size-a-system.md"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)


def test_the_example_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    (sweep,) = blocks("toml")
    Path("mine.toml").write_text(sweep, encoding="utf-8")
    city, command = (block.split() for block in blocks("sh"))
    arguments = main.make_parser().parse_args([*command[1:], "--workers", "1"])
    assert arguments.command(arguments) == 0
    *lines, report = capsys.readouterr().out.splitlines()
    assert lines == blocks("console")[0].splitlines()
    assert report.startswith("report: runs/sweep-mine/")

    arguments = main.make_parser().parse_args([*city[1:], "--hours", "0.1"])
    assert arguments.command(arguments) == 0
    assert "report: runs/city-quarter-6400/" in capsys.readouterr().out
