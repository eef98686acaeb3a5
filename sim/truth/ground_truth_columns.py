"""What the fleet really said, held against what the portal stored, for very many readings at once.

The truth is the fleet before encryption: the same meters of the same seed with no security, whose telegrams carry the
same values in clear. Where each value stands and how it is encoded is the fleet's own table (`Kind.places`). A stored
value is encoded again by that table and must give the very bytes; so nothing of how the portal reads is believed, only
which record it takes for which value (`interpret.meaning`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.meters.civil import type_g
from sim.meters.encodings import NOT_AVAILABLE, limits
from sim.meters.expected_records import statements
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import Kind, Place
from sim.meters.telegram_batch import addresses
from sim.portal.intake_many import Rows
from sim.portal.interpret import meaning
from sim.portal.meter_table import numbers_of
from sim.portal.record_templates import NONE
from wmbus.transport import CI_LONG, CI_NONE

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
_DAYS_TO_2000, _DAY_MINUTES = 10_957, 1_440
_TYPE_G: I64 = type_g(np.arange(80 * 366))
_NOWHERE = -2  # fits no encoding of dates
_HEADERS = {CI_LONG: 23, CI_NONE: 11}
_SHORT = 15
_COLUMNS = {"meter_time": "minute", "set_date": "set_day", "energy_wh": "energy_kwh", "energy_j": "energy_kwh"}
_ENERGY_UNITS = {"energy_wh": 1_000.0, "energy_j": 3_600_000.0}


class FleetTruth:
    """`fleet`: the one that sends; `make` gives another fleet of other groups with the same meters."""

    def __init__(self, fleet: Fleet, make: Any) -> None:
        self._fleet = fleet
        self._clear: Fleet = make(_in_clear(fleet.groups))
        self._spoken = [_spoken(kind) for kind in fleet.kinds]
        self._number = numbers(fleet)

    def altered(self, rows: Rows, meter: I64, k: I64) -> NDArray[np.bool_]:
        """Which stored rows are not what telegram `k` of meter `meter` said."""
        out = np.zeros(len(rows), dtype=np.bool_)
        told = self._clear.telegrams(meter, k)
        group = self._fleet.population.group[meter]
        for number in np.unique(group).tolist():
            mine = np.flatnonzero(group == number)
            out[mine] = self._differ(number, rows, mine, told.data, told.offset[mine], meter[mine], k[mine])
        return out

    def _differ(
        self, group: int, rows: Rows, at: I64, data: U8, offset: I64, meter: I64, k: I64
    ) -> NDArray[np.bool_]:
        """Of one group; its telegrams in clear begin at `offset` of `data`."""
        fleet, who = self._fleet, self._fleet.population
        kind, security = fleet.kinds[group], fleet.groups[group].security
        header = _HEADERS.get(kind.tpl_for("none"), _SHORT)
        begin = header + len(kind.unencrypted_prefix)
        differs = rows.meter[at] != self._number[meter]
        if kind.tpl_for(security) == CI_NONE:
            differs |= (rows.acc[at] != NONE) | (rows.status[at] != 0)
        else:
            differs |= (rows.acc[at] != (who.acc0[meter] + k & 0xFF)) | (rows.status[at] != data[offset + (header - 3)])
        counter = who.counter0[meter].astype(np.int64) + k if security == "mode7" else NONE
        differs |= rows.counter[at] != counter
        spoken = self._spoken[group]
        for column in ("minute", "units", "set_day", "set_date_units", "volume_m3", "energy_kwh"):
            value = getattr(rows, column)[at]
            if column not in spoken:
                differs |= ~np.isnan(value) if value.dtype == np.float64 else value != NONE
                continue
            place, scale = spoken[column]
            number = _number(column, value, scale)
            bcd = place.encoding.startswith("bcd")
            at_byte = offset + (begin + place.offset)
            _differ_at(number, *limits(place.encoding), bcd, data, at_byte, place.width, differs)
        out: NDArray[np.bool_] = differs
        return out


def numbers(fleet: Fleet) -> NDArray[np.uint64]:
    """Each meter's whole address as one number."""
    return numbers_of(wires(fleet))


def wires(fleet: Fleet) -> U8:
    """Each meter's address as on the air, (n, 8)."""
    who = fleet.population
    out = np.empty((fleet.n, 8), dtype=np.uint8)
    for group in np.unique(who.group).tolist():
        mine = np.flatnonzero(who.group == group)
        out[mine] = addresses(fleet.kinds[group], who.number[mine])
    return out


def _in_clear(groups: Sequence[FleetSpec]) -> list[FleetSpec]:
    return [dataclasses.replace(group, security="none") for group in groups]


def _spoken(kind: Kind) -> dict[str, tuple[Place, float]]:
    """Stored column -> where a type's telegram has it, and how much one of its digits is in the column's unit. Where a
    telegram answers twice the last answer counts."""
    out: dict[str, tuple[Place, float]] = {}
    for place, statement in zip(kind.places, statements(kind), strict=True):
        what = meaning(statement.chain)
        if what is None or what in ("errors", "error_date"):
            continue
        scale = 10.0**statement.chain.exponent / _ENERGY_UNITS.get(what, 1.0)
        out[_COLUMNS.get(what, what)] = (place, scale)
    if "set_day" not in out:
        out.pop("set_date_units", None)  # a month end without a date is no set date
    return out


def _number(column: str, value: NDArray[Any], scale: float) -> I64:
    """A stored value as the integer that its record holds; what no record can hold is _NOWHERE."""
    if value.dtype == np.float64:
        return np.where(np.isnan(value), NOT_AVAILABLE, np.rint(np.nan_to_num(value) / scale)).astype(np.int64)
    number = np.empty(len(value), dtype=np.int64)
    _encoded(value, column == "minute", column == "set_day", _TYPE_G, number)
    return number


@njit(cache=True, error_model="numpy")
def _encoded(value: Any, minutes: Any, days: Any, type_g: Any, number: Any) -> None:
    for at in range(len(value)):
        if value[at] == NONE:
            number[at] = NOT_AVAILABLE
        elif minutes or days:
            day = (value[at] // _DAY_MINUTES if minutes else value[at]) - _DAYS_TO_2000
            number[at] = type_g[day] if 0 <= day < len(type_g) else _NOWHERE
            if minutes and number[at] >= 0:
                minute = value[at] % _DAY_MINUTES
                number[at] = minute % 60 | minute // 60 << 8 | number[at] << 16
        else:
            number[at] = value[at]


@njit(cache=True, error_model="numpy")
def _differ_at(number: Any, low: Any, high: Any, bcd: Any, data: Any, begin: Any, width: Any, differs: Any) -> None:
    """Where these numbers are not what stands in `width` bytes of `data` from `begin` on: little endian, BCD where
    `bcd`; minus one is all bits set."""
    for at in range(len(number)):
        rest = number[at]
        fits = low <= rest < high
        for byte in range(width):
            if not bcd or rest < 0:
                said, rest = rest & 0xFF, rest >> 8
            else:
                said, rest = rest % 10 | rest // 10 % 10 << 4, rest // 100
            fits &= said == data[begin[at] + byte]
        differs[at] |= not fits
