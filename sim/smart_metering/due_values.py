"""Values at set dates (TAF 6): each meter's once, and again where a later telegram makes it another one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from sim.portal.store_port import Reading
from sim.smart_metering.said_registers import HEAT_COST, at_set_date
from sim.smgw.delivered_content import Value
from sim.smgw.german_time import local, midnight_s

TAF: int = 6
Units = Callable[[str, date], int | None]
"""(meter, set date) -> units by the gateway's method; None where nothing shows it."""


class DueValues:
    """Of one gateway. What was delivered before a power cut is delivered again: a receiver stores it once."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, str], int | None] = {}
        self._open: dict[tuple[str, str], None] = {}
        self._left: dict[tuple[str, str], int] = {}

    def note(self, row: Reading) -> None:
        """A reading that names a set date."""
        if row.set_date is None:
            return
        key = row.meter, row.set_date
        if key not in self._named or self._named[key] != row.set_date_units:
            self._named[key] = row.set_date_units
            self._open[key] = None

    def values(self, units: Units) -> list[Value]:
        """What is to leave now; asked again it says so again, until `left`."""
        out = []
        for meter, day in sorted(self._open):
            value = units(meter, date.fromisoformat(day))
            if value is None or self._left.get((meter, day)) == value:
                continue
            until_s = midnight_s(date.fromisoformat(day) + timedelta(days=1))
            out.append(Value(TAF, meter, str(at_set_date(HEAT_COST)), 0, None, until_s, Decimal(value)))
        return out

    def left(self, values: list[Value]) -> None:
        """These are in a container."""
        for one in values:
            day = local(one.until_s).date() - timedelta(days=1)
            self._left[one.meter, day.isoformat()] = int(one.amount or 0)
        self._open.clear()
