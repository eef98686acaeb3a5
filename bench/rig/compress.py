"""A world's databases once the run has closed them: without their indexes and compressed, which is a third of the size.

The portal's tables and the gateways' outboxes are evidence that is rarely opened (`gunzip`, then any SQLite): all
that a report or a replay needs is in events.jsonl and run.json. A database goes when its packed form is whole on the
disk, so whatever fails (a full disk) leaves it as it was; one with a log of its own beside it was not closed in order,
and is left for the investigation.
"""

from __future__ import annotations

import contextlib
import gzip
import sqlite3
from pathlib import Path

from sim.core import whole_file

LARGEST_BYTES = 1 << 29  # it is packed in memory
LEVEL = 1  # half of a row is fingerprints, which nothing makes smaller


def pack(directory: Path) -> None:
    """Every database below the directory."""
    for path in sorted(directory.rglob("*.sqlite")):
        if path.stat().st_size <= LARGEST_BYTES and not path.with_name(f"{path.name}-wal").exists():
            with contextlib.suppress(OSError, sqlite3.Error):
                _pack(path)


def _pack(path: Path) -> None:
    plain = f"{path.absolute().as_uri()}?immutable=1"
    with (
        contextlib.closing(sqlite3.connect(plain, uri=True)) as db,
        contextlib.closing(sqlite3.connect(":memory:")) as copy,
    ):
        db.backup(copy)
        named = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        for (name,) in copy.execute(named).fetchall():
            copy.execute(f'DROP INDEX "{name}"')
        copy.commit()
        copy.execute("VACUUM")
        body = gzip.compress(copy.serialize(), LEVEL, mtime=0)
    with whole_file.replacing(path.with_name(f"{path.name}.gz"), private=True) as fresh:
        fresh.write_bytes(body)
        fresh.chmod(path.stat().st_mode & 0o777)
    path.unlink()
