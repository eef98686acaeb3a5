"""Where a process has no descriptor left, the limit is the cause, and not the disk."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from sim.gateway.outbox import Outbox, OutboxError
from sim.portal.store import StoreError
from sim.portal.store.sqlite import SqliteStore
from tests.forked import exit_code
from tests.sim.portal.bed import Bed


def out_of_files(folder: Path, what: str) -> None:
    with (folder / "said").open("w") as said:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        files = []
        with contextlib.suppress(OSError):
            while True:
                files.append(open("/dev/null"))  # noqa: SIM115
        place = folder / "x.sqlite"
        try:
            Outbox(place) if what == "outbox" else SqliteStore(place)
        except (OutboxError, StoreError) as error:
            print(error, file=said)


@pytest.mark.parametrize("what", ["outbox", "store"])
def test_a_process_without_a_descriptor_is_told_its_limit(tmp_path: Path, what: str) -> None:
    assert exit_code(out_of_files, tmp_path, what) == 0
    said = (tmp_path / "said").read_text()
    assert "raise the limit with ulimit -n 65536" in said
    assert "make room" not in said


OUT_OF_COLUMNS = """
import resource, sys
from pathlib import Path
import pyarrow as pa, pyarrow.parquet
from sim.portal.store import StoreError, parquet

class Nobody:
    gateways = []

folder = Path(sys.argv[1])
kept = folder / "readings-2026-01-12-shard-0000.parquet"
pa.parquet.write_table(pa.table({"units": [1]}), kept)
writer = parquet.Columns(folder, 1, None, Nobody(), [])
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
files = []
try:
    while True:
        files.append(open("/dev/null"))
except OSError:
    pass

def write():
    with writer._told(folder):
        writer._write("readings", "readings-2026-01-13-shard-0001.parquet", pa.table({"units": [1]}))

for work in (lambda: parquet.prepare(folder / "new"), lambda: parquet.read(folder), write):
    try:
        work()
    except StoreError as error:
        print(error)
del files
print(len(parquet.read(folder)), sorted(path.name for path in folder.glob("*.part")))
"""


def test_files_of_columns_are_told_the_limit_too_and_nothing_is_called_damaged(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OUT_OF_COLUMNS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    *said, last = done.stdout.splitlines()
    assert len(said) == 3
    assert all(line.endswith("too many open files: raise the limit with ulimit -n 65536") for line in said), said
    assert last == "1 []", "what was there is whole, and no half file is left"


def too_large(folder: Path) -> None:
    bed = Bed(folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    with (folder / "said").open("w") as said:
        try:
            bed.run(range(1, 500))
        except StoreError as error:
            print(error, file=said)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        before = bed.portal.store.count_readings()
        bed.run(range(before + 1, before + 3))
        print(before > 0, bed.portal.store.count_readings() - before, file=said)


def test_a_limit_of_file_sizes_is_told_as_what_it_is(tmp_path: Path) -> None:
    assert exit_code(too_large, tmp_path) == 0
    said, last = (tmp_path / "said").read_text().splitlines()
    assert "raise it with ulimit -f unlimited" in said
    assert last == "True 2", "it goes on when there is room"
