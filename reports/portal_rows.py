"""What the portal's tables say of single telegrams, read from the database that a world left behind.

A database that is not there, is PostgreSQL's, or is damaged gives nothing: a report says then that there are no rows to
show, and the counts of the verdict stay what they are.
"""

from __future__ import annotations

import contextlib
import gzip
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from sim.portal.store_port import Reading

_READ_BYTES_MAX: Final = 1 << 29
_AT_ONCE: Final = 500
_SHOWN: Final = {
    "readings": tuple(name for name in Reading._fields if name not in ("fingerprint", "rssi_dbm")),
    "refusals": ("meter", "gateway", "received_ns", "stored_ns", "reason", "detail"),
}


class PortalRow(NamedTuple):
    """`values`: column -> value, without those that are empty. `place` is its rowid."""

    table: str
    place: int
    values: dict[str, Any]


def rows_of(world_directory: Path, fingerprints: Iterable[str]) -> dict[str, list[PortalRow]]:
    """Fingerprint -> its readings, then its refusals."""
    found: dict[str, list[PortalRow]] = {}
    wanted = sorted(set(fingerprints))
    for path in sorted((world_directory / "portal").glob("*.sqlite*")) if wanted else ():
        with contextlib.suppress(OSError, EOFError, sqlite3.Error, ValueError), contextlib.closing(_open(path)) as db:
            for table, columns in _SHOWN.items():
                for begin in range(0, len(wanted), _AT_ONCE):
                    _read(db, table, columns, wanted[begin : begin + _AT_ONCE], found)
    return found


def _open(path: Path) -> sqlite3.Connection:
    if path.suffix != ".gz":
        return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    with gzip.open(path) as file:
        content = file.read(_READ_BYTES_MAX + 1)
    if len(content) > _READ_BYTES_MAX:
        raise ValueError(f"{path} is too large to be read here")
    db = sqlite3.connect(":memory:")
    db.deserialize(content)
    return db


def _read(
    db: sqlite3.Connection, table: str, columns: tuple[str, ...], marks: list[str], found: dict[str, list[PortalRow]]
) -> None:
    there = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
    named = [column for column in columns if column in there]
    if "fingerprint" not in there or not named:
        return
    query = (
        f"SELECT fingerprint, rowid, {', '.join(named)} FROM {table} "
        f"WHERE fingerprint IN ({', '.join('?' * len(marks))}) ORDER BY rowid"
    )
    for mark, place, *values in db.execute(query, marks):
        row = {column: value for column, value in zip(named, values, strict=True) if value is not None and value != ""}
        found.setdefault(str(mark), []).append(PortalRow(table, int(place), row))
