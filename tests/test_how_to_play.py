"""docs/how-to/play-a-recording.md: its files, written out and played, give the output that stands on the page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.command_line import PATIENCE_S

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "how-to" / "play-a-recording.md"


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert found is not None, f"{PAGE} has no {kind} block"
    return found[1]


@pytest.mark.acceptance
def test_the_example_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path / "runs"))
    assert block("sh").strip() == "./wmbench run --play evening.log --keys keys.csv"
    log, keys = tmp_path / "evening.log", tmp_path / "keys.csv"
    log.write_text(block("text"), encoding="utf-8")
    keys.touch(mode=0o600)
    keys.write_text(block("csv"), encoding="utf-8")
    command = [sys.executable, "-m", "bench", "run", "--play", str(log), "--keys", str(keys)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    *lines, report = done.stdout.splitlines()
    assert lines == block("console").splitlines()
    assert report.startswith("report: ")
