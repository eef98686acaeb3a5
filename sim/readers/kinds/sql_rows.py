"""Readings that a product stores in a table: new rows of a query on an SQLite file, or on PostgreSQL by its URL.

The query names what is read, with a column by which it is ordered and that only grows, called `n`:

    read = [{ kind = "sql", database = "readings.db", query = "SELECT id AS n, meter, litres AS total_l FROM readings",
              values = "$", meter = "$.meter" }]

Rows with an `n` above the largest one that was seen are new. Each is one message: an object of its columns, described
as messages are. The database is only read; a table that is not there yet is waited for.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sim.core.clock import wall_ns, wall_s
from sim.core.quoting import quoted
from sim.readers.message_content import Content, ContentSpec
from sim.readers.port import Delivered, Reader, ReaderError, ReaderKind, ReadGround

POSTGRES: Final = ("postgres://", "postgresql://")
ROWS_MOST: Final = 10_000  # at one look
LOOK_S: Final = 0.1
_BUSY_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSpec(ContentSpec):
    """`database`: a file below the gateway's directory unless it is a whole path, or a URL of PostgreSQL. `query`: one
    SELECT with a column `n` that grows."""

    kind: str = "sql"
    database: str
    query: str


class SqlRows:
    """See port.Reader."""

    place = ""

    def __init__(self, content: Content, spec: SqlSpec, directory: Path) -> None:
        self.content = content
        self.problem: str | None = None
        self._remote = spec.database.startswith(POSTGRES)
        self._where = spec.database if self._remote else str(directory / spec.database)
        self._name = "the database" if self._remote else Path(self._where).name
        self._query = spec.query.strip().rstrip(";")
        self._connection: Any = None
        self._latest: Any = None
        self._looked_s = 0.0

    def start(self) -> None:
        """What stands there already is of an earlier run. Raises ReaderError."""
        if self._remote:
            try:
                import psycopg  # noqa: F401
            except ImportError:
                raise ReaderError("psycopg is missing; ./wmbench setup installs it") from None
        while self._new_rows():
            pass
        self.problem = None  # a table that is not there yet is no fault now

    def take(self) -> list[Delivered]:
        if wall_s() - self._looked_s < LOOK_S:
            return []
        self._looked_s = wall_s()
        out: list[Delivered] = []
        for row in self._new_rows():
            payload = json.dumps(row, default=str).encode()
            out += self.content.rows(self._name, payload, wall_ns())
        return out

    def stop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()

    # --- the database ---------------------------------------------------------------------------------------------

    def _new_rows(self) -> list[Mapping[str, Any]]:
        try:
            if self._connection is None:
                self._connection = self._connect()
            latest = self._latest if self._latest is not None else -(2**62)
            asked = f"SELECT * FROM ({self._query}) AS new_rows WHERE n > {latest} ORDER BY n LIMIT {ROWS_MOST}"
            cursor = self._connection.execute(asked)
            names = [column[0] for column in cursor.description]
            rows: list[Mapping[str, Any]] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            if rows:
                self._latest = int(rows[-1]["n"])
            self.problem = None
            return rows
        except Exception as error:
            if not isinstance(error, (OSError, ValueError, TypeError, KeyError)) and not _is_of_a_database(error):
                raise
            self.stop()
            said = (str(error).splitlines() or ["it said nothing"])[0]
            self.problem = (
                f"{self._name}: {quoted(said)}; see `database` and `query`, which needs a column n of numbers"
            )
            return []

    def _connect(self) -> Any:
        if not self._remote:
            return sqlite3.connect(f"{Path(self._where).absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)
        import psycopg

        return psycopg.connect(self._where, autocommit=True, connect_timeout=5)


def _is_of_a_database(error: Exception) -> bool:
    return any(one.__module__.split(".")[0] in ("sqlite3", "psycopg") for one in type(error).__mro__)


def _make(spec: SqlSpec, ground: ReadGround) -> Reader:
    return SqlRows(Content(spec), spec, ground.directory)


KIND = ReaderKind("sql", "Rows that it stores in a table", SqlSpec, _make)
