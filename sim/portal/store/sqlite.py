"""One SQLite file in the world's directory, one connection: WAL, synchronous FULL, mode 0600."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

from sim.core.open_files import FILE_SIZE, size_is_limited, way_out
from sim.portal.store._sql import SCHEMA, Row, SqlStore
from sim.portal.store_port import StoreError, StoreKind, private_file

FILE = "portal.sqlite"
_CACHE_KIB = 65_536
_CHECKPOINT_PAGES = 8_192  # of 4 kB; takes change the same pages again and again, which then go into the file once


_TOGETHER: Final = 16
"""Rows that one statement inserts where there are many: half of what a short row takes is the statement's own."""


@cache
def _together(sql: str) -> str:
    """The same statement for so many rows at once; "" where it is no insertion of a row.

    OR FAIL: a statement that can be undone alone first copies every page that it changes. Here what it did before it
    failed is undone with its transaction, as it is where rows go in one by one.
    """
    row = re.search(r"^\s*INSERT (INTO .*?VALUES )(\(\?(?:, \?)*\))", sql, re.DOTALL)
    if row is None:
        return ""
    return f"INSERT OR FAIL {row[1]}{', '.join([row[2]] * _TOGETHER)}{sql[row.end(2) :]}"


class SqliteStore(SqlStore):
    """`directory` is made if need be. Raises StoreError."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        self.name = str(self.path)
        try:
            private_file(self.path)
            self.connection = sqlite3.connect(self.path, isolation_level=None)
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = FULL")
            # The index of fingerprints is hit at random: the default of 2 MB makes it read itself again and again.
            self.connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self.connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            schema = SCHEMA.format(rowid="", bytes="BLOB", by_key="WITHOUT ROWID", view="CREATE VIEW IF NOT EXISTS")
            self.connection.executescript(f"BEGIN; {schema}; COMMIT")  # at once: each statement waits for the disk else
        except OSError as error:
            way = way_out("choose a folder that can be written")
            raise StoreError(f"{self.path}: {error.strerror or error}; {way}") from None
        except sqlite3.Error as error:
            raise self._translated(error) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise self._translated(error) from None
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        # A full disk may have rolled back already; then there is nothing left to do.
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def _translated(self, error: sqlite3.Error) -> StoreError:
        text = str(error)
        if "full" in text:
            way = "nothing of this take was kept or acknowledged, the gateways still hold it; free disk space"
        elif "locked" in text:
            way = "another process has it open; stop that one first"
        elif "not a database" in text or "malformed" in text:
            way = "it is damaged; move it away or restore a copy"
        elif "no such column" in text or "has no column" in text:
            way = "its tables are of another version; begin with an empty store"
        else:
            cause = FILE_SIZE if "disk I/O" in text and size_is_limited() else "check the disk and the folder's rights"
            way = "nothing of this take was kept; " + way_out(cause)
        return StoreError(f"{self.path}: {text}: {way}")

    def _many(self, sql: str, rows: Sequence[Row]) -> None:
        together = _together(sql) if len(rows) >= _TOGETHER else ""
        whole = len(rows) - len(rows) % _TOGETHER if together else 0
        parts = (tuple(chain.from_iterable(rows[at : at + _TOGETHER])) for at in range(0, whole, _TOGETHER))
        try:
            if together:
                self.connection.executemany(together, parts)
            self.connection.executemany(sql, rows[whole:])
        except sqlite3.Error as error:
            raise self._translated(error) from None

    def _ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        try:
            return self.connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._translated(error) from None

    def back_up(self, folder: Path, *, keep_freshness: bool) -> None:
        copy = folder / FILE
        try:
            copy.unlink(missing_ok=True)
            private_file(copy)
            with closing(sqlite3.connect(copy)) as kept:
                self.connection.backup(kept)
                if not keep_freshness:
                    kept.execute("DELETE FROM freshness")
                kept.commit()
        except OSError as error:
            raise StoreError(f"{copy}: {error.strerror or error}; choose a folder that can be written") from None
        except sqlite3.Error as error:
            raise self._translated(error) from None

    def restore(self, folder: Path) -> None:
        copy = folder / FILE
        if not copy.exists():
            raise StoreError(f"{copy}: there is no backup to restore; make one first")
        self.close()
        try:
            for beside in ("-wal", "-shm"):
                self.path.with_name(FILE + beside).unlink(missing_ok=True)
            shutil.copyfile(copy, self.path)
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror or error}; free disk space, then restore again") from None

    def close(self) -> None:
        self.connection.close()


STORE = StoreKind("sqlite", "a file in the world's directory", lambda _where, directory: SqliteStore(directory))
