"""A scenario at a gateway of the desk that does not work: one sentence, INCONCLUSIVE, its record can be read, and no
process is left; at one that works, its figures."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench.options import Options
from bench.rig import scenario_run
from bench.rig.judgement import Judgement
from bench.run_errors import Failed, Inconclusive
from sim.core.wall_clock import WallClock
from sim.gateway.kinds.box import BoxSpec, WrongInventory
from sim.gateway.registry import GATEWAYS
from tests.bench.command_line import Rig

BODY = """
WORLD = {"clock.kind": "wall", "clock.rate": 20.0, "clock.late_most_s": 60.0, "gateway.kind": "box",
         "gateway.entry": "kitchen", "gateway.bundle_age_s": 5.0, "gateway.drain_s": 1.0}

@scenario(world="dozen.toml", settings=WORLD)
def test_a_minute(world: Stage) -> None:
    world.run(seconds=60)
"""
ENTRY = """
[[gateway]]
name = "kitchen"
feed = [{{ kind = "codec", format = "rtl_wmbus", line = {line} }}]
read = [{{ kind = "stdout", format = "rtl_wmbus" }}]
listen = {{ broker = false }}
run = {{ command = ["sh", "-c", "{script}"], ready_s = 2.0 }}
"""
STDIN, PTY = '{ kind = "stdin" }', '{ kind = "pty" }'


@pytest.mark.parametrize(
    ("script", "line", "words"),
    [
        ("exec sleep 61.37", PTY, "kitchen is not ready within 2 s: "),
        ("echo no licence >&2; exit 3", STDIN, "its program ended with 3: no licence"),
        ("cat >/dev/null", STDIN, "kitchen delivered none of 36 telegrams: nothing is known to be wrong"),
        ("read line; exit 4", STDIN, "kitchen: its program ended with 4: it said nothing"),
    ],
)
@pytest.mark.acceptance
def test_one_that_does_not_work_proves_nothing(tmp_path: Path, script: str, line: str, words: str) -> None:
    rig = Rig(tmp_path)
    (tmp_path / "inventory.toml").write_text(ENTRY.format(script=script, line=line))
    done = rig.run("run", rig.scenarios(BODY), "--json")
    assert done.returncode == 6, done.stderr
    (one,) = json.loads(done.stdout)["scenarios"]
    assert one["outcome"] == "inconclusive"
    assert words in one["message"]
    assert not any(b"61.37" in file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if readable(file))


def readable(file: Path) -> bool:
    try:
        file.read_bytes()
    except OSError:
        return False
    return True


@pytest.mark.acceptance
def test_one_that_works_has_its_figures_in_the_report(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    (tmp_path / "inventory.toml").write_text(ENTRY.format(script="exec cat", line=STDIN))
    done = rig.run("run", rig.scenarios(BODY), "--json")
    (one,) = json.loads(done.stdout)["scenarios"]
    assert (done.returncode, one["outcome"]) == (0, "passed"), done.stderr
    figures = {measure["name"]: measure["value"] for measure in one["measures"]}
    assert figures["gw-0001: telegrams handed over"] == figures["gw-0001: telegrams that came back"] == 36
    page = (rig.runs / "latest" / "report.html").read_text()
    assert "Gateway of the desk: kitchen" in page and "by the wall&#39;s clock" in page.replace("'", "&#39;")


def test_a_wrong_inventory_line_proves_nothing(tmp_path: Path) -> None:
    """Nor does an entry that it does not name; the sentence stays as it is."""
    (tmp_path / "inventory.toml").write_text('[[gateway]]\nname = "kitchen"\nclaim = 3\n')
    make = GATEWAYS.find("box").make
    clock = WallClock()
    clock.close()
    wiring = cast("Any", SimpleNamespace(clock=clock, directory=tmp_path))
    for entry, words in (("kitchen", "did you mean 'claims'"), ("cellar", "inventory.toml")):
        with pytest.raises(WrongInventory, match=words) as raised:
            make("gw-0001", BoxSpec("gw", entry=entry, inventory=str(tmp_path / "inventory.toml")), wiring)
        bout = scenario_run.Bout.__new__(scenario_run.Bout)
        bout.id, bout.seed, bout.options = "x", 1, Options(None, ())
        end = bout._end(raised.value)
        assert (end.outcome, end.message) == ("inconclusive", str(raised.value))
        assert "\n" not in end.message


@pytest.mark.parametrize(
    ("problems", "unproven", "error"),
    [([], ["late"], Inconclusive), ([], [], Failed), (["a key stands on the disk"], ["late"], Failed)],
)
def test_a_verdict_of_a_world_that_came_too_late_proves_nothing(
    monkeypatch: pytest.MonkeyPatch, problems: list[str], unproven: list[str], error: type[Exception]
) -> None:
    """What does not follow from the lateness is a failure all the same."""
    bout = scenario_run.Bout.__new__(scenario_run.Bout)
    bout.stages, bout.twin, bout.problems, bout.unproven = [], None, problems, unproven
    bout.id, bout.seed, bout.options = "x", 1, Options(None, ())
    judged = Judgement(problems=["service: 60 of 92"])
    monkeypatch.setattr(scenario_run, "judge", lambda *_: judged)
    with pytest.raises(error, match=r"service: 60 of 92\n(late\n)?again: "):
        bout._judge()
