"""The portal's memory: one SQLite file, one connection, one transaction a take.

Rules kept: what was committed survives a power cut (WAL, synchronous FULL), and nothing is acknowledged before its
commit; a transaction that fails leaves the store as it was and usable; nobody but the owner reads the file. Rows go
in by executemany: single inserts cost forty times as much.

`billing` is the view that bills are made from: every reading, and every telegram refused only as late whose content
is not among the readings, so an outage costs no month. `security` stands beside each row, since a late telegram of
mode 5 is as malleable as a punctual one.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

FILE = "portal.sqlite"
_CACHE_KIB = 65_536
_CHUNK = 500  # host parameters in one IN (...): below SQLite's oldest limit of 999

SCHEMA = """
CREATE TABLE IF NOT EXISTS readings (
    meter TEXT NOT NULL, gateway TEXT NOT NULL, received_ns INTEGER NOT NULL, stored_ns INTEGER NOT NULL,
    meter_time TEXT, units INTEGER, set_date TEXT, set_date_units INTEGER, acc INTEGER, counter INTEGER,
    security TEXT NOT NULL, fingerprint TEXT NOT NULL, rssi_dbm REAL, status INTEGER NOT NULL, tamper INTEGER NOT NULL,
    volume_m3 REAL, energy_kwh REAL);
CREATE INDEX IF NOT EXISTS readings_by_meter ON readings (meter, stored_ns);
CREATE INDEX IF NOT EXISTS readings_by_fingerprint ON readings (fingerprint);
CREATE TABLE IF NOT EXISTS refusals (
    meter TEXT NOT NULL, gateway TEXT NOT NULL, received_ns INTEGER NOT NULL, stored_ns INTEGER NOT NULL,
    reason TEXT NOT NULL, detail TEXT NOT NULL, fingerprint TEXT NOT NULL, telegram BLOB NOT NULL, rssi_dbm REAL,
    meter_time TEXT, units INTEGER, set_date TEXT, set_date_units INTEGER, security TEXT);
CREATE INDEX IF NOT EXISTS refusals_by_fingerprint ON refusals (fingerprint);
CREATE TABLE IF NOT EXISTS evidence (
    stored_ns INTEGER NOT NULL, topic TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    gateway TEXT NOT NULL, sequence INTEGER NOT NULL, digest TEXT NOT NULL, stored_ns INTEGER NOT NULL,
    PRIMARY KEY (gateway, sequence, digest)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS freshness (
    meter TEXT NOT NULL, kind TEXT NOT NULL, highest INTEGER NOT NULL, seen BLOB NOT NULL, at_ns INTEGER NOT NULL,
    PRIMARY KEY (meter, kind)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sightings (
    meter TEXT NOT NULL, gateway TEXT NOT NULL, taken INTEGER NOT NULL, copies INTEGER NOT NULL,
    refused INTEGER NOT NULL, received_ns INTEGER NOT NULL, stored_ns INTEGER NOT NULL, rssi_dbm REAL,
    PRIMARY KEY (meter, gateway)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS silence (meter TEXT PRIMARY KEY, taken_ns INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS births (
    gateway TEXT NOT NULL, boot TEXT NOT NULL, place INTEGER NOT NULL, connects INTEGER NOT NULL,
    PRIMARY KEY (gateway, boot)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarms (
    kind TEXT NOT NULL, subject TEXT NOT NULL, raised_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
    cleared_ns INTEGER, occasions INTEGER NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (kind, subject, raised_ns));
CREATE TABLE IF NOT EXISTS meters (
    meter TEXT PRIMARY KEY, security TEXT NOT NULL, interval_s REAL NOT NULL, flat TEXT, house TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tenancies (
    tenant TEXT NOT NULL, flat TEXT NOT NULL, from_ns INTEGER NOT NULL, until_ns INTEGER,
    PRIMARY KEY (tenant, flat, from_ns)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ownerships (landlord TEXT NOT NULL, house TEXT NOT NULL,
    PRIMARY KEY (landlord, house)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    house TEXT NOT NULL, from_ns INTEGER NOT NULL, until_ns INTEGER NOT NULL, units INTEGER NOT NULL,
    flats INTEGER NOT NULL, PRIMARY KEY (house, from_ns, until_ns)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS billing AS
    SELECT meter, meter_time, units, set_date, set_date_units, security, stored_ns, fingerprint, 0 AS late
      FROM readings
    UNION ALL
    SELECT meter, meter_time, units, set_date, set_date_units, security, min(stored_ns), fingerprint, 1
      FROM refusals r
     WHERE reason = 'late'
       AND NOT EXISTS (SELECT 1 FROM readings g WHERE g.fingerprint = r.fingerprint
                       OR (g.meter = r.meter AND g.meter_time = r.meter_time))
     GROUP BY meter, coalesce(meter_time, fingerprint);
"""


class StoreError(Exception):
    """The store cannot be used; the message names the file and the way out. Nothing of the failed take was kept."""


class Reading(NamedTuple):
    """One stored reading. `meter_time` is the meter's own clock as ISO text to the minute, `set_date` an ISO date;
    `received_ns` is what the gateway said, `stored_ns` the portal's own time. `units` are HCA units."""

    meter: str
    gateway: str
    received_ns: int
    stored_ns: int
    meter_time: str | None
    units: int | None
    set_date: str | None
    set_date_units: int | None
    acc: int | None
    counter: int | None
    security: str
    fingerprint: str
    rssi_dbm: float | None
    status: int
    tamper: int
    volume_m3: float | None
    energy_kwh: float | None


class Refusal(NamedTuple):
    """One telegram that is not a reading, kept whole. The values are filled in for late ones only."""

    meter: str
    gateway: str
    received_ns: int
    stored_ns: int
    reason: str
    detail: str
    fingerprint: str
    telegram: bytes
    rssi_dbm: float | None
    meter_time: str | None = None
    units: int | None = None
    set_date: str | None = None
    set_date_units: int | None = None
    security: str | None = None


class Evidence(NamedTuple):
    """One message that was refused or that contradicts another, kept whole."""

    stored_ns: int
    topic: str
    reason: str
    detail: str
    payload: bytes


def fingerprint(telegram: bytes) -> str:
    """32 hex digits that name a telegram's bytes."""
    return hashlib.blake2b(telegram, digest_size=16).hexdigest()


def private_file(path: Path) -> None:
    """Make sure that `path` exists and only its owner may read it, before anything is written to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


class Store:
    """`directory` is made if need be. Raises StoreError."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        try:
            private_file(self.path)
            self.connection = sqlite3.connect(self.path, isolation_level=None)
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = FULL")
            # The index of fingerprints is hit at random: the default of 2 MB makes it read itself again and again.
            self.connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self.connection.executescript(SCHEMA)
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror or error}; choose a folder that can be written") from None
        except sqlite3.Error as error:
            raise self._translated(error) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Raises StoreError after rolling back; the store is usable afterwards."""
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
        else:
            way = "nothing of this take was kept; check the disk and the folder's rights"
        return StoreError(f"{self.path}: {text}: {way}")

    def insert(self, table: str, rows: Sequence[tuple[Any, ...]], *, replace: bool = False) -> None:
        """Bulk insert of whole rows, within a transaction. `table` is one of our own names, never a sender's."""
        if rows:
            verb = "INSERT OR REPLACE" if replace else "INSERT"
            marks = ",".join("?" * len(rows[0]))
            self.connection.executemany(f"{verb} INTO {table} VALUES ({marks})", rows)

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        """Rows of a SELECT. Raises StoreError."""
        try:
            return self.connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._translated(error) from None

    def taken(self, fingerprints: Iterable[str]) -> dict[str, list[tuple[str, int, str]]]:
        """fingerprint -> (gateway, received ns, meter) of each reading, or late telegram, stored from these bytes."""
        wanted = list(fingerprints)
        found: dict[str, list[tuple[str, int, str]]] = {}
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            for source in ("readings WHERE", "refusals WHERE reason = 'late' AND"):
                sql = f"SELECT fingerprint, gateway, received_ns, meter FROM {source} fingerprint IN ({marks})"
                for mark, *row in self.query(sql, chunk):
                    found.setdefault(mark, []).append(tuple(row))
        return found

    # --- what was stored, for people and verdicts -------------------------------------------------------------------

    def count_readings(self) -> int:
        return int(self.query("SELECT count(*) FROM readings")[0][0])

    def readings(self, meter: str | None = None) -> list[Reading]:
        """In the order of storing."""
        where, values = ("", ()) if meter is None else (" WHERE meter = ?", (meter,))
        return [Reading(*row) for row in self.query(f"SELECT * FROM readings{where} ORDER BY rowid", values)]

    def refusals(self, reason: str | None = None) -> list[Refusal]:
        """In the order of storing."""
        where, values = ("", ()) if reason is None else (" WHERE reason = ?", (reason,))
        return [Refusal(*row) for row in self.query(f"SELECT * FROM refusals{where} ORDER BY rowid", values)]

    def refusal_reasons(self, mark: str) -> list[str]:
        """Why telegrams with this fingerprint were refused, oldest first."""
        rows = self.query("SELECT reason FROM refusals WHERE fingerprint = ? ORDER BY rowid", (mark,))
        return [row[0] for row in rows]

    def refused_by_reason(self) -> dict[str, int]:
        return dict(self.query("SELECT reason, count(*) FROM refusals GROUP BY reason ORDER BY reason"))

    def fingerprints(self) -> set[str]:
        """Of every telegram that is kept, as a reading or as a refusal."""
        rows = self.query("SELECT fingerprint FROM readings UNION SELECT fingerprint FROM refusals")
        return {row[0] for row in rows}

    def has_message(self, gateway: str, sequence: int) -> bool:
        """A bundle under this sequence was committed."""
        rows = self.query("SELECT 1 FROM messages WHERE gateway = ? AND sequence = ?", (gateway, sequence))
        return bool(rows)

    def evidence(self) -> list[Evidence]:
        return [Evidence(*row) for row in self.query("SELECT * FROM evidence ORDER BY rowid")]

    def billing(self, meter: str) -> list[tuple[str | None, int | None, str, int]]:
        """(meter time, units, security, 1 when late) of one meter, by meter time."""
        sql = "SELECT meter_time, units, security, late FROM billing WHERE meter = ? ORDER BY meter_time, stored_ns"
        return self.query(sql, (meter,))

    def close(self) -> None:
        self.connection.close()
