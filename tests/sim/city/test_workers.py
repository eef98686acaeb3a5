"""Workers do not outlive the process that hands out shards."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import pytest

from bench.rundir import ROOT

_BUSY_AND_IDLE = """
import os, sys, time
from sim.city.workers import pool

if __name__ == "__main__":
    with pool(2) as crew:
        idle = [crew.submit(os.getpid) for _ in range(4)]
        print(*{one.result() for one in idle}, flush=True)
        crew.submit(time.sleep, 3_600).result()
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
