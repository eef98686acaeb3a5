"""pytest's door for a defect: `python -m pytest -p bench.rig.plugin -p tests.referee.plugin --defect ID SCENARIO`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    run = session.config.getoption("wmbench_run")
    if run and Path(run).is_dir():
        (Path(run) / USED).write_text(json.dumps({"used": session.config.stash[_PATCH].used}), encoding="utf-8")
