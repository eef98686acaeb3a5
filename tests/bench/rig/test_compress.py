"""What becomes of a world's databases when it is over: smaller, whole, and never lost on the way."""

from __future__ import annotations

import errno
import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bench.rig.compress import pack
from sim.portal.store.sqlite import SqliteStore

ROWS = [(f"gw-{n % 8:04d}", n, f"{n * 2_654_435_761 % 2**32:08x}", 900 * n) for n in range(20_000)]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A portal's store with rows in it, closed."""
    store = SqliteStore(tmp_path / "portal")
    store.connection.execute("BEGIN")
    store.connection.executemany("INSERT INTO messages VALUES (?, ?, ?, ?)", ROWS)
    store.connection.execute("COMMIT")
    store.close()
    return store.path


def rows(path: Path) -> list[tuple[str, int, str, int]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT * FROM messages ORDER BY sequence").fetchall()


def test_packed_it_is_much_smaller_and_holds_the_same(database: Path, tmp_path: Path) -> None:
    size = database.stat().st_size
    pack(tmp_path)
    [left] = (tmp_path / "portal").iterdir()
    assert left.name == "portal.sqlite.gz"
    assert left.stat().st_mode & 0o777 == 0o600
    assert left.stat().st_size < size / 2
    database.write_bytes(gzip.decompress(left.read_bytes()))
    assert rows(database) == ROWS
    SqliteStore(tmp_path / "portal").close()  # it makes its indexes anew


def test_a_full_disk_leaves_it_as_it_was(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, _body: bytes) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    pack(tmp_path)
    assert [path.name for path in (tmp_path / "portal").iterdir()] == ["portal.sqlite"]
    assert rows(database) == ROWS


def test_one_that_was_not_closed_and_one_that_is_none_are_left_alone(database: Path, tmp_path: Path) -> None:
    before = database.read_bytes()
    database.with_name("portal.sqlite-wal").write_bytes(b"")
    (tmp_path / "other.sqlite").write_bytes(b"no database" * 1_000)
    pack(tmp_path)
    assert database.read_bytes() == before
    assert (tmp_path / "other.sqlite").read_bytes() == b"no database" * 1_000
