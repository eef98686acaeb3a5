"""Where a process has no descriptor left, the limit is the cause, and not the disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

OUT_OF_FILES = """
import resource, sys
from pathlib import Path
from sim.gateway.outbox import Outbox, OutboxError
from sim.portal.store import StoreError
from sim.portal.store.sqlite import SqliteStore
from datetime import datetime

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
files = []
try:
    while True:
        files.append(open("/dev/null"))
except OSError:
    pass
try:
    Outbox(Path(sys.argv[1])) if sys.argv[2] == "outbox" else SqliteStore(Path(sys.argv[1]))
except (OutboxError, StoreError) as error:
    print(error)
"""


@pytest.mark.parametrize("what", ["outbox", "store"])
def test_a_process_without_a_descriptor_is_told_its_limit(tmp_path: Path, what: str) -> None:
    command = [sys.executable, "-c", OUT_OF_FILES, str(tmp_path / "x.sqlite"), what]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "raise the limit with ulimit -n 65536" in done.stdout
    assert "make room" not in done.stdout
