"""A PostgreSQL server, by URL: `portal.store = "postgresql://user@host/database"`.

A portal has a schema of its own there, named by the directory of its world, so many worlds may share a database and a
portal that is started again finds what it had. What SQLite's file rights do is the server's business here: whoever may
read the database may read the readings. Password and certificate belong into the environment (PGPASSFILE, PGSSLMODE)
rather than into a world's file.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sim.portal.store._sql import SCHEMA, Row, SqlStore
from sim.portal.store_port import StoreError, StoreKind

_ROWID: Final = "rowid BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"


class PostgresStore(SqlStore):
    """`url` as libpq takes it. Raises StoreError."""

    def __init__(self, url: str, directory: Path) -> None:
        parts = urlsplit(url)
        self.schema = f"wmbench_{hashlib.blake2b(str(directory.resolve()).encode(), digest_size=8).hexdigest()}"
        self.name = f"postgresql://{parts.hostname or ''}{parts.path}, schema {self.schema}"
        self._driver = driver = _psycopg()
        try:
            self.connection = driver.connect(url, autocommit=True)
            self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {self.schema}")
            self.connection.execute(f"SET search_path TO {self.schema}")
            self.connection.execute("SET synchronous_commit TO on")
            view = "CREATE OR REPLACE VIEW"
            self.connection.execute(SCHEMA.format(rowid=_ROWID, bytes="BYTEA", by_key="", view=view))
        except driver.Error as error:
            raise self._translated(error) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            with self.connection.transaction():
                yield
        except self._driver.Error as error:
            raise self._translated(error) from None

    def _translated(self, error: Exception) -> StoreError:
        text = " ".join(str(error).split())
        if isinstance(error, self._driver.errors.DiskFull):
            way = "nothing of this take was kept or acknowledged, the gateways still hold it; free disk space"
        elif isinstance(error, self._driver.OperationalError):
            way = "is the server up, and may this user in? Nothing of this take was kept"
        elif isinstance(error, self._driver.errors.UndefinedColumn):
            way = "its tables are of another version; begin with an empty schema"
        else:
            way = "nothing of this take was kept; the server's log tells more"
        return StoreError(f"{self.name}: {text}: {way}")

    def _many(self, sql: str, rows: Sequence[Row]) -> None:
        try:
            with self.connection.cursor() as cursor:
                cursor.executemany(_marks(sql), [_storable(row) for row in rows])
        except self._driver.Error as error:
            raise self._translated(error) from None

    def _ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        try:
            rows: list[Row] = self.connection.execute(_marks(sql), _storable(parameters)).fetchall()
            return rows
        except self._driver.Error as error:
            raise self._translated(error) from None

    def close(self) -> None:
        self.connection.close()


@cache
def _psycopg() -> Any:
    """The driver, loaded when a world asks for this store. Raises StoreError."""
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:
        raise StoreError(f"PostgreSQL needs psycopg ({error}): pip install -r requirements.txt") from None


@cache
def _marks(sql: str) -> Any:
    """psycopg writes a parameter as %s."""
    return sql.replace("%", "%%").replace("?", "%s")


def _storable(row: Sequence[Any]) -> tuple[Any, ...]:
    """Text of PostgreSQL holds no NUL; what a stranger sent may."""
    return tuple(one.replace("\0", "\\0") if isinstance(one, str) and "\0" in one else one for one in row)


STORE = StoreKind("postgresql", "a PostgreSQL server, by its URL", PostgresStore)
