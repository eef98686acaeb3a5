"""What people know of pytest holds for scenarios: fixtures, parameters, classes, markers, -x, --lf, seeds, folders."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.bench.command_line import HEAD, Rig
from tests.bench.conftest import Here

BODY = """
import pytest

pytestmark = pytest.mark.filterwarnings("default")

@pytest.fixture
def seconds():
    return 30

class TestOfAHouse:
    @pytest.mark.parametrize("wanted", ["right", "wrong"])
    @scenario(world='../dozen.toml', seeds=(1,))
    def test_short(self, world, seconds, wanted):
        world.run(seconds=seconds)
        assert wanted == "right"

@pytest.mark.skip(reason="not today")
@scenario(world='../dozen.toml')
def test_skipped(world):
    raise RuntimeError
"""
ID = "TestOfAHouse::test_short"


@pytest.fixture
def houses(rig: Rig) -> Path:
    rig.scenarios("")
    folder = rig.folder / "houses"
    folder.mkdir()
    (folder / "test_houses.py").write_text(HEAD + BODY)
    return folder


def cases(rig: Rig) -> dict[str, str]:
    return {scenario["case"]: scenario["outcome"] for scenario in rig.latest()["scenarios"]}


@pytest.mark.acceptance
def test_a_folder_is_that_folder_and_a_case_has_one_name(rig: Rig, houses: Path) -> None:
    both = {f"test_short[seed={seed}-{wanted}]": outcome for seed in (1,)
            for wanted, outcome in (("right", "passed"), ("wrong", "failed"))}  # fmt: skip
    done = rig.run("run", "houses", "-n", "1", "--junitxml", "pytests.xml", "--firmware", "2.0")
    assert done.returncode == 1
    assert cases(rig) == both
    ids = {scenario["id"] for scenario in rig.latest()["scenarios"]}
    assert ids == {f"{houses}/test_houses.py::{ID}[{wanted}]" for wanted in ("right", "wrong")}
    ours, pytests = (ET.parse(path).getroot().find("testsuite") for path in
                     (rig.runs / "latest" / "junit.xml", rig.folder / "pytests.xml"))  # fmt: skip
    for suite in (ours, pytests):
        assert suite is not None
        assert {case.get("name") for case in suite.iter("testcase")} >= {*both}
        assert "2.0" in {one.get("value") for one in suite.iter("property") if one.get("name") == "firmware"}

    typed = f"./houses/../houses/test_houses.py::{ID}[wrong]"
    assert rig.run("run", typed, "--seed", "7", "--seed", "9", "-n", "1").returncode == 1
    assert cases(rig) == {f"test_short[seed={seed}-wrong]": "failed" for seed in (7, 9)}
    assert {scenario["id"] for scenario in rig.latest()["scenarios"]} < ids
    said: dict[str, Any] = rig.latest()["scenarios"][0]
    lines = (houses / "test_houses.py").read_text().splitlines()
    line = lines.index('        assert wanted == "right"') + 1
    assert said["message"].startswith(f"{houses}/test_houses.py, line {line}: assert 'wrong' == 'right'")
    assert said["replay"].startswith(f"./wmbench run '{houses}/test_houses.py::{ID}[wrong]' --seed 7")


@pytest.mark.acceptance
def test_what_failed_is_run_again_and_the_first_failure_stops(rig: Rig, houses: Path) -> None:
    assert rig.run("run", "houses", "-x", "-n", "1", "-k", "short").returncode == 1
    assert list(cases(rig).values()) == ["passed", "failed"]
    assert rig.run("run", ".", "--lf", "-n", "1").returncode == 1
    assert cases(rig) == {"test_short[seed=1-wrong]": "failed"}


@pytest.mark.acceptance
def test_an_error_at_import_names_the_line(rig: Rig, houses: Path, here: Here) -> None:
    (houses / "test_houses.py").write_text(HEAD + BODY + "\nraise ValueError('no house')\n")
    done = rig.run("run", "houses")
    assert done.returncode == 2
    assert f"test_houses.py, line {len((HEAD + BODY).splitlines()) + 2}: ValueError: no house" in done.stderr
    (houses / "test_houses.py").write_text("")
    assert "houses holds no scenario" in here("run", "houses").stderr
