"""Who may know what. Three roles, three views, each one question to the store that cannot return another's rows.

    tenant     own flat, readings from own time only, asked while still living there; consumption counts from moving
               in, because the meter's own total would tell the predecessor's (P05)
    landlord   the sum of a house over a period; never fewer than three flats, and never a period that overlaps
               another one answered for that house, since the difference of two sums may be one flat (P04)
    operator   devices: when heard, by whom, how strongly, battery, faults; no consumption and no tenant

Answers to landlords are remembered and the same question gets the same answer, so that a late reading cannot be found
by asking twice. Each rule of VIEW_RULES can be switched off: then the view is as a careless portal's. What this
does not stop: a landlord who knows all flats of a house but one from elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sim.portal.portal_spec import VIEW_RULES
from sim.portal.store_port import HouseSum as HouseSum
from sim.portal.store_port import Store
from sim.portal.store_port import TenantRow as TenantRow
from wmbus.transport import STS_LOW_POWER, STS_PERMANENT_ERROR, STS_TEMPORARY_ERROR

LEAST_FLATS = 3
NO_TENANT, NOT_HIS = "is no tenant now", "is not a flat of"
OVERLAPS, TOO_FEW = "the period overlaps one answered before", f"a sum needs {LEAST_FLATS}"


class Denied(Exception):
    """The role may not have this answer; the message says which rule forbids it."""


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


class Views:
    """The only way for the roles into the store. `now_ns` is the portal's own clock."""

    def __init__(self, store: Store, rules: Collection[str] = VIEW_RULES) -> None:
        self._store = store
        self._rules = rules

    def tenant(self, tenant: str, now_ns: int, flat: str | None = None) -> list[TenantRow]:
        """All readings of the flats in which `tenant` lives now, or of one of them. Raises Denied for somebody who
        lives nowhere, and for another's flat."""
        tenancies = self._store.tenancies(tenant, now_ns)
        own = [one for one in tenancies if flat in (None, one[0])]
        if own and "own time" in self._rules:
            return [row for one, from_ns in own for row in self._store.consumption(tenant, one, from_ns)]
        if "own time" not in self._rules and flat in self._store.flats_ever(tenant):
            return self._unbound(str(flat))
        if not tenancies:
            raise Denied(f"{tenant} {NO_TENANT}")
        if "own flat" not in self._rules and flat is not None:
            return self._unbound(flat)
        raise Denied(f"{flat} {NOT_HIS} {tenant}")

    def _unbound(self, flat: str) -> list[TenantRow]:
        """Whatever there is of a flat, by the meters' own totals."""
        meters = [one.meter for one in self._store.meters() if one.flat == flat]
        rows = [row for meter in meters for row in self._store.readings(meter)]
        return [TenantRow(row.meter, flat, row.stored_ns, row.units) for row in rows if row.units is not None]

    def landlord(self, landlord: str, house: str, from_ns: int, until_ns: int) -> HouseSum:
        """Units of a house in [from, until). Raises Denied."""
        store = self._store
        if from_ns >= until_ns:
            raise Denied("the period is empty")
        if not store.owns(landlord, house):
            raise Denied(f"{house} is not a house of {landlord}")
        answered = store.answers(house, from_ns, until_ns)
        for before in answered:
            if (before.from_ns, before.until_ns) == (from_ns, until_ns):
                return before
        if answered and "no overlap" in self._rules:
            raise Denied(f"{house}: {OVERLAPS}; their difference might be one flat")
        units, flats = store.house_sum(house, from_ns, until_ns)
        if flats < LEAST_FLATS and "three flats" in self._rules:
            raise Denied(f"{house}: {flats} flats in this period, {TOO_FEW}")
        told = HouseSum(house, from_ns, until_ns, units, flats)
        with store.transaction():
            store.add_answer(told)
        return told

    def operator(self) -> list[DeviceRow]:
        """Every registered device that was heard, one row a gateway."""
        return [
            DeviceRow(
                one.meter, one.gateway, one.stored_ns, one.taken, one.copies, one.refused, one.rssi_dbm,
                low_battery=bool(one.status & STS_LOW_POWER),
                fault=bool(one.status & (STS_PERMANENT_ERROR | STS_TEMPORARY_ERROR)),
            )
            for one in self._store.devices()
        ]  # fmt: skip
