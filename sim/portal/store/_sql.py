"""Tables and statements of the stores that speak SQL, in words that SQLite and PostgreSQL both know.

Rows go in by executemany: single inserts cost forty times as much. `rowid` is the order of storing: SQLite has it, and
PostgreSQL gets a column of that name. The view `billing` is every reading, and of the telegrams refused as late the
first with each time whose bytes and (meter, time) are not among the readings. Its units stand there only if they fit
between those of the readings before and after it, by the meter's time (a total may fall between two readings: it was
reset); a telegram without a time has no place among them.

The index of readings by meter is made at the first question of a role, a bill or a person that needs it: to keep it is
a fifth of what intake costs, and most portals of a bench are asked when a run is over.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from operator import itemgetter
from typing import Any, Final

from sim.portal.reading_columns import held
from sim.portal.store_port import (
    BOOTS_KEPT,
    AlarmRow,
    Before,
    BillingRow,
    Birth,
    Device,
    Evidence,
    FreshnessRow,
    HouseSum,
    Message,
    MeterRow,
    Ownership,
    Reading,
    Refusal,
    Sighting,
    Store,
    Tenancy,
    TenantRow,
    rows_of,
)

_DAY_ONE: Final = date(1970, 1, 1)
_CHUNK: Final = 500  # parameters in one IN (...): below SQLite's oldest limit of 999

_NEIGHBOUR: Final = """(SELECT n.units FROM readings n WHERE n.meter = late.meter AND n.units IS NOT NULL
       AND n.meter_time {side} late.meter_time ORDER BY n.meter_time {order} LIMIT 1)"""
_BEFORE, _AFTER = _NEIGHBOUR.format(side="<", order="DESC"), _NEIGHBOUR.format(side=">", order="ASC")
_FITS: Final = f"""meter_time IS NOT NULL AND CASE
       WHEN {_AFTER} < {_BEFORE} THEN units >= {_BEFORE} OR units <= {_AFTER}
       ELSE units >= coalesce({_BEFORE}, units) AND units <= coalesce({_AFTER}, units) END"""
"""Of a late row of the view below: units between those of its neighbours."""

_ROWS: Final[dict[str, tuple[type[Any], tuple[str, ...]]]] = {  # table -> its rows, and what names one
    "readings": (Reading, ()), "refusals": (Refusal, ()), "evidence": (Evidence, ()),
    "messages": (Message, ("gateway", "sequence", "digest")), "freshness": (FreshnessRow, ("meter",)),
    "sightings": (Sighting, ("meter", "gateway")), "births": (Birth, ("gateway", "boot")),
    "alarms": (AlarmRow, ("kind", "subject", "raised_ns")), "meters": (MeterRow, ("meter",)),
    "tenancies": (Tenancy, ("tenant", "flat", "from_ns")), "ownerships": (Ownership, ("landlord", "house")),
    "answers": (HouseSum, ("house", "from_ns", "until_ns")),
}  # fmt: skip
_PUT_AGAIN: Final = ("freshness", "births", "alarms")
"""Tables in which a row takes the place of the one with its name."""
_TYPES: Final = {str: "TEXT", int: "BIGINT", float: "DOUBLE PRECISION", bytes: "{bytes}"}


def _table(table: str) -> str:
    """CREATE TABLE, from the type of its rows. What has a name is kept by it, but for alarms, which are few."""
    row, key = _ROWS[table]
    columns = [f"{name} {_TYPES[kind]}{'' if empty else ' NOT NULL'}" for name, (kind, empty) in held(row).items()]
    if key:
        columns.append(f"PRIMARY KEY ({', '.join(key)})")
    by_key = " {by_key}" if key and table != "alarms" else ""
    return f"CREATE TABLE IF NOT EXISTS {table} ({'' if key else '{rowid} '}{', '.join(columns)}){by_key};\n"


SCHEMA: Final = "".join(map(_table, _ROWS)) + """
CREATE INDEX IF NOT EXISTS readings_by_fingerprint ON readings (fingerprint);
CREATE INDEX IF NOT EXISTS refusals_by_fingerprint ON refusals (fingerprint);
CREATE TABLE IF NOT EXISTS silence (meter TEXT PRIMARY KEY, taken_ns BIGINT NOT NULL) {by_key};
{view} billing AS
    SELECT meter, meter_time, units, set_date, set_date_units, security, stored_ns, fingerprint, 0 AS late
      FROM readings
    UNION ALL
    SELECT meter, meter_time, CASE WHEN {fits} THEN units END, set_date, set_date_units, security, stored_ns,
           fingerprint, 1
      FROM (SELECT r.*, row_number() OVER (PARTITION BY meter, coalesce(meter_time, fingerprint)
                                           ORDER BY stored_ns, rowid) AS place
              FROM refusals r
             WHERE reason = 'late'
               AND NOT EXISTS (SELECT 1 FROM readings g WHERE g.fingerprint = r.fingerprint
                               OR (g.meter = r.meter AND g.meter_time = r.meter_time))) AS late
     WHERE place = 1
""".replace("{fits}", _FITS)

# What was counted between two neighbouring readings of a meter. A total that falls was reset (set date, new meter):
# what it shows is then what was counted since. The very first reading counts nothing: it is the starting point.
_STEPS: Final = """
    SELECT meter, stored_ns, units,
           CASE WHEN before IS NULL THEN 0 WHEN units >= before THEN units - before ELSE units END AS step
      FROM (SELECT r.meter, r.stored_ns, r.units,
                   lag(r.units) OVER (PARTITION BY r.meter ORDER BY r.stored_ns, r.rowid) AS before
              FROM readings r JOIN meters m ON m.meter = r.meter {join}
             WHERE r.units IS NOT NULL AND {where}) AS pairs
"""
_CONSUMPTION: Final = f"""
    WITH steps AS ({
    _STEPS.format(
        join="JOIN tenancies t ON t.flat = m.flat",
        where="t.tenant = ? AND t.flat = ? AND t.from_ns = ? AND r.stored_ns >= t.from_ns"
        " AND r.stored_ns < coalesce(t.until_ns, 9223372036854775807)",
    )
})
    SELECT meter, stored_ns, sum(step) OVER (PARTITION BY meter ORDER BY stored_ns ROWS UNBOUNDED PRECEDING)
      FROM steps ORDER BY meter, stored_ns
"""
_HOUSE: Final = f"""
    WITH steps AS ({_STEPS.format(join="", where="m.house = ? AND r.stored_ns < ?")})
    SELECT coalesce(sum(step), 0), count(DISTINCT m.flat)
      FROM steps JOIN meters m ON m.meter = steps.meter WHERE steps.stored_ns >= ?
"""
_DEVICES: Final = """
    SELECT m.meter, s.gateway, s.stored_ns, s.taken, s.copies, s.refused, s.rssi_dbm,
           coalesce((SELECT status FROM readings r WHERE r.meter = m.meter
                     ORDER BY stored_ns DESC, rowid DESC LIMIT 1), 0) AS sts
      FROM meters m JOIN sightings s ON s.meter = m.meter ORDER BY m.meter, s.gateway
"""
_SIGHTING: Final = """
    INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (meter, gateway) DO UPDATE SET taken = sightings.taken + excluded.taken,
        copies = sightings.copies + excluded.copies, refused = sightings.refused + excluded.refused,
        received_ns = excluded.received_ns, stored_ns = excluded.stored_ns, rssi_dbm = excluded.rssi_dbm
"""
_BY_METER: Final = "CREATE INDEX IF NOT EXISTS readings_by_meter ON readings (meter, stored_ns)"
Row = tuple[Any, ...]


def _insert(table: str) -> str:
    columns = _ROWS[table][0]._fields
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    key = _ROWS[table][1]
    if table in _PUT_AGAIN:
        rest = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in key)
        sql += f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {rest}"
    return sql


_INSERTS: Final = {table: _insert(table) for table in _ROWS}


def _columns(table: str) -> str:
    return ", ".join(_ROWS[table][0]._fields)


class SqlStore(Store):
    """What is left to a database: how a statement is carried out. `?` stands for a parameter in all of them."""

    @abstractmethod
    def _many(self, sql: str, rows: Sequence[Row]) -> None:
        """Carry out a statement for each row. Raises StoreError."""

    @abstractmethod
    def _ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Rows of a SELECT. Raises StoreError."""

    def _ask_by_meter(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The same, where readings are looked up by their meter."""
        self._many(_BY_METER, [()])
        return self._ask(sql, parameters)

    def _add(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            self._many(_INSERTS[table], rows)

    # --- what intake writes -------------------------------------------------------------------------------------------

    def add_readings(self, rows: Sequence[Reading]) -> None:
        self._add("readings", rows)

    def add_refusals(self, rows: Sequence[Refusal]) -> None:
        self._add("refusals", rows)

    def add_evidence(self, rows: Sequence[Evidence]) -> None:
        self._add("evidence", rows)

    def add_messages(self, rows: Sequence[Message]) -> None:
        self._add("messages", rows)

    def add_sightings(self, rows: Sequence[Sighting]) -> None:
        if rows:
            self._many(_SIGHTING, rows)

    def put_freshness(self, rows: Sequence[FreshnessRow]) -> None:
        self._add("freshness", sorted(rows, key=itemgetter(0)))  # rows that go into one page, one after the other

    def put_alarms(self, rows: Sequence[AlarmRow]) -> None:
        self._add("alarms", rows)

    def put_last_taken(self, rows: Sequence[tuple[str, int]]) -> None:
        if rows:
            sql = "INSERT INTO silence VALUES (?, ?) ON CONFLICT (meter) DO UPDATE SET taken_ns = excluded.taken_ns"
            self._many(sql, rows)

    def put_birth(self, row: Birth) -> None:
        self._add("births", [row])
        self._many("DELETE FROM births WHERE gateway = ? AND place <= ?", [(row.gateway, row.place - BOOTS_KEPT)])

    def put_registry(
        self, meters: Sequence[MeterRow], tenancies: Sequence[Tenancy], ownerships: Sequence[Ownership]
    ) -> None:
        for table, rows in (("meters", meters), ("tenancies", tenancies), ("ownerships", ownerships)):
            self._many(f"DELETE FROM {table}", [()])
            self._add(table, rows)

    def add_answer(self, row: HouseSum) -> None:
        self._add("answers", [row])

    # --- what the portal asks -----------------------------------------------------------------------------------------

    def digests(self, gateway: str, sequence: int) -> set[str]:
        rows = self._ask("SELECT digest FROM messages WHERE gateway = ? AND sequence = ?", (gateway, sequence))
        return {row[0] for row in rows}

    def known(self, fingerprints: Collection[str]) -> dict[str, list[Before]]:
        wanted, found = list(fingerprints), dict[str, list[Before]]()
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            for source in ("readings WHERE", "refusals WHERE reason = 'late' AND"):
                sql = f"SELECT fingerprint, gateway, received_ns, meter FROM {source} fingerprint IN ({marks})"
                for mark, *row in self._ask(sql, chunk):
                    found.setdefault(mark, []).append(Before(*row))
        return found

    def freshness(self) -> Iterable[FreshnessRow]:
        return rows_of(FreshnessRow, self._ask(f"SELECT {_columns('freshness')} FROM freshness"))

    def standing_alarms(self) -> list[AlarmRow]:
        rows = self._ask(f"SELECT {_columns('alarms')} FROM alarms WHERE cleared_ns IS NULL")
        return rows_of(AlarmRow, rows)

    def last_taken(self) -> dict[str, int]:
        return dict(self._ask("SELECT meter, taken_ns FROM silence"))

    def births(self, gateway: str) -> list[Birth]:
        rows = self._ask(f"SELECT {_columns('births')} FROM births WHERE gateway = ?", (gateway,))
        return rows_of(Birth, rows)

    def highest_sequence(self, gateway: str, none: int) -> int:
        [(highest,)] = self._ask("SELECT max(sequence) FROM messages WHERE gateway = ?", (gateway,))
        return none if highest is None else int(highest)

    def taken_between(self, from_ns: int, until_ns: int) -> dict[str, int]:
        sql = "SELECT meter, count(*) FROM readings WHERE stored_ns >= ? AND stored_ns < ? GROUP BY meter"
        return {meter: int(count) for meter, count in self._ask(sql, (from_ns, until_ns))}

    def volumes_since(self, from_ns: int) -> list[tuple[str, int, float]]:
        sql = (
            "SELECT meter, received_ns, volume_m3 FROM readings WHERE volume_m3 IS NOT NULL AND received_ns >= ?"
            " ORDER BY received_ns, rowid"
        )
        return [(meter, int(at_ns), float(volume)) for meter, at_ns, volume in self._ask(sql, (from_ns,))]

    def first_set_date_units(self) -> list[tuple[str, int, int]]:
        sql = (
            "SELECT meter, set_date, set_date_units FROM readings WHERE rowid IN (SELECT min(rowid) FROM readings"
            " WHERE set_date IS NOT NULL AND set_date_units IS NOT NULL GROUP BY meter, set_date) ORDER BY set_date"
        )
        return [(meter, (date.fromisoformat(day) - _DAY_ONE).days, int(units)) for meter, day, units in self._ask(sql)]

    # --- what roles and bills ask -------------------------------------------------------------------------------------

    def tenancies(self, tenant: str, now_ns: int) -> list[tuple[str, int]]:
        sql = (
            "SELECT flat, from_ns FROM tenancies WHERE tenant = ? AND from_ns <= ?"
            " AND (until_ns IS NULL OR until_ns > ?) ORDER BY flat"
        )
        return [(flat, from_ns) for flat, from_ns in self._ask(sql, (tenant, now_ns, now_ns))]

    def flats_ever(self, tenant: str) -> set[str]:
        return {flat for (flat,) in self._ask("SELECT flat FROM tenancies WHERE tenant = ?", (tenant,))}

    def consumption(self, tenant: str, flat: str, from_ns: int) -> list[TenantRow]:
        rows = self._ask_by_meter(_CONSUMPTION, (tenant, flat, from_ns))
        return [TenantRow(meter, flat, at_ns, int(units)) for meter, at_ns, units in rows]

    def owns(self, landlord: str, house: str) -> bool:
        return bool(self._ask("SELECT 1 FROM ownerships WHERE landlord = ? AND house = ?", (landlord, house)))

    def answers(self, house: str, from_ns: int, until_ns: int) -> list[HouseSum]:
        sql = f"SELECT {_columns('answers')} FROM answers WHERE house = ? AND from_ns < ? AND until_ns > ?"
        return rows_of(HouseSum, self._ask(sql, (house, until_ns, from_ns)))

    def house_sum(self, house: str, from_ns: int, until_ns: int) -> tuple[int, int]:
        [(units, flats)] = self._ask_by_meter(_HOUSE, (house, until_ns, from_ns))
        return int(units), int(flats)

    def devices(self) -> list[Device]:
        return rows_of(Device, self._ask_by_meter(_DEVICES))

    def billing(self, meter: str) -> list[BillingRow]:
        sql = "SELECT meter_time, units, security, late FROM billing WHERE meter = ? ORDER BY meter_time, stored_ns"
        return rows_of(BillingRow, self._ask_by_meter(sql, (meter,)))

    def set_date_units(self, meter: str, set_date: str, *, late_counts: bool = False) -> int | None:
        told = "SELECT set_date_units FROM billing WHERE meter = ? AND set_date = ?"
        order = "stored_ns DESC" if late_counts else "late, stored_ns DESC"
        rows = self._ask_by_meter(f"{told} ORDER BY {order} LIMIT 1", (meter, set_date))
        return rows[0][0] if rows else None

    def last_units(self, meter: str, before_ns: int) -> int | None:
        sql = (
            "SELECT units FROM readings WHERE meter = ? AND received_ns <= ?"
            " ORDER BY received_ns DESC, rowid DESC LIMIT 1"
        )
        rows = self._ask_by_meter(sql, (meter, before_ns))
        return rows[0][0] if rows else None

    # --- what was stored ----------------------------------------------------------------------------------------------

    def count_readings(self) -> int:
        return int(self._ask("SELECT count(*) FROM readings")[0][0])

    def readings(self, meter: str | None = None) -> list[Reading]:
        sql = f"SELECT {_columns('readings')} FROM readings"
        if meter is None:
            return rows_of(Reading, self._ask(f"{sql} ORDER BY rowid"))
        rows = self._ask_by_meter(f"{sql} WHERE meter = ? ORDER BY rowid", (meter,))
        return rows_of(Reading, rows)

    def readings_after(self, place: int, most: int) -> list[tuple[int, Reading]]:
        sql = f"SELECT rowid, {_columns('readings')} FROM readings WHERE rowid > ? ORDER BY rowid LIMIT ?"
        rows = self._ask(sql, (place, most))
        return list(zip([row[0] for row in rows], rows_of(Reading, [row[1:] for row in rows]), strict=True))

    def readings_of(self, mark: str) -> list[Reading]:
        rows = self._ask(f"SELECT {_columns('readings')} FROM readings WHERE fingerprint = ? ORDER BY rowid", (mark,))
        return rows_of(Reading, rows)

    def refusals(self, reason: str | None = None) -> list[Refusal]:
        where, values = ("", ()) if reason is None else (" WHERE reason = ?", (reason,))
        rows = self._ask(f"SELECT {_columns('refusals')} FROM refusals{where} ORDER BY rowid", values)
        return rows_of(Refusal, rows)

    def refusal_reasons(self, mark: str) -> list[str]:
        rows = self._ask("SELECT reason FROM refusals WHERE fingerprint = ? ORDER BY rowid", (mark,))
        return [row[0] for row in rows]

    def refused_by_reason(self) -> dict[str, int]:
        return dict(self._ask("SELECT reason, count(*) FROM refusals GROUP BY reason ORDER BY reason"))

    def fingerprints(self) -> set[str]:
        rows = self._ask("SELECT fingerprint FROM readings UNION SELECT fingerprint FROM refusals")
        return {row[0] for row in rows}

    def messages(self) -> list[Message]:
        rows = self._ask(f"SELECT {_columns('messages')} FROM messages ORDER BY gateway, sequence, digest")
        return rows_of(Message, rows)

    def sequences_after(self, gateway: str, sequence: int, most: int) -> list[int]:
        sql = "SELECT DISTINCT sequence FROM messages WHERE gateway = ? AND sequence > ? ORDER BY sequence LIMIT ?"
        return [row[0] for row in self._ask(sql, (gateway, sequence, most))]

    def count_messages(self) -> int:
        return int(self._ask("SELECT count(*) FROM messages")[0][0])

    def evidence(self) -> list[Evidence]:
        return rows_of(Evidence, self._ask(f"SELECT {_columns('evidence')} FROM evidence ORDER BY rowid"))

    def sightings(self) -> list[Sighting]:
        return rows_of(Sighting, self._ask("SELECT * FROM sightings ORDER BY meter, gateway"))

    def meters(self) -> list[MeterRow]:
        return rows_of(MeterRow, self._ask(f"SELECT {_columns('meters')} FROM meters ORDER BY meter"))
