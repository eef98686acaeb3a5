"""Sweeps: what a file may say, what comes out, and that nothing finished is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench import run_directory, worlds
from bench.cli import main
from bench.run_errors import CannotRun
from bench.sweep import grid, grid_result, point_log
from bench.sweep.grid import Expectation
from sim.core.settings import SpecError

WORLD = """
title = "A few houses"
start = 2026-01-12T08:00:00
[site]
floors = 1
path_loss_exponent = 4.4
[[fleet]]
name = "a"
type = "vipa-c10"
count = 400
interval_s = 60.0
[[gateway]]
count = 4
"""
SWEEP = """
title = "Two by two"
world = "houses.toml"
hours = 0.25
seeds = [1, 2]
[vary]
"gateway.count" = [4, 8]
"fleet.interval_s" = [60, 30]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(run_directory.PLACE, str(tmp_path / "runs"))
    (tmp_path / "houses.toml").write_text(WORLD, encoding="utf-8")
    return tmp_path


def written(folder: Path, text: str = SWEEP) -> Path:
    path = folder / "two.toml"
    path.write_text(text, encoding="utf-8")
    return path


def sweep(*words: object) -> int:
    arguments = main.make_parser().parse_args(["sweep", *map(str, words)])
    return int(arguments.command(arguments))


def latest(folder: Path, file: str = "sweep.json") -> Any:
    return json.loads((folder / "runs" / "latest" / file).read_text(encoding="utf-8"))


# --- the file --------------------------------------------------------------------------------------------------------


def test_every_combination_is_a_point(folder: Path) -> None:
    read = grid.read(written(folder))
    assert [point.settings for point in read.points] == [
        {"gateway.count": g, "fleet.interval_s": i} for g in (4, 8) for i in (60, 30)
    ]
    assert [point.spec.gateways for point in read.points] == [4, 4, 8, 8]
    assert read.points[1].spec.fleet[0].interval_s == 30.0


def test_settings_change_together_and_tables_are_dotted_keys(folder: Path) -> None:
    body = SWEEP[: SWEEP.index("[vary]")]
    together = grid.read(written(folder, body + '[vary]\n"site.floors, fleet.count" = [[1, 80], [2, 160]]'))
    assert [(p.spec.site.floors, p.spec.meters) for p in together.points] == [(1, 80), (2, 160)]
    inline = grid.read(written(folder, body + "vary = { gateway.count = [3], site = { floors = [2, 3] } }"))
    assert [(p.spec.gateways, p.spec.site.floors) for p in inline.points] == [(3, 2), (3, 3)]
    fixed = grid.read(written(folder, body + "set = { gateway.count = 7 }"))
    assert [p.spec.gateways for p in fixed.points] == [7]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("hours =", "ours =", "two.toml, line 4: ours: unknown key. Known: depth, expect, hours,"),
        ("houses.toml", "nowhere", "two.toml, line 3: world: there is no world 'nowhere': a TOML file, or one of"),
        ("hours = 0.25", "hours = 0.0", "two.toml, line 4: hours: 0.0 is not between 0.001 and"),
        ("seeds = [1, 2]", "seeds = [1, 1]", "two.toml, line 5: seeds: [1, 1] is not a list of different seeds"),
        ("seeds = [1, 2]", "seeds = []", "two.toml, line 5: seeds: [] is not a list"),
        ("seeds = [1, 2]", "seeds = [-1]", "two.toml, line 5: seeds: [-1] is not a list"),
        ("seeds = [1, 2]", 'depth = "deep"', "two.toml, line 5: depth: 'deep' is not one of 'radio', 'bytes'"),
        ("[4, 8]", "[0]", "two.toml, line 7: vary: gateway.count: 0 is not between 1 and"),
        ("[4, 8]", "[]", "two.toml, line 7: vary.gateway.count: [] is not a list of values"),
        ("[4, 8]", "4", "two.toml, line 7: vary.gateway.count: 4 is not a list of values"),
        ('"gateway.count"', '"gateway.cuont"', "line 7: vary: gateway.cuont: unknown key 'cuont'; did you mean"),
        ('"gateway.count" = [4, 8]', '"a, b" = [[1, 2], [1]]', "line 7: vary.a, b: [1] is not a list of 2 values"),
        ("[60, 30]", str([60.0] * 6_000), "6000 = 12000 points, at most 10000"),
        ("[vary]", "expect = { delivery = { min = 1 } }\n[vary]", "line 6: expect.delivery: no such figure. Known:"),
        ("[vary]", "expect = { collision = 0.1 }\n[vary]", "expect.collision: 0.1 is not a table with min, max"),
        ("[vary]", "expect = { collision = { formula = 1 } }\n[vary]", "a closed form is known of delivery_ratio only"),
        ("[vary]", "expect = { collision = { min = true } }\n[vary]", "min = True is not a number"),
        ("[vary]", "expect = { where = { gateway.count = 5 } }\n[vary]", "no point of this sweep has {'gateway.count'"),
        ("[vary]", "expect = { delivery_ratio = { formula = 0.1 } }\n[vary]", "no closed form holds at gateway"),
        ("[vary]", "expect = 3\n[vary]", "line 6: expect: 3 is not a table"),
        ("[vary]", "vary = 3\n[other]", "line 7: other: unknown key"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line_and_what_is_allowed(folder: Path, old: str, new: str, said: str) -> None:
    assert SWEEP.count(old) == 1
    with pytest.raises(SpecError) as error:
        grid.read(written(folder, SWEEP.replace(old, new)))
    assert said in str(error.value)


def test_shipped_sweeps_can_be_read_and_expect_something() -> None:
    for path in worlds.known("sweeps").values():
        read = grid.read(grid.find(path.stem))
        assert len(read.points) > 1
        assert read.expectations
    with pytest.raises(SpecError, match=r"there is no sweep 'nothing'.*density, gateways, load"):
        grid.find("nothing")


# --- what comes out --------------------------------------------------------------------------------------------------


def test_a_sweep_leaves_its_table_and_its_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expect = "\n[[expect]]\ndelivery_ratio = { min = 0.1 }\n[[expect]]\nwhere = { gateway.count = 8 }\nframes_sent = "
    assert sweep(written(folder, SWEEP + expect + "{ min = 1 }"), "--workers", 1) == 0
    said, quiet = capsys.readouterr()
    assert said.count("holds") == 4 and "report: " in said
    assert next(line for line in quiet.splitlines() if "is done" in line) == (
        "point 1 of 4 is done: gateway.count = 4, fleet.interval_s = 60"
    )
    body, run = latest(folder), latest(folder, "run.json")
    assert run["outcome"] == "passed" and run["kind"] == "sweep"
    sent = [point["figures"]["frames_sent"]["mean"] for point in body["points"]]
    assert sent[1] == pytest.approx(2 * sent[0], rel=0.02) and sent[0] == sent[2]
    assert body["points"][0]["load"] < body["points"][1]["load"]
    one = body["points"][0]
    assert one["figures"]["delivery_ratio"]["low"] < one["figures"]["delivery_ratio"]["high"]
    assert sum(one["fates"].values()) == pytest.approx(1)
    assert len(one["expected"]) == 1 and len(body["points"][2]["expected"]) == 2
    ratios = [point["figures"]["delivery_ratio"]["mean"] for point in body["points"]]
    assert body["worst"]["point"] == ratios.index(min(ratios))
    heard = sum(body["worst"]["blocks"]["heard"])
    assert heard == 2 * body["points"][body["worst"]["point"]]["figures"]["frames_heard"]["mean"]


def test_a_sweep_may_go_to_stored_readings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expect = "expect = { altered = { max = 0 }, stored = { min = 9 } }"
    one = f'{SWEEP[: SWEEP.index("[vary]")]}depth = "readings"\n{expect}'
    assert sweep(written(folder, one), "--workers", 1) == 0
    assert "stored / sent" in (folder / "runs" / "latest" / "report.html").read_text(encoding="utf-8")
    figures = latest(folder)["points"][0]["figures"]
    assert figures["stored"]["mean"] == figures["frames_heard"]["mean"]
    again = point_log.read(folder / "runs" / "latest")
    assert sum(shard.stored.stored for shard in again.values() if shard.stored) == 2 * figures["stored"]["mean"]
    with pytest.raises(SpecError, match=r'altered: it needs depth = "readings"'):
        grid.read(written(folder, one.replace("readings", "bytes")))


@pytest.mark.parametrize(
    ("limit", "value", "formula", "held"),
    [("min", 0.5, None, True), ("min", 0.7, None, False), ("max", 0.7, None, True), ("max", 0.5, None, False),
     ("formula", 0.02, 0.61, True), ("formula", 0.02, 0.59, True), ("formula", 0.02, 0.63, False),
     ("formula", 0.02, 0.57, False)],
)  # fmt: skip
def test_what_is_found_is_held_against_its_limit(limit: Any, value: float, formula: float | None, held: bool) -> None:
    one = Expectation("delivery_ratio", limit, value)
    assert grid_result.judged(one, 0.6, formula) == {
        "figure": "delivery_ratio", "limit": limit, "value": value, "text": one.text, "found": 0.6, "held": held,
    }  # fmt: skip


def test_an_expectation_that_fails_names_its_point(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expect = '\n[[expect]]\nwhere = { "fleet.interval_s" = 30 }\ndelivery_ratio = { min = 0.9999 }\n'
    assert sweep(written(folder, SWEEP + expect), "--workers", 1, "--seeds", 5, "--no-report") == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 2
    assert failed[0].startswith("FAILED: gateway.count = 4, fleet.interval_s = 30: delivery_ratio >= 0.9999, found 0.")
    assert latest(folder, "run.json")["outcome"] == "failed"
    assert latest(folder)["seeds"] == [5]
    assert not (folder / "runs" / "latest" / "report.html").exists()


@pytest.mark.acceptance
def test_interrupted_it_leaves_no_process_and_goes_on_where_it_was(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(folder, SWEEP.replace("0.25", "6.0").replace("[60, 30]", "[60, 5]"))
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "sweep", str(path), "--workers", "2"], cwd=run_directory.ROOT,
        start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    kept = folder / "runs" / "sweep-two" / "latest" / "points.jsonl"
    deadline_s = time.monotonic() + 120
    while not (kept.exists() and kept.stat().st_size) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: all of them hear it
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "go on with ./wmbench sweep --resume" in said and "Traceback" not in said
    deadline_s = time.monotonic() + 30
    while in_session(process.pid) and time.monotonic() < deadline_s:
        time.sleep(0.02)  # multiprocessing's own tracker ends when its pipe does
    assert not in_session(process.pid)
    assert latest(folder, "run.json")["outcome"] == "interrupted"

    finished = point_log.read(kept.parent)
    assert 1 <= len(finished) < 8
    with kept.open("a") as file:
        file.write('{"point": 3, "seed"')  # as a kill would leave it
    assert sweep("--resume", kept.parent.resolve(), "--workers", 1, "--json", "--no-report") == 0
    resumed = json.loads(capsys.readouterr().out)
    assert len(kept.read_text().splitlines()) == 8
    assert sweep(path, "--workers", 1, "--json", "--no-report") == 0
    assert json.loads(capsys.readouterr().out)["digest"] == resumed["digest"]


def in_session(leader: int) -> list[int]:
    """Processes of the session that this one began."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def test_what_has_changed_is_not_taken_up(folder: Path) -> None:
    path = written(folder)
    assert sweep(path, "--workers", 1, "--seeds", 1, "--no-report") == 0
    directory = folder / "runs" / "latest"
    with pytest.raises(run_directory.RunDirectoryError, match="leave out --seeds"):
        sweep("--resume", directory, "--seeds", 1)
    (folder / "houses.toml").write_text(WORLD.replace("400", "401"), encoding="utf-8")
    with pytest.raises(run_directory.RunDirectoryError, match=r"has changed since \(worlds\)"):
        sweep("--resume", directory)
    run_directory.hold(directory.resolve())
    with pytest.raises(run_directory.RunDirectoryError, match="a sweep is at work in it"):
        sweep("--resume", directory)
    run_directory.release(directory.resolve())
    lines = (directory / "points.jsonl").read_text().splitlines()
    (directory / "points.jsonl").write_text("\n".join([lines[0], "{}", *lines[2:], ""]))
    with pytest.raises(run_directory.RunDirectoryError, match=r"points.jsonl, line 2: no finished shard"):
        point_log.read(directory)


def test_a_file_or_a_run_and_not_both(folder: Path) -> None:
    for words in ([], ["load", "--resume", "x"]):
        with pytest.raises(Exception, match=r"give a sweep's file, or --resume RUN"):
            sweep(*words)


def test_one_that_began_nothing_leaves_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CannotRun, match="--scheduler"):
        sweep(written(folder), "--scheduler", "no-address")
    assert "go on with" not in capsys.readouterr().err
    assert not list((folder / "runs").glob("*/latest"))
