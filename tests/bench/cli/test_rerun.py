"""A run again: the same digests, and a changed seed, setting or scenario is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.cli.rerun import compare, options_of
from bench.options import ENGINES, Options
from bench.run_directory import write_json
from sim.radio import air
from tests.bench.command_line import Rig
from tests.bench.conftest import Here
from tests.reports import evidence_run

BODY = """
@scenario(world='dozen.toml')
def test_short(world: Stage) -> None:
    attack = world.attack(Staged(world))
    world.run(minutes=1)
    world.expect(attack, 'v', on=(N, X, N), off=(N, S, N))
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rig, Path, dict[str, Any]]:
    """A run with a setting that has a blank in it, which its replay command must carry."""
    rig = Rig(tmp_path_factory.mktemp("rig"))
    path = rig.scenarios(BODY)
    done = rig.run("run", path, "--seed", "5", "--set", 'portal.checks=["acc", "ts"]')
    assert done.returncode == 0, done.stderr
    return rig, (rig.runs / "latest").resolve(), rig.latest()


@pytest.mark.acceptance
def test_a_replay_has_the_same_digests(ran: tuple[Rig, Path, dict[str, Any]]) -> None:
    rig, directory, _ = ran
    done = rig.run("replay", directory, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["same"] is True
    assert told["run"] == str(directory)
    assert [row["old"] for row in told["worlds"]] == [row["new"] for row in told["worlds"]]
    assert [row["defences"] for row in told["worlds"]] == ["on", "clean", "off"]
    assert {row["seed"] for row in told["worlds"]} == {5}


@pytest.mark.acceptance
def test_the_other_engine_makes_the_same_world(ran: tuple[Rig, Path, dict[str, Any]]) -> None:
    rig, directory, run = ran
    assert run["engine"] == run["scenarios"][0]["worlds"][0]["engine"] == "arrays"
    done = rig.run("replay", directory, "--engine", "reference", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["same"] is True
    again = rig.latest()
    assert again["engine"] == again["scenarios"][0]["worlds"][0]["engine"] == "reference"
    assert options_of(again["scenarios"][0]["replay"]).engine == "reference"


@pytest.mark.parametrize("change", ["seed", "setting"])
@pytest.mark.acceptance
def test_a_changed_seed_or_setting_is_told_as_different(
    ran: tuple[Rig, Path, dict[str, Any]], tmp_path: Path, change: str
) -> None:
    rig, _, run = ran
    (scenario,) = run["scenarios"]
    other = (
        {**scenario, "seed": 6}
        if change == "seed"
        else {**scenario, "replay": f"{scenario['replay']} --set site.path_loss_exponent=2.2"}
    )
    write_json(tmp_path / "run.json", {**run, "scenarios": [other]})
    done = rig.run("replay", tmp_path)
    assert done.returncode == 1
    assert done.stdout.count("DIFFERENT: ") == 3


def changed(directory: Path, **changes: str) -> Path:
    """A run, of which its one scenario's record is changed."""
    run = json.loads((evidence_run.write(directory) / "run.json").read_text(encoding="utf-8"))
    (scenario,) = run["scenarios"]
    write_json(directory / "run.json", {**run, "scenarios": [{**scenario, **changes}]})
    return directory


def test_what_was_not_finished_is_not_compared(here: Here, tmp_path: Path) -> None:
    done = here("replay", changed(tmp_path, outcome="interrupted"))
    assert done.returncode == 2
    assert "no scenario of this run was finished" in done.stderr


def test_a_scenario_that_is_gone_is_an_error(here: Here, tmp_path: Path) -> None:
    done = here("replay", changed(tmp_path, id="card/test_gone.py::test_x"))
    assert done.returncode == 2
    assert "there is no scenario 'card/test_gone.py::test_x'" in done.stderr


def test_a_replay_command_is_read_as_a_shell_would() -> None:
    options = options_of(
        """./wmbench run a::b --seed 3 --endpoint memory --set 'portal.checks=["acc", "ts"]' --set a=1"""
    )
    assert options.endpoint == "memory"
    assert options.settings == ('portal.checks=["acc", "ts"]', "a=1")
    assert options_of("./wmbench run a::b --seed 3") == Options(None, ())
    assert options_of("./wmbench run a::b --engine reference --seed 3").engine == "reference"
    assert options_of(" ".join(["run", *Options("memory", ("a=1",), "reference").words()])).words() == [
        "--endpoint", "memory", "--set", "a=1", "--engine", "reference"
    ]  # fmt: skip


def test_the_command_line_offers_the_engines_there_are() -> None:
    assert ENGINES == air.ENGINES


def test_a_world_that_was_not_run_again_is_no_match() -> None:
    old = [{"id": "a", "seed": 1, "worlds": [{"variant": "on", "digest": "d"}]}]
    assert compare(old, [])[0]["new"] is None
    assert compare(old, [{**old[0], "seed": 2}])[0]["new"] is None
    assert compare(old, old)[0]["new"] == "d"
