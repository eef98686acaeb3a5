"""The referee's notebook: what was sent and received, what attackers spoke, and what was stored from it.

One SQLite file a world, filled in batches and never synced: it is lost with the machine, as the world is. So what is
known of a telegram costs no memory, however long a run is. Telegrams are looked up by the fingerprint of their bytes;
the index for it is made at the first such question, since most runs ask when they are over.

Bytes may be sent more than once: a meter that sends no time repeats itself when the access number wraps. Each sending
is a row of its own, and each stored reading is matched with one sending.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.core.open_files import way_out
from sim.portal.store import StoreError, fingerprint, private_file, rows_of

if TYPE_CHECKING:
    from sim.radio.emissions import Emission

FILE: Final = "ledger.sqlite"
EVER_NS: Final = (1 << 63) - 1
_CACHE_KIB: Final = 8_192
_CHUNK: Final = 500  # host parameters in one IN (...)
_SCHEMA: Final = (
    "CREATE TABLE sent (start_ns INTEGER NOT NULL, meter INTEGER NOT NULL, k INTEGER NOT NULL, mark TEXT NOT NULL, "
    "received INTEGER NOT NULL, overheard INTEGER NOT NULL, reading INTEGER, "
    "PRIMARY KEY (start_ns, meter)) WITHOUT ROWID",
    "CREATE TABLE spoken (source INTEGER NOT NULL, k INTEGER NOT NULL, start_ns INTEGER NOT NULL, "
    "telegram BLOB NOT NULL)",
    "CREATE TABLE taken (source INTEGER NOT NULL, k INTEGER NOT NULL, gateway TEXT NOT NULL, end_ns INTEGER NOT NULL)",
    "CREATE TABLE brought (mark TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE altered (reading INTEGER PRIMARY KEY, how TEXT NOT NULL, columns TEXT NOT NULL, "
    "stored TEXT NOT NULL)",
)
_BY_MARK: Final = "CREATE INDEX IF NOT EXISTS sent_by_mark ON sent (mark)"
_ENTER: Final = (
    "INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, NULL) ON CONFLICT (start_ns, meter) DO UPDATE "
    "SET received = received | excluded.received, overheard = max(overheard, excluded.overheard)"
)
_SENT: Final = "SELECT mark, meter, k, start_ns, reading, received FROM sent"
_LAST_BIT: Final = 61


class Sent(NamedTuple):
    """Telegram `k` of a meter, which somebody received: `mark` is the fingerprint of its bytes, `reading` the row of
    the portal's table that was stored from it, as far as the table was judged; `gateways` are those that received it,
    one bit each (see gateway_bit)."""

    mark: str
    meter: int
    k: int
    start_ns: int
    reading: int | None = None
    gateways: int = 0


def gateway_bit(gateway: int) -> int:
    """The bit of a gateway by its index; those from 61 on share one."""
    return 1 << min(gateway, _LAST_BIT)


def gateway_bits(gateways: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same of many."""
    return np.left_shift(1, np.minimum(gateways, _LAST_BIT))


@dataclass(slots=True)
class Spoken:
    """A frame an attacker sent, and which gateways took it. `taken` holds (gateway id, end of reception ns)."""

    source: int
    k: int
    start_ns: int
    telegram: bytes
    taken: list[tuple[str, int]] = field(default_factory=list)


class Ledger:
    """`directory` is made if need be; an older ledger in it is dropped. Raises StoreError, as every method does."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        try:
            self.path.unlink(missing_ok=True)
            private_file(self.path)
        except OSError as error:
            way = way_out("choose a folder that can be written")
            raise StoreError(f"{self.path}: {error.strerror or error}; {way}") from None
        self._db = sqlite3.connect(self.path, isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            self._query(f"PRAGMA {setting}")
        for table in _SCHEMA:
            self._query(table)
        # Not yet written: (meter, k) -> start, telegram, gateways, by an attacker; (source, k) -> its end, receipt.
        self._sent: dict[tuple[int, int], list[Any]] = {}
        self._spoken: dict[tuple[int, int], tuple[int, Spoken]] = {}
        self._brought: set[str] = set()

    # --- written ----------------------------------------------------------------------------------------------------

    def hear(self, emission: Emission, *, gateway: int | None) -> None:
        """A gateway, by its index, or somebody else (None) received a meter's telegram."""
        key = (emission.source, emission.k)
        known = self._sent.get(key)
        if known is None:
            known = self._sent[key] = [emission.start_ns, emission.telegram, 0, False]
        if gateway is None:
            known[3] = True
        else:
            known[2] |= gateway_bit(gateway)

    def hear_all(self, heard: Iterable[tuple[int, int, int, bytes, int, bool]]) -> None:
        """The same for many frames: (meter, k, start, telegram, the bits of the gateways that received it, whether
        somebody else did)."""
        sent = self._sent
        for meter, k, start_ns, telegram, gateways, overheard in heard:
            known = sent.setdefault((meter, k), [start_ns, telegram, 0, False])
            known[2] |= gateways
            known[3] |= overheard

    def speak(self, spoken: Spoken, end_ns: int) -> None:
        """An attacker sends a frame, which ends at `end_ns`."""
        self._spoken[spoken.source, spoken.k] = end_ns, spoken

    def take(self, emission: Emission, gateway: str) -> None:
        """A gateway received a frame; nothing where no attacker spoke it."""
        known = self._spoken.get((emission.source, emission.k))
        if known is not None:
            known[1].taken.append((gateway, emission.end_ns))
            self.bring([known[1].telegram])

    def bring(self, telegrams: Iterable[bytes]) -> None:
        """An attacker brings these to the portal."""
        self._brought.update(map(fingerprint, telegrams))

    def flush(self, now_ns: int) -> None:
        """Write what was noted. Frames that had not ended before `now_ns` may still be received, and stay."""
        over = [key for key, (end_ns, _) in self._spoken.items() if end_ns < now_ns]
        frames = [self._spoken.pop(key)[1] for key in over]
        if not (self._sent or frames or self._brought):
            return
        sent = [
            (start_ns, meter, k, fingerprint(telegram), gateways, by_attacker)
            for (meter, k), (start_ns, telegram, gateways, by_attacker) in self._sent.items()
        ]
        with self._transaction() as db:
            db.executemany(_ENTER, sent)
            db.executemany("INSERT OR IGNORE INTO brought VALUES (?)", [(mark,) for mark in self._brought])
            db.executemany("INSERT INTO spoken VALUES (?, ?, ?, ?)",
                           [(one.source, one.k, one.start_ns, one.telegram) for one in frames])  # fmt: skip
            db.executemany("INSERT INTO taken VALUES (?, ?, ?, ?)",
                           [(one.source, one.k, *by) for one in frames for by in one.taken])  # fmt: skip
        self._sent.clear()
        self._brought.clear()

    def judged(self, matched: Iterable[tuple[int, Sent]], altered: Iterable[tuple[int, str, str, str]]) -> None:
        """Readings with the sendings that they were stored from; rows that are not genuine: (row, how, columns, the row
        as JSON)."""
        with self._transaction() as db:
            db.executemany("UPDATE sent SET reading = ? WHERE start_ns = ? AND meter = ?",
                           [(reading, one.start_ns, one.meter) for reading, one in matched])  # fmt: skip
            db.executemany("INSERT INTO altered VALUES (?, ?, ?, ?)", altered)

    def forget_judgements(self) -> None:
        """Readings are matched and judged anew."""
        with self._transaction() as db:
            db.execute("UPDATE sent SET reading = NULL WHERE reading IS NOT NULL")
            db.execute("DELETE FROM altered")

    # --- asked ------------------------------------------------------------------------------------------------------

    def sent(
        self, start_ns: int = 0, end_ns: int = EVER_NS, *, meter: int | None = None, missing: bool = False
    ) -> Iterator[Sent]:
        """Telegrams that a gateway received, sent in [start, end), by time. `missing`: nothing was stored from them."""
        sql = f"{_SENT} WHERE received AND start_ns >= ? AND start_ns < ?"
        sql += " AND reading IS NULL" if missing else ""
        sql += "" if meter is None else " AND meter = ?"
        of = () if meter is None else (meter,)
        return map(Sent._make, self._query(f"{sql} ORDER BY start_ns, meter", (start_ns, end_ns, *of)))

    def begun(self) -> dict[int, list[tuple[int, int]]]:
        """Meter -> (start_ns, k) of its telegrams that a gateway received, by time."""
        out: dict[int, list[tuple[int, int]]] = {}
        rows = self._query("SELECT meter, start_ns, k FROM sent WHERE received ORDER BY start_ns")
        for meter, start_ns, k in rows:
            out.setdefault(meter, []).append((start_ns, k))
        return out

    def received(self) -> int:
        """How many telegrams gateways received."""
        return int(self._query("SELECT count(*) FROM sent WHERE received").fetchone()[0])

    def firsts(self, marks: Iterable[str]) -> dict[str, Sent]:
        """Mark -> the first sending of these bytes, of those that anybody received."""
        rows = self._marked(f"{_SENT} WHERE mark IN ({{}}) ORDER BY start_ns DESC, meter DESC", marks)
        return {sent.mark: sent for sent in rows_of(Sent, rows)}

    def sendings(self, marks: Iterable[str]) -> dict[str, list[Sent]]:
        """Mark -> its sendings that a gateway received, by time."""
        out: dict[str, list[Sent]] = {}
        rows = self._marked(f"{_SENT} WHERE received AND mark IN ({{}}) ORDER BY start_ns, meter", marks)
        for sent in rows_of(Sent, rows):
            out.setdefault(sent.mark, []).append(sent)
        return out

    def unheard_of(self, marks: Iterable[str]) -> list[str]:
        """Those of these marks under which nobody received a meter's telegram and no attacker brought one."""
        wanted = list(marks)
        known = {mark for table in ("sent", "brought") for (mark,) in
                 self._marked(f"SELECT mark FROM {table} WHERE mark IN ({{}})", wanted)}  # fmt: skip
        return [mark for mark in wanted if mark not in known]

    def not_overheard(self, marks: Iterable[str]) -> set[str]:
        """Those of these marks under which gateways received a meter's telegram and no attacker's receiver did."""
        found = dict.fromkeys(marks, 1)
        sql = "SELECT mark, max(overheard) FROM sent WHERE mark IN ({}) GROUP BY mark"
        for mark, overheard in self._marked(sql, found):
            found[mark] = overheard
        return {mark for mark, overheard in found.items() if not overheard}

    def spoken(self) -> list[Spoken]:
        """Every frame that an attacker sent and that has ended, by time."""
        taken: dict[tuple[int, int], list[tuple[str, int]]] = {}
        for source, k, gateway, end_ns in self._query("SELECT * FROM taken ORDER BY rowid"):
            taken.setdefault((source, k), []).append((gateway, end_ns))
        rows = self._query("SELECT source, k, start_ns, telegram FROM spoken ORDER BY start_ns, source, k")
        return [
            Spoken(source, k, start_ns, telegram, taken.get((source, k), [])) for source, k, start_ns, telegram in rows
        ]

    def by_reading(self) -> Iterator[Sent]:
        """Each telegram that has a reading, in the order of readings; SQLite sorts them on disk."""
        return map(Sent._make, self._query(f"{_SENT} WHERE reading IS NOT NULL AND received ORDER BY reading"))

    def matched(self) -> dict[int, int]:
        """Meter -> how many of its telegrams have a reading."""
        return dict(self._query("SELECT meter, count(*) FROM sent WHERE reading IS NOT NULL GROUP BY meter").fetchall())

    def last_matched(self) -> dict[int, int]:
        """Meter -> the number of its latest telegram that has one."""
        return dict(self._query("SELECT meter, max(k) FROM sent WHERE reading IS NOT NULL GROUP BY meter").fetchall())

    def brought(self, marks: Iterable[str]) -> set[str]:
        """Those of these marks whose bytes an attacker brought."""
        sql = "SELECT mark FROM brought WHERE mark IN ({})"
        return {mark for (mark,) in self._marked(sql, marks)}

    def altered(self) -> list[tuple[str, str, str]]:
        """(how, columns, the row as JSON) of rows that are not genuine, in the order of storing."""
        return self._query("SELECT how, columns, stored FROM altered ORDER BY reading").fetchall()

    def altered_count(self, how: str | None = None) -> int:
        row = self._query("SELECT count(*) FROM altered WHERE ? IN (how, '')", (how or "",)).fetchone()
        return int(row[0])

    def close(self) -> None:
        self._db.close()

    # --- SQLite -----------------------------------------------------------------------------------------------------

    def _marked(self, sql: str, marks: Iterable[str]) -> Iterator[Any]:
        """Rows of `sql` for these marks; "{}" in it stands for some of them."""
        self._query(_BY_MARK)
        wanted = list(marks)
        for begin in range(0, len(wanted), _CHUNK):
            some = wanted[begin : begin + _CHUNK]
            yield from self._query(sql.format(",".join("?" * len(some))), some)

    def _query(self, sql: str, parameters: Sequence[int | str | bytes] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(sql, parameters)
        except sqlite3.Error as error:
            raise self._translated(error) from None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN")
            yield self._db
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._translated(error) from None

    def _translated(self, error: sqlite3.Error) -> StoreError:
        return StoreError(f"{self.path}: {error}: what was sent cannot be noted, so no verdict is possible; free disk "
                          "space, or choose a folder that can be written")  # fmt: skip
