"""The portal's process is killed with SIGKILL at one named point of a take: after its commit and before it
acknowledges, or before its commit. The bundle comes again, is acknowledged, and is a reading once."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.referee.defect import ROOT
from tests.sim.portal.bed import Bed, acked, telegram

CHILD = """
    import os, signal, sys
    sys.path[:0] = [{repository!r}]
    from pathlib import Path
    from sim.portal.store.sqlite import SqliteStore
    from tests.sim.portal.bed import Bed, telegram
    bed = Bed(Path({directory!r}))
    bed.run(range(1, 4))
    message = bed.message("gw1", [(telegram(4), 4 * 900.0), (telegram(5), 5 * 900.0)], 9)
    {point}
    bed.take(message, now_s=5 * 900.0 + 5)
    os.kill(os.getpid(), signal.SIGKILL)
"""
BEFORE_COMMIT = "SqliteStore._many = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
AFTER_COMMIT = "pass"


@pytest.mark.parametrize(("point", "stored"), [(AFTER_COMMIT, 5), (BEFORE_COMMIT, 3)], ids=["after", "before"])
def test_a_take_that_dies_at_its_commit_is_taken_once(tmp_path: Path, point: str, stored: int) -> None:
    code = textwrap.dedent(CHILD).format(repository=str(ROOT), directory=str(tmp_path), point=point)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == -9, done.stderr
    bed = Bed(tmp_path)
    assert bed.portal.store.count_readings() == stored
    message = bed.message("gw1", [(telegram(4), 4 * 900.0), (telegram(5), 5 * 900.0)], 9)
    answers = bed.take(message, now_s=6 * 900.0)
    assert [acked(answer) for answer in answers] == [[9]]
    assert [row.acc for row in bed.portal.store.readings()] == [1, 2, 3, 4, 5]
    assert bed.portal.store.refusals() == []
    assert bed.kinds() == []
    assert [acked(answer) for answer in bed.take(message, now_s=6 * 900.0 + 5)] == [[9]]
    assert bed.portal.store.count_readings() == 5
