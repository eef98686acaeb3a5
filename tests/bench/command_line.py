"""The rig as a person uses it: `python -m bench ...` in a process of its own, on scenarios made for the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.run_directory import PLACE, ROOT
from tests import small_worlds

HEAD = (
    "from dataclasses import replace\nfrom attacks.attack import form\n"
    "from bench.rig.scenario import D, N, S, T, X, Stage, scenario\nfrom tests.bench.staged_attack import Staged\n"
)

PATIENCE_S = 600
"""For what must come to an end: a machine that is slow is no failure, a process that hangs is."""

TRACE = "Traceback (most recent call last)"


@dataclass
class Rig:
    """One folder of scenarios and one of runs."""

    folder: Path

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def scenarios(self, body: str, *, name: str = "test_made.py") -> Path:
        small_worlds.write(self.folder)
        path = self.folder / name
        path.write_text(HEAD + body, encoding="utf-8")
        return path

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), PLACE: str(self.runs), "COLUMNS": "200"}

    def start(self, *words: str | Path, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "bench", *map(str, words)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
        return subprocess.Popen(command, cwd=self.folder, env=self.environment(), text=True, **pipes)

    def run(self, *words: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, **options)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert TRACE not in (err or ""), err
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def python(self, code: str) -> None:
        """These lines, in a process of their own."""
        command = [sys.executable, "-c", code]
        subprocess.run(command, cwd=self.folder, env=self.environment(), stdout=subprocess.DEVNULL, check=True)

    def pytest(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """A run by pytest itself. Its report has its pages and no pictures: see without_pictures."""
        names = ["bench.rig.plugin", "tests.bench.without_pictures", "no:benchmark", "no:cacheprovider"]
        plugins = [word for name in names for word in ("-p", name)]
        command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-q", *plugins, *map(str, words)]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=PATIENCE_S
        )

    def latest(self) -> dict[str, Any]:
        run: dict[str, Any] = json.loads((self.runs / "latest" / "run.json").read_text(encoding="utf-8"))
        return run
