"""Workers begin nothing after a failure, and do not outlive the process that hands out shards."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import pytest

from bench import run_directory
from bench.cli import main
from bench.run_directory import ROOT
from sim.city import conduct as city_run
from sim.city.plan import CityPlan
from sim.city.workers import pool
from tests.bench.sweep.test_sweep_command import WORLD

_BUSY_AND_IDLE = """
import os, sys, time
from sim.city.workers import pool

if __name__ == "__main__":
    with pool(2) as begin:
        idle = [begin(os.getpid) for _ in range(4)]
        print(*{one.result() for one in idle}, flush=True)
        begin(time.sleep, 3_600).result()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel kills workers with their parent")
def test_nobody_is_left_when_the_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", _BUSY_AND_IDLE], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert workers
    parent.kill()
    try:
        parent.communicate(timeout=60)  # the end of what workers hold open too
    finally:
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def killed(plan: CityPlan, _tile: tuple[slice, slice]) -> None:
    """A shard that memory was not enough for, in the midst of a file."""
    if plan.out is not None:
        (plan.out / f"readings.{os.getpid()}.part").touch()
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("depth", ["bytes", "readings"])
def test_a_worker_that_is_killed_is_an_error_with_a_way_out(
    depth: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if depth == "readings":
        pytest.importorskip("pyarrow")
    monkeypatch.setenv(run_directory.PLACE, str(tmp_path / "runs"))
    monkeypatch.setattr(city_run, "play", killed)
    (tmp_path / "houses.toml").write_text(WORLD, encoding="utf-8")
    words = ["city", str(tmp_path / "houses.toml"), "--hours", "1", "--workers", "2", "--depth", depth]
    out = tmp_path / "out"
    assert main.main([*words, *(["--out", str(out)] if depth == "readings" else [])]) == 2
    said = capsys.readouterr().err
    assert "a worker was killed" in said and "memory runs out" in said and "fewer workers than 2" in said
    assert "Traceback" not in said and said.count("\n") == 1
    assert not active_children()
    assert not out.exists() or not list(out.iterdir())


def _failing() -> None:
    raise ValueError("a shard that fails")


def _slow(mark: Path) -> None:
    time.sleep(0.05)
    mark.touch()


def _failed(marks: Path) -> None:
    with pool(1) as begin:
        first = begin(_slow, marks / "first")
        second, *_ = [begin(_failing), *(begin(_slow, marks / str(number)) for number in range(100))]
        first.result()
        second.result()


def test_what_waits_is_not_begun_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a shard that fails"):
        _failed(tmp_path)
    assert (tmp_path / "first").exists() and len(list(tmp_path.iterdir())) < 100
