"""The files of docs/tutorial.md, written out and run as the page says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.command_line import PATIENCE_S

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.acceptance
def test_the_tutorial_runs_as_it_stands(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    world = re.search(r"```toml\n(.*?)```", page, re.S)
    code = re.search(r"```python\n(.*?)```", page, re.S)
    assert world is not None
    assert code is not None
    (tmp_path / "flat.toml").write_text(world[1], encoding="utf-8")
    (tmp_path / "test_flat.py").write_text(code[1], encoding="utf-8")
    command = [sys.executable, "-m", "bench", "run", str(tmp_path / "test_flat.py"), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    verdicts = {(c["security"], c["defences"]): c["verdict"] for c in run["scenarios"][0]["claims"]}
    assert verdicts == {
        ("none", "on"): "SUCCEEDED",
        ("mode7", "on"): "PREVENTED",
        ("none", "off"): "SUCCEEDED",
        ("mode7", "off"): "PREVENTED",
    }
