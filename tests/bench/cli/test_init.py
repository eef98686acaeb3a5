"""A repository of a user's own: its page followed to the letter, and one part of each kind in one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import uuid
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from arrays import cache_folder
from bench.cli import init
from bench.run_directory import ROOT
from sim.core import own
from tests.bench.command_line import PATIENCE_S
from tests.bench.conftest import Here
from tests.how_to import blocks, fits

PAGE = ROOT / "docs" / "how-to" / "keep-your-own-repository.md"
ADD = ("a-check", "a-fault", "a-gateway", "a-line-format", "a-meter", "a-store", "an-alarm", "an-attack", "an-endpoint")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The checkout as a repository sees it, with a launcher that prepares no environment: this one is there."""
    place = tmp_path / "wmbench"
    place.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in ("wmbench", "runs"):
            (place / entry.name).symlink_to(entry)
    launcher = place / "wmbench"
    launcher.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m bench "$@"\n')
    launcher.chmod(0o755)
    return place


def shell(line: str, place: Path, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """One command as a person types it there."""
    around = {name: text for name, text in os.environ.items() if not name.startswith(("WMBENCH_", "PYTHONPATH"))}
    around |= {"WMBENCH_HOME": str(home), "NUMBA_CACHE_DIR": str(cache_folder.base()), "COLUMNS": "160", **more}
    command = re.sub(r"^python(?= )", f'"{sys.executable}"', line)
    return subprocess.run(
        command, shell=True, cwd=place, env=around, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@pytest.mark.acceptance
def test_the_page_works_as_it_stands(home: Path) -> None:
    place, last = home, ""
    for block in blocks(PAGE):
        if block.path is not None:
            path = place / block.path
            assert not (ROOT / block.path).exists()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.kind == "sh":
            done = shell(block.text.strip(), place, home)
            assert done.returncode == 0, f"{block.text}{done.stdout}\n{done.stderr}"
            last, place = done.stdout, home.parent / "acme"
        elif block.kind == "console":
            assert fits(block.text, last), f"the page says\n{block.text}\nand it printed\n{last}"
    plain = shell("python -m pytest -q --collect-only", place, home)
    assert "test_a_late_echo_changes_nothing[" in plain.stdout, plain.stdout + plain.stderr
    cases = {case.get("name", "") for case in ET.parse(place / "junit.xml").iter("testcase")}
    assert cases == {"test_a_late_echo_changes_nothing[seed=1-300.0]"}
    suite = ET.parse(place / "runs" / "radio" / "latest" / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert cases < {case.get("name", "") for case in suite.iter("testcase")}
    assert [one.get("value") for one in suite.iter("property") if one.get("name") == "firmware"] == ["1.4.2"]


SCENARIO = """
from bench.rig.scenario import N, S, Stage, X, scenario
from attacks.echo import Echo
from sim.faults.antenna_lost import AntennaLost

@scenario(world="all", threats=["L08"])
def test_every_part_is_at_work(world: Stage) -> None:
    echo = world.attack(Echo(learn_s=120.0))
    lost = world.fault(AntennaLost(after_s=600, duration_s=1_200))
    world.run(minutes=70)
    assert lost.recovery
    portal, endpoint = world.inner.system.portal, world.inner.system.endpoint
    assert {"pace"} <= {*portal.spec.checks} or world.defences == "off"
    assert "dead" in portal.spec.alarms
    assert (portal.store.name, type(endpoint).__name__) == ("scratch", "Narrow")
    assert {type(one).__name__ for one in world.inner.system.gateways} == {"ClockworkGateway"}
    assert len(world.truth.readings) > 400
    world.expect(echo, "an hour later", because="replayed access number | replayed time", on=(N, X, N), off=(N, S, N))
"""
WORLD = """
title = "All that is the user's"
portal = { store = "scratch", pace_least_share = 0.01 }
[[fleet]]
name = "a"
type = "dev-electricity"
count = 8
security = "mode5"
interval_s = 60.0
[[gateway]]
name = "gw"
kind = "clockwork"
every_s = 60.0
[endpoint]
kind = "narrow"
"""
INVARIANT = """\
from bench.rig.checks.port import Invariant

INVARIANT = Invariant("seen", "the user's own invariant", lambda world, attacked: ["seen"])
"""
DESK = """
from dataclasses import dataclass, replace
from {module} import {base} as ours, {name} as kind

@dataclass(frozen=True, slots=True)
class Mine(ours):
    kind: str = "mine"

{name} = replace(kind, id="mine", spec=Mine)
"""
DESKS = {
    "feeders": ("sim.feeders.kinds.codec", "CodecSpec", "KIND"),
    "readers": ("sim.readers.kinds.bundles", "BundlesSpec", "KIND"),
    "lines": ("sim.feeders.lines.stdin", "StdinSpec", "LINE"),
}
INVENTORY = """
[[gateway]]
name = "mine"
entry = "reference"
firmware = "3.1"
feed = [{ kind = "mine", format = "my_logger", line = { kind = "mine" } }]
read = [{ kind = "mine" }]
"""


def with_all_parts(place: Path) -> None:
    """One part of each kind: those of the pages `add-*.md`, in the user's folders instead of ours."""
    folders = {package.replace(".", "/"): name for name, package in own.FOLDERS.items()}
    for one in ADD:
        (source,) = [
            block for block in blocks(ROOT / "docs" / "how-to" / f"add-{one}.md")
            if block.path is not None and str(Path(block.path).parent) in folders
        ]  # fmt: skip
        assert source.path is not None
        path = place / folders[str(Path(source.path).parent)] / Path(source.path).name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source.text, encoding="utf-8")
    for folder, (module, base, name) in DESKS.items():
        (place / folder).mkdir()
        (place / folder / "mine.py").write_text(DESK.format(module=module, base=base, name=name))
    (place / "invariants").mkdir()
    (place / "invariants" / "seen.py").write_text(INVARIANT)
    (place / "worlds" / "all.toml").write_text(WORLD)
    (place / "sweeps").mkdir()
    (place / "sweeps" / "mine.toml").write_text('world = "all"\nhours = 0.1\n')
    (place / "inventory.toml").write_text(INVENTORY)
    (place / "scenarios" / "test_all.py").write_text(SCENARIO)


@pytest.mark.parametrize("ci", init.CI)
def test_a_ci_file_finds_the_bench_runs_and_keeps_the_report(ci: str, tmp_path: Path) -> None:
    init.write(tmp_path, ci)
    path = tmp_path / init.CI[ci][0]
    text = path.read_text()
    if path.suffix == ".yml":
        yaml = pytest.importorskip("yaml")  # of the extras, which ./wmbench test sets up
        (job,) = [one for one in (yaml.safe_load(text) | yaml.safe_load(text).get("jobs", {})).values()
                  if isinstance(one, dict) and ("steps" in one or "script" in one)]  # fmt: skip
        assert "WMBENCH_HOME" in {**job.get("env", {}), **job.get("variables", {})}
    assert text.count("{") == text.count("}")
    for word in ("./wmbench run", "junit.xml", "WMBENCH_REPOSITORY", "WMBENCH_REF", "WMBENCH_HOME"):
        assert word in text


def test_what_is_there_is_kept(tmp_path: Path, here: Here) -> None:
    (tmp_path / "inventory.toml").write_text("mine")
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '-ra'\n")
    done = here("init", tmp_path, "--ci", "none")
    assert done.returncode == 0
    assert f"kept  {tmp_path}/inventory.toml\n" in done.stdout
    assert (tmp_path / "inventory.toml").read_text() == "mine"
    assert not (tmp_path / "pytest.ini").exists()  # it would go before the settings that are there
    again = here("init", tmp_path, "--ci", "none")
    assert "made" not in again.stdout
    home = tomllib.loads((tmp_path / own.SETTINGS).read_text())["home"]
    assert (tmp_path / home).resolve() == ROOT


@pytest.mark.parametrize(
    ("folder", "said"),
    [(ROOT / "mine", "is inside the checkout"), (Path(__file__), "is inside"), (Path("/etc/hosts"), "is a file")],
)
def test_a_folder_that_cannot_be_is_refused(folder: Path, said: str, here: Here) -> None:
    done = here("init", folder)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (ROOT / "mine").exists()


def test_a_home_that_is_none_is_said_with_the_way_out(tmp_path: Path) -> None:
    init.write(tmp_path, "none")
    for line, code in (("./wmbench run", 2), ("python -m pytest", 4)):
        done = shell(line, tmp_path, tmp_path / "nowhere")
        assert done.returncode == code
        assert f"correct home in {tmp_path}/wmbench.toml, or set WMBENCH_HOME" in done.stdout + done.stderr


@pytest.mark.acceptance
def test_one_part_of_each_kind_is_found_and_at_work(home: Path) -> None:
    place = home.parent / "own"
    init.write(place, "none")
    with_all_parts(place)
    listed = json.loads(shell("./wmbench list --json", place, home).stdout)
    mine = {
        "attacks": "radio.echo", "meters": "dev-electricity", "checks": "pace", "alarms": "dead",
        "faults": "antenna_lost",
        "gateways": "clockwork", "endpoints": "narrow", "stores": "scratch", "feeders": "mine", "readers": "mine",
        "lines": "mine", "codecs": "my_logger", "worlds": "all", "sweeps": "mine",
        "scenarios": "scenarios/test_all.py::test_every_part_is_at_work",
    }  # fmt: skip
    assert {kind: id_ for kind, id_ in mine.items() if id_ not in {one["id"] for one in listed[kind]}} == {}
    assert {*own.FOLDERS} - {*mine} == {"systems", "invariants"}
    with (place / "checks" / "pace.py").open("a") as file:
        file.write(f"# {uuid.uuid4()}\n")  # no line of code, so what is kept of earlier tests fits
    done = shell("./wmbench run scenarios/test_all.py --json -n 2", place, home)
    assert done.stderr.count("are new: compiling them before the first window") == 1
    assert "compiling code that is new" not in done.stderr
    assert done.returncode == 1, done.stderr
    run = json.loads(done.stdout)
    (scenario,) = run["scenarios"]
    assert run["firmware"] == "mine 3.1"
    wrong = {line for line in scenario["message"].splitlines() if not line.startswith("again: ")}
    assert wrong == {f"the user's own invariant ({defences}): seen" for defences in ("on", "clean", "off")}
    assert [claim["verdict"] for claim in scenario["claims"]] == ["PREVENTED", "SUCCEEDED"]
