"""The list of defects, and that one of each kind is noticed. All of them: `./wmbench test referee`."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.referee.defect import KINDS, ROOT, Defect, Patch, Play, add, defects
from tests.referee.defects import plays
from tests.referee.play import FEW, INCONCLUSIVE, RED, Ran, jobs_of

WRITTEN_BEFOREHAND = Path(__file__).parent / "beyond_the_list.toml"


def test_there_are_defects_of_every_kind() -> None:
    counts = Counter(one.kind for one in defects().values())
    assert set(counts) == set(KINDS)
    assert counts.total() >= 255
    assert min(counts.values()) >= 5


def test_what_was_written_down_beforehand_is_among_them() -> None:
    written = tomllib.loads(WRITTEN_BEFOREHAND.read_text(encoding="utf-8"))["defect"]
    known = defects()
    for one in written:
        assert known[one["id"]].untrue == one["untrue"]
    assert len(written) == 10


def test_each_scenario_that_is_named_is_there() -> None:
    assert [one.id for one in defects().values() if not one.play.path.is_file()] == []


def test_what_rests_on_a_control_has_defects_in_it() -> None:
    """A listener that finds nothing (L02), clear tails (L03), ghosts (L27), tampering (M01): each has a world in which
    the answer is known, and defects that the scenario must notice there."""
    for play in (plays.HABITS, plays.RHYTHM, plays.TAILS, plays.GHOSTS, plays.TAMPERING):
        assert [one.id for one in defects().values() if one.play == play], play


def test_a_defect_says_what_it_breaks_and_has_a_name_of_its_own() -> None:
    known = next(iter(defects().values()))
    with pytest.raises(ValueError, match="two defects"):
        add(known)
    with pytest.raises(ValueError, match="lacks"):
        add(Defect("new", known.kind, "", "untrue", known.play, known.apply))


def test_a_defect_whose_place_is_gone_is_an_error() -> None:
    with pytest.raises(AttributeError):
        Patch().around("sim.portal.portal:Portal.gone", lambda *_: None)


def test_every_place_that_a_defect_changes_is_there() -> None:
    """In a process of its own, since they all change the same code."""
    code = """
from tests.referee.defect import Patch, defects
for one in defects().values():
    try:
        one.apply(Patch())
    except Exception as error:
        print(f"{one.id}: {type(error).__name__}: {error}")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_what_was_changed_is_counted_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("numbers_of_ours")
    module.doubled, module.LEAST = lambda number: 2 * number, 3
    monkeypatch.setitem(sys.modules, "numbers_of_ours", module)
    patch = Patch()
    patch.around("numbers_of_ours:doubled", lambda original, number: original(number) + 1)
    assert patch.used == 0
    assert (module.doubled(4), patch.used) == (9, 1)
    patch.value("numbers_of_ours:LEAST", 1)
    assert (module.LEAST, patch.used) == (1, 2)


@pytest.mark.parametrize(
    ("code", "outcomes", "used", "demanded", "word"),
    [
        (RED, ("failed",), 1, True, "red"),
        (INCONCLUSIVE, ("inconclusive",), 1, True, "inconclusive"),
        (0, ("passed",), 1, False, "green"),
        (RED, ("failed",), 0, False, "unmet"),
        (RED, ("error",), 1, False, "broken"),
        (RED, (), 1, False, "broken"),
        (INCONCLUSIVE, ("skipped",), 1, False, "inconclusive"),
        (-9, ("failed",), 1, False, "exit -9"),
    ],
)
def test_only_a_judgement_counts(code: int, outcomes: tuple[str, ...], used: int, demanded: bool, word: str) -> None:
    known = next(iter(defects().values()))
    ran = Ran(known, known.play, code, 1.0, outcomes, "", used)
    assert (ran.as_demanded, ran.word) == (demanded, word)
    assert Ran(None, Play("x.py"), code, 1.0, outcomes, "", used).as_demanded is (outcomes == ("passed",))


def test_parts_that_no_scenario_judges_have_defects_that_tests_must_notice() -> None:
    files = {one.play.file.rpartition("/")[0] for one in defects().values() if one.play.of_tests}
    assert files == {
        "attacks", "attacks/parts", "bench", "bench/broker", "bench/load", "bench/product", "bench/rig",
        "reports", "sim/endpoint/aws", "sim/gateway/kinds", "sim/portal", "sim/readers", "sim/smart_metering",
        "sim/smart_metering/han", "sim/smgw", "sim/smgw/logs", "sim/systems", "sim/truth",
    }  # fmt: skip
    assert "--endpoint" not in plays.SML.words


def test_each_scenario_is_run_without_a_defect_first() -> None:
    known = defects()
    some = [known["wrong-units"], known["silent-drop"], known["wrong-acc"]]
    jobs = jobs_of(some)
    assert [one for one, _ in jobs[:2]] == [None, None]
    assert {play for _, play in jobs[:2]} == {one.play for one in some}
    assert [one.id for one, _ in jobs[2:] if one] == ["wrong-units", "wrong-acc", "silent-drop"]
    assert [play for one, play in jobs_of(some, sound=False) if one is None] == [known["wrong-units"].play]


@pytest.mark.acceptance
def test_one_of_each_kind_is_noticed() -> None:
    known = defects()
    assert {known[one].kind for one in FEW} == set(KINDS)
    done = subprocess.run(
        [sys.executable, "-m", "tests.referee.play", "--few"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every one was noticed" in done.stdout
