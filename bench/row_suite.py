"""What the suites of rows share: a gateway's contract, the attack on a broker, the attack on a portal.

Each row gives one of four answers. However a suite ends, its run directory holds run.json, junit.xml and the page.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeVar

from bench import run_directory
from bench.exit_codes import FAILED_EXIT, INCONCLUSIVE_EXIT
from bench.run_errors import CannotRun
from sim.core.clock import wall_now
from sim.core.parts import Folder, HasId, UnknownPart

Answer = Literal["PASS", "FAIL", "INCONCLUSIVE", "NOT APPLICABLE"]
ANSWERS: Final[tuple[Answer, ...]] = ("PASS", "FAIL", "INCONCLUSIVE", "NOT APPLICABLE")
Outcome = Literal["passed", "failed", "inconclusive", "interrupted"]
_OUTCOMES: Final[dict[Answer, str]] = {
    "PASS": "passed", "FAIL": "failed", "INCONCLUSIVE": "inconclusive", "NOT APPLICABLE": "skipped",
}  # fmt: skip
RowT = TypeVar("RowT", bound=HasId)


class Failed(Exception):
    """The promise is broken, or the attack worked; one sentence with figures."""


class Undecided(Exception):
    """Neither is shown; one sentence with the way out."""


class Suite(Protocol):
    """Rows at work, and what came of them."""

    directory: Path

    def run(self) -> None: ...

    def as_json(self, started: datetime, command: str, *, interrupted: bool = False) -> dict[str, Any]: ...


def rows_named(folder: Folder[RowT], names: Sequence[str]) -> list[RowT]:
    """These, or all where none is named; each once. Raises CannotRun."""
    try:
        return list(dict.fromkeys([folder.find(name) for name in names] or folder.parts().values()))
    except UnknownPart as error:
        raise CannotRun(str(error)) from None


def named(text: str) -> list[str]:
    """The value of --rows."""
    return [name for name in text.split(",") if name]


def counted(answers: Iterable[Answer]) -> dict[Answer, int]:
    found = Counter(answers)
    return {answer: found[answer] for answer in ANSWERS}


def outcome_of_attack(answers: Iterable[Answer]) -> Outcome:
    """One thing that failed is a failure, whatever the others say; nothing decided, or one thing open, is none."""
    count = counted(answers)
    if count["FAIL"]:
        return "failed"
    return "passed" if count["PASS"] and not count["INCONCLUSIVE"] else "inconclusive"


def run_json(suite: Suite, started: datetime, rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """run.json of a suite: `rows` by `row_json`; `more` has at least title, command, outcome, left_out and check."""
    return {
        "version": 1, "kind": "check", "name": suite.directory.parent.name, **run_directory.made_by(started),
        "seed": 0, "scenarios": rows, **more,
    }  # fmt: skip


def row_json(at: int, id_: str, answer: Answer, **more: Any) -> dict[str, Any]:
    """A row as a scenario of run.json; `more` has at least title, doc, message, duration_s, replay, row, evidence."""
    return {
        "id": id_, "order": at, "seed": 0, "outcome": _OUTCOMES[answer], "claims": [], "measures": [], "worlds": [],
        "answer": answer, "answers": [answer], **more,
    }  # fmt: skip


def kept(suite: Suite, command: str, also: Callable[[Path, dict[str, Any]], object] | None = None) -> dict[str, Any]:
    """Play it; the run directory is whole however it ends. `also(directory, body)`: writes one more file."""
    from reports import check_page, junit

    started, interrupted, directory = wall_now(), True, suite.directory
    run_directory.write_json(directory / "run.json", suite.as_json(started, command, interrupted=True))
    try:
        suite.run()
        interrupted = False
    finally:
        body = suite.as_json(started, command, interrupted=interrupted)
        run_directory.write_json(directory / "run.json", body, reserve=directory)
        junit.write_junit(directory)
        if also is not None:
            also(directory, body)
        check_page.write(directory)
        run_directory.release(directory)
    return run_directory.read(directory)


def shown(
    body: Mapping[str, Any], directory: Path, lines: Callable[[Mapping[str, Any]], Iterator[str]], *, as_json: bool
) -> int:
    """What a verb prints at the end, and its exit code."""
    from bench.cli import runner

    if as_json:
        print(json.dumps(body))
    else:
        print("\n".join(lines(body)))
        print(f"report: {runner.shown(directory / 'report.html')}")
    return {"passed": 0, "failed": FAILED_EXIT}.get(body["outcome"], INCONCLUSIVE_EXIT)
