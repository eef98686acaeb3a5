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
    sweep, _ = blocks("toml")
    Path("mine.toml").write_text(sweep, encoding="utf-8")
    city, command = (block.split() for block in blocks("sh")[:2])
    arguments = main.make_parser().parse_args([*command[1:], "--workers", "1"])
    assert arguments.command(arguments) == 0
    *lines, report = capsys.readouterr().out.splitlines()
    assert lines == blocks("console")[0].splitlines()
    assert report.startswith("report: runs/sweep-mine/")

    arguments = main.make_parser().parse_args([*city[1:], "--hours", "0.1"])
    assert arguments.command(arguments) == 0
    assert "report: runs/city-quarter-6400/" in capsys.readouterr().out


def test_a_site_of_ones_own_is_sized_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"House {at},50.1,{8.6 + at / 2_000:.4f},{floor},1,vipa-c10,5" for at in range(3) for floor in range(3)]
    Path("addresses.csv").write_text("\n".join(["address,lat,lon,floor,flat,type,count", *rows]), encoding="utf-8")
    for line in blocks("sh")[2].splitlines():
        assert main.main(line.split()[1:]) == 0
    fleet = 'title = "Own"\n[[fleet]]\nname = "a"\ntype = "vipa-c10"\ncount = 45\n[[gateway]]\ncount = 2\n'
    Path("world.toml").write_text(fleet + blocks("toml")[1], encoding="utf-8")
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path / "runs"))
    assert main.main(["city", "world.toml", "--hours", "0.5", "--depth", "radio"]) == 0
