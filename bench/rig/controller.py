"""The controller's part of a session: it makes the run directory, workers (pytest-xdist) write into it, and at the end
it gathers the scenarios' files into run.json, report.html and junit.xml, and sets the exit code.

A session that is interrupted gathers what was finished. What cannot be gathered (a full disk) is printed, not raised.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from bench import run_directory
from bench.exit_codes import INCONCLUSIVE_EXIT
from bench.progress import ENDED, Progress, Watch
from bench.run_errors import explained
from sim.core.clock import wall_now

BROKEN = "wmbench: a file that cannot be imported"  # a section of a report of pytest's collection


class Controller:
    """Registered as a plugin of the session it belongs to."""

    def __init__(self, config: pytest.Config, progress: Progress, firmware: str = "") -> None:
        self.config = config
        self.firmware = firmware
        self._progress = progress
        self._watch: Watch | None = None
        self.started = wall_now()
        self.interrupted = False
        self.unread: list[str] = []  # scenario files that could not be imported, and why
        self.unwritten = ""  # why the run's documents could not be written

    def directory(self) -> Path:
        option = self.config.option
        if option.wmbench_run is None:
            option.wmbench_run = str(run_directory.make(option.wmbench_name))
        return Path(option.wmbench_run)

    def watch(self, worker: str) -> str:
        """The file in which a worker is to write how far it is; "" without a display."""
        if not self._progress.enabled or not self._progress.console.is_terminal:
            return ""
        self._watch = self._watch or Watch(self.directory(), self._progress.console)
        return str(self.directory() / Watch.PATTERN.format(worker=worker))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found: Any = dict(report.user_properties).get(ENDED)
        if found is not None and report.when == "call":
            title, outcome, duration_s = found
            self._progress.scenario(title)
            self._progress.done(outcome, duration_s)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        # pytest's own Interrupted (an unreadable file, a full disk) is a KeyboardInterrupt by descent only.
        self.interrupted = not isinstance(excinfo.value, pytest.Session.Interrupted)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """In one line: our own summary leaves pytest's tracebacks out."""
        told = dict(report.sections).get(BROKEN)
        if report.failed and told is not None:
            self.unread.append(told)
        elif report.failed:
            text = str(report.longrepr).strip()
            errors = [line for line in text.splitlines() if line.startswith("E ")] or text.splitlines()[-1:]
            named = re.search(r"test module '([^']+)'", text)
            frame = re.search(r"^(\S+\.py):(\d+): in <module>", text, re.M)
            where = named[1] if named else frame[1] if frame else report.nodeid
            where += f", line {frame[2]}" if frame else ""
            self.unread.append(f"{where}: {errors[-1].removeprefix('E ').strip() if errors else 'no reason given'}")

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        try:
            yield
        finally:  # a second Ctrl-C may come while workers are being stopped
            if self._watch is not None:
                self._watch.close()
            self._end(session)

    def _end(self, session: pytest.Session) -> None:
        if self.config.option.wmbench_run is None:
            return
        directory = Path(self.config.option.wmbench_run)
        if not any(directory.glob("*/scenario.json")) and (self.unread or not session.testsfailed):
            run_directory.unmake(directory)
            return
        try:
            run = self._gather(directory, session.testsfailed)
        except OSError as error:
            self.unwritten = explained(error) or str(error)
            session.exitstatus = pytest.ExitCode.INTERRUPTED
            return
        outcomes = [scenario["outcome"] for scenario in run["scenarios"]]
        bad = [outcome for outcome in outcomes if outcome not in ("passed", "skipped")]
        unproven = set(bad) == {"inconclusive"} and session.testsfailed == len(bad)
        nothing_shown = set(outcomes) == {"skipped"} and not session.testsfailed
        if (unproven or nothing_shown) and not self.interrupted:
            session.exitstatus = INCONCLUSIVE_EXIT

    def _gather(self, directory: Path, failures: int) -> dict[str, Any]:
        """run.json and its documents. Raises OSError."""
        option = self.config.option
        run = run_directory.gather(
            directory,
            name=option.wmbench_name,
            title=option.wmbench_title or option.wmbench_name,
            command=option.wmbench_command or "pytest " + " ".join(self.config.invocation_params.args),
            started=self.started,
            interrupted=self.interrupted,
            failures=failures,
            changed=[
                *([f"endpoint.kind={option.wmbench_endpoint}"] if option.wmbench_endpoint else []),
                *option.wmbench_set,
            ],
            firmware=self.firmware,
        )
        from reports import documents

        documents.write_all(directory, just_run=True)
        return run

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        run = self.config.option.wmbench_run
        if self.unwritten:
            terminalreporter.write_line(f"the run could not be written: {self.unwritten}")
        elif run is not None and (Path(run) / "report.html").exists():
            terminalreporter.write_line(f"report: {Path(run) / 'report.html'}")


CONTROLLER: pytest.StashKey[Controller] = pytest.StashKey()
