"""What a person waits for, as wall time of the commands themselves: minutes, so `./wmbench bench --long` measures them.

A machine that is shared shows what the others do; these figures are of a quiet one or they are none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.run_directory import PLACE, ROOT


def default_run_s() -> float:
    """`./wmbench run`: the card's scenarios on all cores."""
    with tempfile.TemporaryDirectory(prefix="wmbench-run-") as folder:
        return _seconds([sys.executable, "-m", "bench", "run"], ROOT, {PLACE: folder, "PYTHONPATH": str(ROOT)})


def first_use_s() -> float:
    """`./wmbench run` in a fresh copy of the checkout, with an empty cache: set-up, compiling and the run. Packages are
    fetched from wherever the user's own settings say."""
    with tempfile.TemporaryDirectory(prefix="wmbench-first-") as folder:
        copy = Path(folder, "wmbench")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", "runs", "__pycache__", ".git"))
        return _seconds([str(copy / "wmbench"), "run"], copy, {"XDG_CACHE_HOME": str(Path(folder, "cache"))})


def tests_s() -> float:
    """`./wmbench test`."""
    return _seconds([str(ROOT / "wmbench"), "test"], ROOT, {})


def _seconds(command: list[str], place: Path, environment: dict[str, str]) -> float:
    """Raises CalledProcessError when the command fails: its time means nothing then."""
    begin_s = time.perf_counter()
    subprocess.run(command, cwd=place, env={**os.environ, **environment}, check=True, capture_output=True)
    return time.perf_counter() - begin_s
