"""Run directories: never shared, found by any of their names, whole or absent, and with a reserve for a full disk."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from bench import run_directory
from bench.run_directory import RunDirectoryError
from sim.core.clock import wall_now


def scenario(outcome: str, **more: Any) -> dict[str, Any]:
    return {"order": 0, "id": "a.py::test_b", "seed": 7, "outcome": outcome, "message": "why", "worlds": [], **more}


def left(directory: Path, *outcomes: str) -> None:
    for number, outcome in enumerate(outcomes):
        body = scenario(outcome, order=len(outcomes) - number)
        run_directory.write_json(directory / f"s{number}" / "scenario.json", body)


def gathered(directory: Path, *, interrupted: bool = False, failures: int = 0) -> dict[str, Any]:
    return run_directory.gather(
        directory, name="n", title="t", command="c", started=wall_now(), interrupted=interrupted, failures=failures
    )


def test_two_runs_in_one_second_get_two_directories_and_latest_is_the_last(tmp_path: Path) -> None:
    made = [run_directory.make("card/test_x.py::y", tmp_path) for _ in range(3)]
    assert len(set(made)) == 3
    assert (tmp_path / "latest").resolve() == made[-1]
    assert (made[0].parent / "latest").resolve() == made[-1]
    assert made[0].parent.parent == tmp_path


def test_a_run_that_came_to_nothing_is_taken_away_and_latest_leads_to_the_one_before(tmp_path: Path) -> None:
    first = run_directory.make("a", tmp_path)
    left(first, "passed")
    gathered(first)
    second = run_directory.make("a", tmp_path)
    run_directory.unmake(second)
    assert not second.exists()
    assert (tmp_path / "latest").resolve() == first
    assert run_directory.find("a", tmp_path) == first
    run_directory.unmake(first)
    assert first.exists(), "one that holds something stays"


def test_a_run_is_found_by_path_by_name_and_as_latest(tmp_path: Path) -> None:
    directory = run_directory.make("card/test_x.py::y", tmp_path)
    run_directory.release(directory)
    for text in ("latest", str(directory)):  # killed before its first scenario was finished
        with pytest.raises(RunDirectoryError, match=r"is there, and no scenario in it was finished: start that run"):
            run_directory.find(text, tmp_path)
    with pytest.raises(RunDirectoryError, match="there is no run"):
        run_directory.find("nothing", tmp_path)
    left(directory, "passed")
    gathered(directory)
    for text in ("latest", str(directory), "card/test_x.py::y", f"{directory.parent.name}/{directory.name}"):
        assert run_directory.find(text, tmp_path) == directory
    with pytest.raises(RunDirectoryError, match=r"no run 'other'.*latest"):
        run_directory.find("other", tmp_path)


def test_a_killed_run_is_found_and_can_be_gathered(tmp_path: Path) -> None:
    directory = run_directory.make("n", tmp_path)
    left(directory, "passed")
    run_directory.release(directory)  # a kill lets go of it too
    found = run_directory.find("n", tmp_path)
    with pytest.raises(RunDirectoryError, match=r"killed.*wmbench report"):
        run_directory.read(found)
    run_directory.gather_killed(found)
    assert run_directory.read(found)["outcome"] == "interrupted"
    assert len(run_directory.read(found)["scenarios"]) == 1


def test_a_run_that_goes_on_is_not_taken_for_one_that_was_killed(tmp_path: Path) -> None:
    directory = run_directory.make("a", tmp_path)
    with pytest.raises(RunDirectoryError, match="still running, and nothing of it is finished"):
        run_directory.find("latest", tmp_path)
    left(directory, "passed")
    assert run_directory.at_work(directory)
    with pytest.raises(RunDirectoryError, match="still running"):
        run_directory.gather_killed(directory)
    with pytest.raises(RunDirectoryError, match="still running"):
        run_directory.read(directory)
    run_directory.release(directory)  # as its end does, whatever ends it
    assert not run_directory.at_work(directory)
    assert run_directory.gather_killed(directory)["outcome"] == "interrupted"


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff", '{"scenarios": 3}'])
def test_a_damaged_run_json_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(RunDirectoryError, match=r"run\.json"):
        run_directory.read(tmp_path)


def test_a_place_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError, match=r"Not a directory.*--runs DIR"):
        run_directory.make("n", tmp_path / "file")
    (tmp_path / "n").write_text("")
    with pytest.raises(RunDirectoryError, match=r"Not a directory.*--runs DIR"):
        run_directory.make("n", tmp_path)


def test_the_environment_says_where_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(run_directory.PLACE, str(tmp_path / "else"))
    assert run_directory.make("n").is_relative_to(tmp_path / "else")
    monkeypatch.delenv(run_directory.PLACE)
    assert run_directory.place() == run_directory.ROOT / "runs"


@pytest.mark.parametrize(
    ("outcomes", "interrupted", "failures", "expected"),
    [
        (["passed", "passed"], False, 0, "passed"),
        (["passed", "skipped"], False, 0, "passed"),
        (["skipped"], False, 0, "inconclusive"),
        ([], False, 0, "inconclusive"),
        (["passed", "inconclusive"], False, 1, "inconclusive"),
        (["inconclusive", "failed"], False, 2, "failed"),
        (["passed", "error"], False, 1, "failed"),
        (["passed"], False, 1, "failed"),  # one could not write its file
        (["passed", "failed"], True, 1, "interrupted"),
        (["passed", "interrupted"], False, 0, "interrupted"),
    ],
)
def test_the_outcome_of_a_run_follows_from_its_scenarios(
    tmp_path: Path, outcomes: list[str], interrupted: bool, failures: int, expected: str
) -> None:
    left(tmp_path, *outcomes)
    run = gathered(tmp_path, interrupted=interrupted, failures=failures)
    assert run["outcome"] == expected
    assert run == json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert len(run["left_out"]) == outcomes.count("skipped")
    assert [s["order"] for s in run["scenarios"]] == sorted(s["order"] for s in run["scenarios"])


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_directory.write_json(tmp_path / "a.json", {"old": 1})

    def full(path: Path, *_: object, **__: object) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        run_directory.write_json(tmp_path / "a.json", {"new": 2})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"old": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_the_reserve_is_given_back_when_a_file_that_matters_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_directory.make("n", tmp_path)
    reserve = run / run_directory.RESERVE
    assert reserve.stat().st_size == run_directory.RESERVE_BYTES
    write = Path.write_text

    def fits_without_reserve(path: Path, text: str, **options: Any) -> int:
        if reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, text, **options)

    monkeypatch.setattr(Path, "write_text", fits_without_reserve)
    run_directory.write_json(run / "s" / "scenario.json", {"a": 1}, reserve=run)
    assert (run / "s" / "scenario.json").exists()
