"""Workers begin nothing after a failure, and do not outlive the process that hands out shards."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.rundir import ROOT
from sim.city.workers import pool

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
