"""pytest's door for a defect: `python -m pytest -p bench.rig.plugin -p tests.referee.plugin --defect ID SCENARIO`.

A scenario ends after the first of its worlds in which something is wrong or unproven: that it will not be green is
known then, and its other worlds need not be run. Before each world that is neither attacked with all defences on nor
its clean twin, what those two gave is judged as if every control had succeeded: what fails then, fails whatever the
control shows. Without a defect the same is asked, so that a scenario which is green in the end has passed it.

`--told FILE` is written in the end: how often what the defect changed was used, and, of tests that are no scenarios,
what came of them.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from attacks.attack import Outcome
from bench.rig import judgement
from bench.rig.judgement import Judgement
from bench.rig.scenario import CLEAN, Stage
from bench.rig.scenario_run import Bout
from bench.rig.twin import Twin
from bench.rig.verdict import Decision, Verdict
from bench.run_errors import Failed, Inconclusive
from sim.world_spec import WorldSpec
from tests.referee.defect import Patch, defects

_PATCH: pytest.StashKey[Patch] = pytest.StashKey()
_OUTCOMES: pytest.StashKey[dict[str, str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("wmbench")
    group.addoption("--defect", default="", help="put this defect in (tests/referee)")
    group.addoption("--told", default="", metavar="FILE", help="write there what came of it")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_PATCH], config.stash[_OUTCOMES] = Patch(), {}
    _end_at_the_first()
    name = config.getoption("--defect")
    if not name:
        return
    known = defects()
    if name not in known:
        raise pytest.UsageError(f"there is no defect {name!r}; tests/referee/defects has {len(known)}")
    known[name].apply(config.stash[_PATCH])


def _end_at_the_first() -> None:
    look_at, run_one = Bout._look_at, Bout._run_one

    def looked(bout: Bout, stage: Stage) -> None:
        look_at(bout, stage)
        _end_if(bout.problems, bout.unproven)

    def foregone(bout: Bout, defences: str, spec: WorldSpec) -> Stage:
        if bout.stages and defences != CLEAN:
            so_far = _judged_with_good_controls(bout.stages, bout.twin)
            _end_if(so_far.problems, so_far.unproven)
        return run_one(bout, defences, spec)

    Bout._look_at = looked  # type: ignore[method-assign]
    Bout._run_one = foregone  # type: ignore[method-assign]


def _end_if(problems: Sequence[str], unproven: Sequence[str]) -> None:
    if problems:
        raise Failed("\n".join(problems))
    if unproven:
        raise Inconclusive("\n".join(unproven))


def _judged_with_good_controls(stages: Sequence[Stage], twin: Twin | None) -> Judgement:
    """Of the runs so far, and of what is expected of them alone."""
    decide, expected = judgement.decide, judgement._expected
    runs = {stage.defences for stage in stages}

    def supposed(subject: Outcome, _controls: object, **terms: Any) -> Decision:
        return decide(subject, [replace(subject, achieved=1)], **terms)

    def of_runs(stage: Stage) -> dict[judgement.Key, Verdict | None]:
        return {key: verdict for key, verdict in expected(stage).items() if key[2] in runs}

    with patch.object(judgement, "decide", supposed), patch.object(judgement, "_expected", of_runs):
        return judgement.judge(stages, twin)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    outcomes = item.config.stash[_OUTCOMES]
    if report.failed:  # in set-up or tear-down, the test itself said nothing
        outcomes["failed" if report.when == "call" else "error"] = str(report.longreprtext.strip().splitlines()[-1])
    elif report.when == "call":
        outcomes.setdefault(report.outcome, "")
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    told = session.config.getoption("--told")
    if told:
        used, outcomes = session.config.stash[_PATCH].used, session.config.stash[_OUTCOMES]
        Path(told).write_text(json.dumps({"used": used, "outcomes": outcomes}), encoding="utf-8")
