"""pytest's door for a defect: `python -m pytest -p bench.rig.plugin -p tests.referee.plugin --defect ID SCENARIO`.

With a defect a scenario ends after the first of its worlds in which something is wrong or unproven: that it will not be
green is known then, and its other worlds need not be run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.rig.scenario import Stage
from bench.rig.scenario_run import Bout
from bench.run_errors import Failed, Inconclusive
from tests.referee.defect import Patch, defects

_PATCH: pytest.StashKey[Patch] = pytest.StashKey()
USED = "defect.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("wmbench").addoption("--defect", default="", help="put this defect in (tests/referee)")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_PATCH] = Patch()
    name = config.getoption("--defect")
    if not name:
        return
    known = defects()
    if name not in known:
        raise pytest.UsageError(f"there is no defect {name!r}; tests/referee/defects has {len(known)}")
    known[name].apply(config.stash[_PATCH])
    _end_at_the_first(Bout._look_at)


def _end_at_the_first(look_at: Callable[[Bout, Stage], None]) -> None:
    def instead(bout: Bout, stage: Stage) -> None:
        look_at(bout, stage)
        if bout.problems:
            raise Failed("\n".join(bout.problems))
        if bout.unproven:
            raise Inconclusive("\n".join(bout.unproven))

    Bout._look_at = instead  # type: ignore[method-assign]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    run = session.config.getoption("wmbench_run")
    if run and Path(run).is_dir():
        (Path(run) / USED).write_text(json.dumps({"used": session.config.stash[_PATCH].used}), encoding="utf-8")
