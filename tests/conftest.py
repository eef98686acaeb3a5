"""Rules for every test.

A test that was skipped proves nothing. With WMBENCH_NO_SKIPS=1 (as in .ci/run) skipped tests fail the session and are
listed, unless the reason begins with "allowed:" (a platform that cannot have the thing at all). Tests marked `night`
are no skipped ones: by day they are not chosen (see tests/night.py).
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from sim.core import garbage, own
from tests import long_first
from tests.night import NIGHT

ALLOWED = "allowed:"

_NAME = "wmbench-no-skips"
_TESTS = f"{Path(__file__).resolve().parent}{os.sep}"
_ROOT = f"{Path(__file__).resolve().parent.parent}{os.sep}"
_VENV = f"{_ROOT}.venv{os.sep}"

GARBAGE_AFTER = (20_000, 10, 50)
"""Few objects of a test are garbage, and those that fixtures keep are none: to look for some after each few hundred, as
Python does by itself, takes a twentieth of the whole time."""

# A slow machine is no failure. Whatever else the profile in force says (in CI: the same examples each time) stays.
settings.register_profile("wmbench", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("wmbench")


@pytest.fixture(autouse=True)
def no_repository_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's repository that a test opens in this process is open for that test only."""
    monkeypatch.setenv(own.PLACE, "")


def pytest_configure(config: pytest.Config) -> None:
    wanted = os.environ.get("WMBENCH_NO_SKIPS", "") not in ("", "0")
    # With `-p tests.conftest` (for tests outside of tests/) this file may come twice.
    if wanted and not hasattr(config, "workerinput") and not config.pluginmanager.has_plugin(_NAME):
        config.pluginmanager.register(_NoSkips(), _NAME)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Thousands of tests are made and none is garbage: what looks for some meanwhile takes a third of the time.
    Afterwards they stay, and looking through them is left to be rare."""
    gc.disable()
    try:
        return (yield)
    finally:
        garbage.leave_out()
        gc.set_threshold(*GARBAGE_AFTER)
        gc.enable()


@pytest.hookimpl(wrapper=True)  # what -m and -k leave is what the workers share
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, object, object]:
    _pass_over_other_modules()
    result = yield
    late = [] if NIGHT else [item for item in items if item.get_closest_marker("night")]
    if late:
        config.hook.pytest_deselected(items=late)
        items[:] = [item for item in items if item not in late]
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        items[:] = long_first.dealt(items, worker["workercount"], lambda item: long_first.is_long(item.nodeid))
    return result


def _pass_over_other_modules() -> None:
    """Hypothesis draws numbers and words that stand in our modules, too. To find these it resolves the path of every
    module that is loaded; it is told which are none of ours. Where it keeps that elsewhere, it only takes longer."""
    seen = getattr(providers, "_seen_modules", None)
    if isinstance(seen, set):
        seen.update(id(one) for one in [*sys.modules.values()] if not _is_ours(getattr(one, "__file__", None)))


def _is_ours(file: object) -> bool:
    return isinstance(file, str) and file.startswith(_ROOT) and not file.startswith((_TESTS, _VENV))


class _NoSkips:
    """Registered with the controller only: it sees the reports of every worker of pytest-xdist."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        if not reason.startswith(ALLOWED):
            self._found[report.nodeid] = reason

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._found and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self._found:
            return
        terminalreporter.section("skipped, though nothing may be (WMBENCH_NO_SKIPS)", red=True)
        for test, reason in sorted(self._found.items()):
            terminalreporter.write_line(f"{test}: {reason}")
        terminalreporter.write_line(
            f'Install what is missing, or begin the reason with "{ALLOWED}" where it can never be had.'
        )
