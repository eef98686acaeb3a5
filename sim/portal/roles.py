"""Who may know what. Three roles, three views, each one question to the store that cannot return another's rows.

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

from sim.portal.store_port import Answer, Store
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


class Views:
    """The only way for the roles into the store. `now_ns` is the portal's own clock."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def tenant(self, tenant: str, now_ns: int) -> list[TenantRow]:
        """All readings of the flats in which `tenant` lives now. Raises Denied for somebody who lives nowhere."""
        tenancies = self._store.tenancies(tenant, now_ns)
        if not tenancies:
            raise Denied(f"{tenant} is no tenant now")
        return [
            TenantRow(*row)
            for flat, from_ns in tenancies
            for row in self._store.consumption(tenant, flat, from_ns)
        ]

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
                return HouseSum(*before)
        if answered:
            raise Denied(f"{house}: the period overlaps one answered before; their difference might be one flat")
        units, flats = store.house_sum(house, from_ns, until_ns)
        if flats < LEAST_FLATS:
            raise Denied(f"{house}: {flats} flats in this period, a sum needs {LEAST_FLATS}")
        with store.transaction():
            store.add_answer(Answer(house, from_ns, until_ns, units, flats))
        return HouseSum(house, from_ns, until_ns, units, flats)

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
