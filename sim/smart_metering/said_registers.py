"""Which register a stored reading speaks of: the quantity's OBIS code and its value.

Heat cost allocators have units, and begin anew after their set date; the value at it is a register of its own, F = 1
of the same code. Codes of media but electricity are this model's.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final, NamedTuple

from sim.portal.store_port import Reading
from sim.smgw.obis_codes import Obis

HEAT_COST: Final = Obis(4, 0, 1, 0, 0, 255)
_BY_DEVICE: Final = {
    0x02: Obis(1, 0, 1, 8, 0, 255),
    0x03: Obis(7, 0, 3, 0, 0, 255),
    0x04: Obis(6, 0, 1, 0, 0, 255),
    0x06: Obis(9, 0, 1, 0, 0, 255),
    0x07: Obis(8, 0, 1, 0, 0, 255),
    0x0C: Obis(6, 0, 1, 0, 0, 255),
}
"""Device type of EN 13757-7 -> its register."""
_LAST_PERIOD: Final = 1


class Said(NamedTuple):
    """A register's value; `period` names the billing period in which it counts, where the meter begins anew."""

    obis: Obis
    value: Decimal
    period: str


def at_set_date(obis: Obis) -> Obis:
    """The register of the last billing period of the same quantity."""
    return replace(obis, f=_LAST_PERIOD)


def said(row: Reading) -> Said | None:
    """What a reading says; None for a meter of no medium of this model, or without a value."""
    if row.units is not None:
        return Said(HEAT_COST, Decimal(row.units), row.set_date or "")
    obis = _BY_DEVICE.get(int(row.meter.rsplit(" ", 1)[-1], 16))
    if obis is None:
        return None
    value = row.energy_kwh if obis.a in (1, 6) else row.volume_m3
    return None if value is None else Said(obis, Decimal(repr(value)), "")
