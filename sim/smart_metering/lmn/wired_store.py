"""What a wired meter keeps of itself, and what a gateway keeps of its wired meters: rows in SQLite, each once.

A row is on the disk when `put` returns, whatever happens then. `durable` False leaves that to the operating system,
for worlds, where no machine loses power.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from sim.smart_metering.lmn.wired_meter import NO_TIME_S
from sim.smgw.lmn.exchange import Entry, Values
from sim.smgw.obis_codes import Obis, of_text

PROFILE_ROWS_MOST: Final = 10_000
"""Ours: a hundred days of quarter hours; a meter's oldest row makes room."""
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS wired (place INTEGER PRIMARY KEY, meter TEXT, at_s INTEGER, obis TEXT, value INTEGER, "
    "scaler INTEGER, unit INTEGER, meter_word INTEGER, word INTEGER, UNIQUE (meter, at_s, obis))"
)


class StoredRow(NamedTuple):
    """`word`: the gateway's, with what it found; `meter_word`: the meter's own."""

    meter: str
    at_s: int
    entry: Entry
    meter_word: int
    word: int


class WiredStore:
    """Of one gateway, or of one meter (which has one name in it)."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        self._db.execute(_SCHEMA)

    def put(self, rows: Iterable[StoredRow]) -> None:
        """All of them or none. A row that is there stays as it is: what was taken first counts."""
        with self._transaction():
            self._db.executemany(
                "INSERT OR IGNORE INTO wired (meter, at_s, obis, value, scaler, unit, meter_word, word) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(one.meter, one.at_s, str(one.entry.obis), one.entry.value, one.entry.scaler, one.entry.unit,
                  one.meter_word, one.word) for one in rows],
            )  # fmt: skip

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)

    def after(self, place: int, most: int) -> list[tuple[int, StoredRow]]:
        """(place, row) of at most so many behind a place, in the order in which they came."""
        sql = "SELECT * FROM wired WHERE place > ? ORDER BY place LIMIT ?"
        return [(row[0], _row(row)) for row in self._db.execute(sql, (place, most))]

    def of(self, meter: str, obis: Obis) -> list[StoredRow]:
        """A meter's values of one code, by time."""
        sql = "SELECT * FROM wired WHERE meter = ? AND obis = ? ORDER BY at_s"
        return [_row(row) for row in self._db.execute(sql, (meter, str(obis)))]

    def between(self, meter: str, from_s: int, until_s: int) -> list[StoredRow]:
        """All that a meter said in a time, both ends with it, by time."""
        sql = "SELECT * FROM wired WHERE meter = ? AND at_s BETWEEN ? AND ? ORDER BY at_s, place"
        return [_row(row) for row in self._db.execute(sql, (meter, from_s, until_s))]

    def codes(self, meter: str) -> list[Obis]:
        """Of what it ever said."""
        sql = "SELECT DISTINCT obis FROM wired WHERE meter = ? ORDER BY obis"
        return [of_text(row[0]) for row in self._db.execute(sql, (meter,))]

    def last_s(self, meter: str, obis: Obis) -> int:
        """The newest instant of a code; NO_TIME_S: there is none."""
        sql = "SELECT max(at_s) FROM wired WHERE meter = ? AND obis = ?"
        found = self._db.execute(sql, (meter, str(obis))).fetchone()[0]
        return NO_TIME_S if found is None else int(found)

    def count(self) -> Counted:
        rows, times = self._db.execute(
            "SELECT count(*), (SELECT count(*) FROM (SELECT DISTINCT meter, at_s FROM wired)) FROM wired"
        ).fetchone()
        return Counted(int(rows), int(times))

    def close(self) -> None:
        self._db.close()


class Counted(NamedTuple):
    """`rows`: values; `times`: instants of meters of which there are any."""

    rows: int
    times: int


def counted(path: Path) -> Counted:
    """What a store holds; another process may have it open. Raises sqlite3.Error."""
    store = WiredStore(path, durable=False)
    try:
        return store.count()
    finally:
        store.close()


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")


def _row(row: tuple[int, str, int, str, int, int, int, int, int]) -> StoredRow:
    _, meter, at_s, obis, value, scaler, unit, meter_word, word = row
    return StoredRow(meter, at_s, Entry(of_text(obis), value, scaler, unit), meter_word, word)


class MemoryProfile:
    """A meter's rows inside a world (see wired_meter.Profile)."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._rows: list[Values] = []

    def put(self, row: Values) -> None:
        if self._times and row.at_s <= self._times[-1]:
            return
        self._times.append(row.at_s)
        self._rows.append(row)
        if len(self._rows) > PROFILE_ROWS_MOST:
            del self._rows[0], self._times[0]

    def rows(self, from_s: int, until_s: int, most: int) -> list[Values]:
        low, high = bisect_left(self._times, from_s), bisect_right(self._times, until_s)
        return self._rows[low : min(high, low + most)]

    @property
    def last_s(self) -> int:
        return self._times[-1] if self._times else NO_TIME_S


class FileProfile:
    """A meter's rows on its own disk (see wired_meter.Profile)."""

    def __init__(self, path: Path) -> None:
        self._store = WiredStore(path)
        by_time: dict[int, list[StoredRow]] = {}
        for _, row in self._store.after(0, 1 << 30):
            by_time.setdefault(row.at_s, []).append(row)
        self._memory = MemoryProfile()
        for at_s, rows in sorted(by_time.items()):
            self._memory.put(Values(at_s, rows[0].meter_word, tuple(row.entry for row in rows)))

    def put(self, row: Values) -> None:
        self._store.put(StoredRow("own", row.at_s, entry, row.status, 0) for entry in row.entries)
        self._memory.put(row)

    def rows(self, from_s: int, until_s: int, most: int) -> list[Values]:
        return self._memory.rows(from_s, until_s, most)

    @property
    def last_s(self) -> int:
        return self._memory.last_s
