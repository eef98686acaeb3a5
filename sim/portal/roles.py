"""Who may know what. Three roles, three views, each an SQL statement that cannot return another's rows.

    tenant     own flat, readings from own time only, asked while still living there; consumption counts from moving
               in, because the meter's own total would tell the predecessor's (P05)
    landlord   the sum of a house over a period; never fewer than three flats, and never a period that overlaps
               another one answered for that house, since the difference of two sums may be one flat (P04)
    operator   devices: when heard, by whom, how strongly, battery, faults; no consumption and no tenant

Answers to landlords are remembered and the same question gets the same answer, so that a late reading cannot be found
by asking twice. What this does not stop: a landlord who knows all flats of a house but one from elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

from sim.portal.store import Store
from wmbus.transport import STS_LOW_POWER, STS_PERMANENT_ERROR, STS_TEMPORARY_ERROR

LEAST_FLATS = 3


class Denied(Exception):
    """The role may not have this answer; the message says which rule forbids it."""


class TenantRow(NamedTuple):
    """One reading of an own meter. `units` were counted since the tenancy began; `at_ns` when the portal took it."""

    meter: str
    flat: str
    at_ns: int
    units: int


class HouseSum(NamedTuple):
    house: str
    from_ns: int
    until_ns: int
    units: int
    flats: int


class DeviceRow(NamedTuple):
    """One device. `low_battery` and `fault` are bits of the last status byte; `rssi_dbm` the last, by gateway."""

    meter: str
    gateway: str
    heard_ns: int
    taken: int
    copies: int
    refused: int
    rssi_dbm: float | None
    low_battery: bool
    fault: bool


# What was counted between two neighbouring readings of a meter. A total that falls was reset (set date, new meter):
# what it shows is then what was counted since. The very first reading counts nothing: it is the starting point.
_STEPS = """
    SELECT meter, stored_ns, units,
           CASE WHEN before IS NULL THEN 0 WHEN units >= before THEN units - before ELSE units END AS step
      FROM (SELECT r.meter, r.stored_ns, r.units,
                   lag(r.units) OVER (PARTITION BY r.meter ORDER BY r.stored_ns, r.rowid) AS before
              FROM readings r JOIN meters m ON m.meter = r.meter {join}
             WHERE r.units IS NOT NULL AND {where})
"""

_TENANT = f"""
    WITH steps AS ({_STEPS.format(
        join="JOIN tenancies t ON t.flat = m.flat",
        where="t.tenant = :tenant AND t.flat = :flat AND t.from_ns = :from_ns AND r.stored_ns >= t.from_ns"
              " AND r.stored_ns < coalesce(t.until_ns, 9223372036854775807)",
    )})
    SELECT meter, :flat, stored_ns, sum(step) OVER (PARTITION BY meter ORDER BY stored_ns
                                                    ROWS UNBOUNDED PRECEDING)
      FROM steps ORDER BY meter, stored_ns
"""

_HOUSE = f"""
    WITH steps AS ({_STEPS.format(
        join="", where="m.house = :house AND r.stored_ns < :until_ns"
    )})
    SELECT coalesce(sum(step), 0), count(DISTINCT m.flat)
      FROM steps JOIN meters m ON m.meter = steps.meter WHERE steps.stored_ns >= :from_ns
"""

_DEVICES = """
    SELECT m.meter, s.gateway, s.stored_ns, s.taken, s.copies, s.refused, s.rssi_dbm,
           coalesce((SELECT status FROM readings r WHERE r.meter = m.meter ORDER BY stored_ns DESC LIMIT 1), 0) AS sts
      FROM meters m JOIN sightings s ON s.meter = m.meter ORDER BY m.meter, s.gateway
"""


class Views:
    """The only way for the roles into the store. `now_ns` is the portal's own clock."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def tenant(self, tenant: str, now_ns: int) -> list[TenantRow]:
        """All readings of the flats in which `tenant` lives now. Raises Denied for somebody who lives nowhere."""
        tenancies = self._store.query(
            "SELECT flat, from_ns FROM tenancies WHERE tenant = ? AND from_ns <= ?"
            " AND (until_ns IS NULL OR until_ns > ?) ORDER BY flat",
            (tenant, now_ns, now_ns),
        )
        if not tenancies:
            raise Denied(f"{tenant} is no tenant now")
        rows: list[TenantRow] = []
        for flat, from_ns in tenancies:
            values = {"tenant": tenant, "flat": flat, "from_ns": from_ns}
            rows += [TenantRow(*row) for row in self._store.query(_TENANT, values)]
        return rows

    def landlord(self, landlord: str, house: str, from_ns: int, until_ns: int) -> HouseSum:
        """Units of a house in [from, until). Raises Denied."""
        query = self._store.query
        if from_ns >= until_ns:
            raise Denied("the period is empty")
        if not query("SELECT 1 FROM ownerships WHERE landlord = ? AND house = ?", (landlord, house)):
            raise Denied(f"{house} is not a house of {landlord}")
        answered = query(
            "SELECT from_ns, until_ns, units, flats FROM answers WHERE house = ? AND from_ns < ? AND until_ns > ?",
            (house, until_ns, from_ns),
        )
        for before_ns, after_ns, units, flats in answered:
            if (before_ns, after_ns) == (from_ns, until_ns):
                return HouseSum(house, from_ns, until_ns, units, flats)
        if answered:
            raise Denied(f"{house}: the period overlaps one answered before; their difference might be one flat")
        values = {"house": house, "from_ns": from_ns, "until_ns": until_ns}
        units, flats = query(_HOUSE, values)[0]
        if flats < LEAST_FLATS:
            raise Denied(f"{house}: {flats} flats in this period, a sum needs {LEAST_FLATS}")
        with self._store.transaction():
            self._store.insert("answers", [(house, from_ns, until_ns, units, flats)])
        return HouseSum(house, from_ns, until_ns, units, flats)

    def operator(self) -> list[DeviceRow]:
        """Every registered device that was heard, one row a gateway."""
        rows = self._store.query(_DEVICES)
        return [
            DeviceRow(
                meter, gateway, heard_ns, taken, copies, refused, rssi_dbm,
                low_battery=bool(status & STS_LOW_POWER),
                fault=bool(status & (STS_PERMANENT_ERROR | STS_TEMPORARY_ERROR)),
            )
            for meter, gateway, heard_ns, taken, copies, refused, rssi_dbm, status in rows
        ]  # fmt: skip

