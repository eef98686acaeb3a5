"""Verdicts that hold for every seed: what a scenario says of its world is no luck of one draw."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.command_line import PATIENCE_S, ROOT

QUICK_WRAP = "radio/test_replay_by_defence.py::test_the_counter_alone_stops_a_quick_wrap_without_a_time_inside"
SEEDS = [
    *((QUICK_WRAP, seed) for seed in range(1, 15)),
    *((f"radio/{name}.py", seed) for name in ("test_wormhole", "test_hold_back", "test_downgrade")
      for seed in range(2, 6)),
]  # fmt: skip


@pytest.mark.night
@pytest.mark.parametrize(("scenario", "seed"), SEEDS)
def test_a_scenario_passes_whatever_the_seed(tmp_path: Path, scenario: str, seed: int) -> None:
    command = [sys.executable, "-m", "bench", "run", scenario, "--seed", str(seed), "--runs", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
