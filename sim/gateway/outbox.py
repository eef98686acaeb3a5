"""Custody: what a gateway holds until the portal says that it is committed.

Rules kept here. A bundle is on the disk (SQLite, WAL, synchronous FULL) before it may be published, as the very
bytes that will be sent, so a bundle sent twice is the same bundle. Its sequence number is never used again, not after
an acknowledgement and not after a power cut: two bundles under one number would make the portal drop the second as a
duplicate. What the broker will not take goes to quarantine, still on the disk.

One commit serves all bundles that were stored since the last one: `sync` makes it, before anything is published. A
simulated power cut makes it too, for in the model a bundle is on the disk at the instant at which it is stored.

Deletions ride along with the next bundle that is stored: losing one to a power cut only means that a bundle is sent
again, and the portal drops it. A full disk is an OutboxError of `sync`: what was stored stays stored, and what was to
be stored is kept for the next `sync`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sim.core.open_files import way_out

_SCHEMA = """
CREATE TABLE bundle (sequence INTEGER PRIMARY KEY AUTOINCREMENT, payload BLOB NOT NULL);
CREATE TABLE quarantine (sequence INTEGER PRIMARY KEY, payload BLOB NOT NULL, reason TEXT NOT NULL);
CREATE TABLE power_on (count INTEGER NOT NULL);
"""


@functools.cache
def _empty() -> bytes:
    """The file of an outbox with nothing in it. Bytes 18 and 19 say WAL (SQLite's file format, 1.3.3)."""
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(_SCHEMA)
        image = bytearray(db.serialize())
    image[18:20] = b"\x02\x02"
    return bytes(image)


class OutboxError(Exception):
    """The outbox cannot be read or written; the message names the cause and the way out."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    sequence: int
    payload: bytes
    reason: str


class Outbox:
    """One gateway's disk. Raises OutboxError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            self._create()
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            # One process owns the file, as on a real gateway: no shared memory, two descriptors instead of three.
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA synchronous=FULL")
            row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'bundle'").fetchone()
        except sqlite3.Error as error:
            raise self._error("open", error) from None
        self._next = (row[0] if row else 0) + 1
        self._unsynced: list[tuple[int, bytes]] = []
        self._deleted: list[int] = []
        self._riding = 0  # so many of these are deleted with the bundles that are not synced

    def _create(self) -> None:
        """An empty outbox, whole or not at all: one fsync, where making it by SQL takes eight (a thousand gateways
        start together). The first commit syncs the directory."""
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            with fresh.open("wb") as file:
                file.write(_empty())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path)
        except OSError as error:
            way = way_out("make room or another place")
            raise OutboxError(f"{self.path}: cannot create it: {error.strerror}; {way}") from None

    def store(self, encode: Callable[[int], bytes]) -> tuple[int, bytes]:
        """Give the bundle its number and keep its bytes; to be published after `sync`."""
        sequence = self._next
        payload = encode(sequence)
        self._unsynced.append((sequence, payload))
        self._riding = len(self._deleted)
        self._next = sequence + 1
        return sequence, payload

    def sync(self) -> None:
        """Have on the disk what was stored."""
        if self._unsynced:
            with self._transaction("store a bundle", self._riding):
                self._db.executemany("INSERT INTO bundle VALUES (?, ?)", self._unsynced)
            self._unsynced.clear()

    def acknowledged(self, sequences: Iterable[int]) -> None:
        """The portal has them: delete with the next bundle."""
        self._deleted.extend(sequences)

    def quarantine(self, sequence: int, reason: str) -> None:
        self.sync()
        with self._transaction("quarantine a bundle"):
            self._db.execute(
                "INSERT OR REPLACE INTO quarantine SELECT sequence, payload, ? FROM bundle WHERE sequence = ?",
                (reason, sequence),
            )
            self._db.execute("DELETE FROM bundle WHERE sequence = ?", (sequence,))

    def release(self, sequence: int) -> None:
        """Out of quarantine, to be published again (the broker's limit was raised)."""
        with self._transaction("release a bundle"):
            self._db.execute(
                "INSERT INTO bundle SELECT sequence, payload FROM quarantine WHERE sequence = ?", (sequence,)
            )
            self._db.execute("DELETE FROM quarantine WHERE sequence = ?", (sequence,))

    def power_on(self) -> int:
        """Count a power-on; the count so far, this one included. Synced with the next bundle: a count that is lost
        with the machine's power belongs to no stored bundle."""
        self._db.execute("PRAGMA synchronous=OFF")
        with self._transaction("count a power-on"):
            self._db.execute("INSERT INTO power_on SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM power_on)")
            self._db.execute("UPDATE power_on SET count = count + 1")
        self._db.execute("PRAGMA synchronous=FULL")
        row: tuple[int] = self._db.execute("SELECT count FROM power_on").fetchone()
        return row[0]

    def waiting(self) -> list[tuple[int, bytes]]:
        """Stored and neither acknowledged nor quarantined, oldest first."""
        gone = set(self._deleted)
        try:
            rows = self._db.execute("SELECT sequence, payload FROM bundle ORDER BY sequence").fetchall()
        except sqlite3.Error as error:
            raise self._error("read", error) from None
        return [(sequence, payload) for sequence, payload in [*rows, *self._unsynced] if sequence not in gone]

    def quarantined(self) -> list[Quarantined]:
        rows = self._db.execute("SELECT sequence, payload, reason FROM quarantine ORDER BY sequence").fetchall()
        return [Quarantined(*row) for row in rows]

    def close(self) -> None:
        """In order: what was acknowledged is deleted."""
        with contextlib.closing(self._db):
            self.sync()
            if self._deleted:
                with contextlib.suppress(OutboxError), self._transaction("delete acknowledged bundles"):
                    pass

    def power_cut(self) -> None:
        """At once: what was not stored is gone, deletions too."""
        with contextlib.closing(self._db):
            self.sync()
        self._deleted.clear()

    @contextlib.contextmanager
    def _transaction(self, doing: str, deletions: int | None = None) -> Iterator[None]:
        """With so many of the deletions, or all."""
        deleted = [(sequence,) for sequence in self._deleted[:deletions]]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("DELETE FROM bundle WHERE sequence = ?", deleted)
            self._db.executemany("DELETE FROM quarantine WHERE sequence = ?", deleted)
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise self._error(doing, error) from None
        del self._deleted[: len(deleted)]
        self._riding = max(self._riding - len(deleted), 0)

    def _error(self, doing: str, error: sqlite3.Error) -> OutboxError:
        full = "full" in str(error)
        way = "free some space; nothing that was stored is lost" if full else way_out("check the file")
        return OutboxError(f"{self.path}: cannot {doing}: {error}; {way}")
