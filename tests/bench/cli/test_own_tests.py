"""Which environments of tox a `./wmbench test` runs, what it says of them, and what it ends with."""

from __future__ import annotations

import configparser
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.cli import own_tests
from bench.run_directory import ROOT

TOX = """
import sys, time, pathlib
name, log = sys.argv[sys.argv.index("-e") + 1], pathlib.Path(__file__).with_name("log")
side_by_side = ("unit", "scenarios", "lint")
def note(what):
    with log.open("a") as file:
        file.write(f"{name} {what}\\n")
def meets(what):
    for _ in range(6_000):
        if what in log.read_text():
            return
        time.sleep(0.01)
    sys.exit(f"{name} alone: not {what}")
try:
    note("begins")
    for other in side_by_side if name in side_by_side else ():  # none of them ends before all three have begun
        meets(f"{other} begins")
except KeyboardInterrupt:
    sys.exit(note("interrupted"))
if name in ("scenarios", "lint"):
    print(f"what {name} found")
note("ends")
sys.exit(FAILS.get(name, 0))
"""


@pytest.fixture
def tox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A tox of which these environments fail; what `command()` ends with, and the order."""

    def run(**fails: int) -> list[str]:
        program = tmp_path / "tox.py"
        program.write_text(TOX.replace("FAILS", repr(fails)))
        monkeypatch.setattr(own_tests, "_tox", lambda names, options=(): [
            sys.executable, str(program), "-e", ",".join(names), *options])  # fmt: skip
        code = own_tests.command([])
        return [str(code), *(tmp_path / "log").read_text().splitlines()]

    return run


def test_three_run_side_by_side_behind_the_set_up_and_the_benchmarks_alone(
    tox: Callable[..., list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    code, *order = tox()
    assert code == "0"
    assert order[:2] == ["setup begins", "setup ends"]
    assert order[-2:] == ["perf begins", "perf ends"]
    assert sorted(order[2:-2]) == [
        f"{name} {what}" for name in ("lint", "scenarios", "unit") for what in ("begins", "ends")
    ]
    out = capfd.readouterr().out
    assert out.endswith(
        "what scenarios found\nwhat lint found\nunit: passed; lint: passed; scenarios: passed; perf: passed\n"
    )


@pytest.mark.parametrize("name", ["unit", "scenarios", "lint", "perf"])
def test_one_that_fails_lets_the_others_run_and_is_the_exit_code(
    tox: Callable[..., list[str]], capfd: pytest.CaptureFixture[str], name: str
) -> None:
    code, *order = tox(**{name: 3})
    assert code == "3" and len(order) == 10
    assert f"{name}: failed" in capfd.readouterr().out.splitlines()[-1]


def test_what_runs_beside_ends_when_it_is_interrupted(
    tox: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, log = own_tests._run, tmp_path / "log"

    def interrupted(name: str) -> int:
        if name != "unit":
            return run(name)
        for _ in range(6_000):
            if "lint begins" in log.read_text() and "scenarios begins" in log.read_text():
                raise KeyboardInterrupt
            time.sleep(0.01)
        raise AssertionError("nothing runs beside")

    monkeypatch.setattr(own_tests, "_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tox()
    assert sorted(log.read_text().splitlines()[-2:]) == ["lint interrupted", "scenarios interrupted"]


def test_nothing_runs_on_a_set_up_that_failed(tox: Callable[..., list[str]]) -> None:
    assert tox(setup=2) == ["2", "setup begins", "setup ends"]


def test_words_pass_through() -> None:
    assert own_tests._tox(["unit", "lint"], ["-v"])[-3:] == ["-e", "unit,lint", "-v"]
    assert "-e" not in own_tests._tox([], ["--notest"])


def test_each_test_that_is_no_night_s_is_in_one_environment() -> None:
    """Unit leaves out what acceptance runs, and nothing else; CI runs both."""
    commands = configparser.ConfigParser(interpolation=None)
    commands.read(ROOT / "tox.ini")
    unit, acceptance = (commands[f"testenv:{name}"]["commands"] for name in ("unit", "acceptance"))
    assert unit == acceptance.replace("-m acceptance", '-m "not acceptance"')
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert './wmbench test "$@" || code=$?' in script and "./wmbench test acceptance || code=$?" in script
