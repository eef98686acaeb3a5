"""How stored readings differ from the telegrams that were sent: every column of a reading, for every meter type.

What was sent is worked out from the fleet before encryption: the records' bytes, taken apart by the fleet's own table
of places and encodings (`Kind.places`). So nothing of how the portal reads is believed, only which record it takes for
which value (`interpret.meaning`). Address, access number, counter, status, security and tampering come from the fleet
itself: who the meter is, how often it has sent, what has happened to it.

Rows of any number are compared at once, so that a world and a city use the same function.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.core.vocabulary import SECURITIES
from sim.meters.civil import type_g
from sim.meters.encodings import NOT_AVAILABLE, decode_many
from sim.meters.expected_records import statements
from sim.meters.fleet import Fleet
from sim.meters.meter_type import Kind, Place
from sim.meters.telegram_batch import addresses
from sim.portal.check import NONE
from sim.portal.interpret import TAMPER_FLAG, meaning
from sim.portal.meter_table import numbers_of
from sim.portal.reading_columns import SAID, VALUES, as_array
from sim.portal.stored_columns import StoredColumns
from wmbus.transport import CI_LONG, CI_NONE, STS_PERMANENT_ERROR

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Bools = NDArray[np.bool_]

_DAY_MINUTES = 1_440
_DAYS: I64 = np.full(1 << 16, NONE, dtype=np.int64)  # type G -> days since 1970
_DAYS[type_g(np.arange(80 * 366))] = np.arange(80 * 366) + 10_957
_HEADERS = {CI_LONG: 23, CI_NONE: 11}
_SHORT = 15
_IN_A_COLUMN = {"Wh": 1_000.0, "J": 3_600_000.0}  # said here again, or a portal that divides wrongly would be right
_ROUNDING = 1e-12  # of a stored real, relative


class Expected(NamedTuple):
    """Where a type's telegram has a stored column, and how much one of its digits is in the column's unit."""

    place: Place
    scale: float


class Yardstick:
    """Of one fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._clear = fleet.in_clear()
        self._number = numbers(fleet)

    def differs(self, rows: StoredColumns, meter: I64, k: I64) -> dict[str, Bools]:
        """For each column that the meter says (SAID), which rows are not what telegram `k` of `meter` said in it."""
        group = self._fleet.population.group[meter]
        there = np.flatnonzero(np.bincount(group)).tolist()
        if len(there) == 1:
            return self._of_group(there[0], rows, slice(None), meter, k)
        out = {column: np.zeros(len(meter), dtype=np.bool_) for column in SAID}
        for number in there:
            at = np.flatnonzero(group == number)
            for column, differ in self._of_group(number, rows, at, meter[at], k[at]).items():
                out[column][at] = differ
        return out

    def at_set_date(self, meter: I64, k: I64) -> tuple[I64, I64]:
        """(set date in days since 1970, units at it) in telegram `k` of each meter; NONE where it says neither. The set
        date is the last day that counts."""
        day, units = (np.full(len(meter), NONE, dtype=np.int64) for _ in range(2))
        group = self._fleet.population.group[meter]
        for number in np.unique(group).tolist():
            at = np.flatnonzero(group == number)
            table = expected(self._fleet.kinds[number])
            if not table.keys() >= {"set_date", "set_date_units"}:
                continue
            records, _ = self._sent(number, meter[at], k[at])
            for column, out in (("set_date", day), ("set_date_units", units)):
                place, scale = table[column]
                out[at] = _said(column, place, scale, records[:, place.offset : place.offset + place.width])
        return day, units

    def exactly(self, column: str, meter: int, k: I64) -> list[Decimal | None]:
        """What telegrams of one meter say in a column of numbers, in its unit and not rounded; None where it is not
        available. Raises KeyError where the type says no such thing."""
        group = int(self._fleet.population.group[meter])
        place, scale = expected(self._fleet.kinds[group])[column]
        records, _ = self._sent(group, np.full(len(k), meter, dtype=np.int64), k)
        said = decode_many(place.encoding, records[:, place.offset : place.offset + place.width])
        one = Decimal(repr(scale))
        return [None if number == NOT_AVAILABLE else number * one for number in said.tolist()]

    def _of_group(self, group: int, rows: StoredColumns, at: I64 | slice, meter: I64, k: I64) -> dict[str, Bools]:
        fleet, who = self._fleet, self._fleet.population
        kind, security = fleet.kinds[group], fleet.groups[group].security
        records, status = self._sent(group, meter, k)
        headed = kind.tpl_for(security) != CI_NONE
        found = {
            "meter": rows.meter[at] != self._number[meter],
            "acc": rows.acc[at] != (who.acc0[meter] + k & 0xFF if headed else NONE),
            "counter": rows.counter[at] != (who.counter0[meter].astype(np.int64) + k if security == "mode7" else NONE),
            "security": rows.security[at] != SECURITIES.index(security),
            "status": rows.status[at] != (status if headed else 0),
            "tamper": rows.tamper[at] != self._tampered(kind, meter, k, headed=headed),
        }
        table = expected(kind)
        for column in VALUES:
            value: I64 | F64 = getattr(rows, as_array(column))[at]
            if column in table:
                place, scale = table[column]
                said = _said(column, place, scale, records[:, place.offset : place.offset + place.width])
                found[column] = _unlike(value, said)
            else:
                found[column] = ~np.isnan(value) if value.dtype == np.float64 else value != NONE
        return found

    def _sent(self, group: int, meter: I64, k: I64) -> tuple[U8, U8]:
        """The records before encryption, (n, bytes), and the status bytes of one group's telegrams."""
        kind = self._fleet.kinds[group]
        told = self._clear.telegrams(meter, k)
        block = told.data.reshape(len(meter), -1)
        header = _HEADERS.get(kind.tpl_for("none"), _SHORT)
        begin = header + len(kind.unencrypted_prefix)
        return block[:, begin : begin + kind.records_bytes], block[:, header - 3]

    def _tampered(self, kind: Kind, meter: I64, k: I64, *, headed: bool) -> I64:
        """1 where something had happened to the meter that its telegram shows to a portal."""
        fleet = self._fleet
        out = np.zeros(len(meter), dtype=np.int64)
        for one in sorted(fleet.tampered & set(meter.tolist())) if fleet.tampered else ():
            rows = np.flatnonzero(meter == one)
            start_ns = fleet.starts(meter[rows], k[rows])
            for tamper in fleet.tampers(one):
                if _shows(kind, tamper.how, headed=headed):
                    out[rows[(tamper.at_ns <= start_ns) & (start_ns < tamper.end_ns)]] = 1
        return out


def _shows(kind: Kind, how: str, *, headed: bool) -> bool:
    """Does a telegram of this type tell that its meter was tampered with so: by its status byte, where it has one, its
    error flags or the date of an error?"""
    fault = kind.faults[how]
    told = {what.column for statement in statements(kind) if (what := meaning(statement.chain)) is not None}
    return (
        (headed and bool(fault.sts & STS_PERMANENT_ERROR))
        or ("errors" in told and bool(fault.flags & TAMPER_FLAG))
        or "error_date" in told
    )


@lru_cache(maxsize=64)
def expected(kind: Kind) -> dict[str, Expected]:
    """Stored column -> where a type's telegram has it. Where a telegram answers twice the last answer counts."""
    out: dict[str, Expected] = {}
    for place, statement in zip(kind.places, statements(kind), strict=True):
        what = meaning(statement.chain)
        if what is not None and what.column not in ("errors", "error_date"):
            scale = 10.0**statement.chain.exponent / _IN_A_COLUMN.get(statement.chain.unit, 1.0)
            out[what.column] = Expected(place, scale)
    if "set_date" not in out:
        out.pop("set_date_units", None)  # a month end without a date is no set date
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


def _said(column: str, place: Place, scale: float, sent: U8) -> I64 | F64:
    """What telegrams said in a stored column, in its unit; `sent` are the bytes of it, (n, width)."""
    number = decode_many(place.encoding, sent)
    if column == "set_date":
        day = _DAYS[number]
        return np.where((day != NONE) & (number & 31 == 1), day - 1, day)  # a first of a month is the day after
    if column == "meter_time":
        time = number if place.encoding == "F" else number >> 8  # type I has seconds in front
        day = _DAYS[time >> 16 & 0xFFFF]
        return np.where(day == NONE, NONE, day * _DAY_MINUTES + (time >> 8 & 31) * 60 + (time & 63))
    absent = number == NOT_AVAILABLE
    if column in ("volume_m3", "energy_kwh"):
        return np.where(absent, np.nan, number * scale)
    return np.where(absent, NONE, number)


def _unlike(stored: I64 | F64, said: I64 | F64) -> Bools:
    if stored.dtype != np.float64:
        return np.asarray(stored != said)
    # The same decimal number may come out of another order of multiplying, so a last bit is left out.
    return np.asarray((np.isnan(stored) != np.isnan(said)) | (np.abs(stored - said) > _ROUNDING * np.abs(said)))
