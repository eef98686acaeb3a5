"""What the rig's tests begin with."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

import pytest

from bench import broken_pipe, signals
from bench.cli.main import main
from bench.run_directory import PLACE
from tests.bench.command_line import TRACE, Rig


class Here(Protocol):
    """`here("frame", "decode", "4e44...", stdin=b"")`: one command, its exit code and what it printed."""

    def __call__(self, *words: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """An empty folder for scenarios, and one for runs."""
    return Rig(tmp_path)


@pytest.fixture
def here(rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """The command line in this process, which saves its start: for commands that run no scenario."""

    def run(*words: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryFile() as given, monkeypatch.context() as patch:
            given.write(stdin)
            given.seek(0)
            patch.setattr(sys, "stdin", io.TextIOWrapper(given, encoding="utf-8"))
            try:
                code = main([str(word) for word in words])
            except SystemExit as error:  # argparse's
                code = int(error.code or 0)
        out, err = capsys.readouterr()
        assert TRACE not in err
        return subprocess.CompletedProcess(words, code, out, err)

    monkeypatch.chdir(rig.folder)
    monkeypatch.setenv(PLACE, str(rig.runs))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(broken_pipe, "lay", lambda: None)
    monkeypatch.setattr(signals, "listen", lambda: None)
    return run
