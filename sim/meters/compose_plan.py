"""Which operation of `compiled` fills which bytes, for one group of meters on one day of their clocks.

The calendar of a day is known before any meter is looked at: which boundaries its counts lie between, which dates it
shows. So a plan turns a type's field table into a few numbers a slot, and dates into constant bytes of the template.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.build_telegrams import frame_template
from sim.core.vocabulary import Security
from sim.meters import civil, fill_kernels
from sim.meters.at_instant import NEVER_MS, Moment
from sim.meters.encodings import encode_into, limits
from sim.meters.meter_type import Kind, Place, Slot
from sim.meters.physics.heat import MS_PER_DAY, Heat
from sim.meters.quantities import QUANTITIES
from wmbus.link import Address
from wmbus.telegram import length
from wmbus.transport import CI_LONG

if TYPE_CHECKING:
    from sim.meters.fleet import Fleet
    from sim.meters.telegram_batch import I64

_ENCODINGS: Final = {"bcd2": 1, "bcd4": 1, "bcd6": 1, "bcd8": 1, "ascii8": 2}
_PER: Final = {"room_dc": 100, "room_cc": 10, "radiator_dc": 100, "radiator_cc": 10}
_DAYS_CONSTANTS: Final = frozenset({
    "set_date", "set_day_after", "month_end", "month_first", "half_end", "date", "error_flags", "error_date",
    "error_datetime", "minutes_unmeasured", "seconds_tampered",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """`columns`: the slots that numpy must work out, in the order of their rows in `fill`'s columns."""

    template: NDArray[np.uint8]
    places: NDArray[np.int64]
    operations: NDArray[np.int64]
    columns: tuple[Slot, ...]
    records_bytes: int


def plan(kind: Kind, security: Security, heat: Heat, day: int) -> Plan:
    """The plan of a healthy group on one day."""
    tpl = kind.tpl_for(security)
    prefix = kind.unencrypted_prefix if security == "none" else b""
    m = kind.payload_bytes(security)
    cfg_flags = kind.cfg_flags_unencrypted if security == "none" else 0
    template = frame_template(length(m, security, tpl), m, security, c_field=kind.c_field, tpl=tpl, cfg_flags=cfg_flags)
    wire = Address(kind.manufacturer, "00000000", kind.version, kind.device_type).wire()
    template[2:10] = np.frombuffer(wire, dtype=np.uint8)
    header = 30 if security == "mode7" else 10
    at = header + 1
    if tpl == CI_LONG:
        template[at : at + 8] = np.frombuffer(wire[2:6] + wire[:2] + wire[6:], dtype=np.uint8)
        at += 8
    places = [at, 12 if security == "mode7" else -1, at + 1, header + 1 if tpl == CI_LONG else -1]
    places += [kind.idle_sts, kind.idle_sts | kind.low_power_sts]
    begin = at + 4 + (0 if security == "none" else 2) + (1 if security == "mode7" else 0)
    records = prefix + kind.template
    template[begin : begin + m] = np.frombuffer(records, dtype=np.uint8)
    begin += len(prefix)

    calendar = _Calendar(kind, heat, day)
    operations: list[list[int]] = []
    columns: list[Slot] = []
    for place in kind.places:
        to = begin + place.offset
        constant = calendar.constant(place.slot)
        if constant is not None:
            encode_into(place.encoding, constant, template[None, to : to + place.width])
            continue
        what = calendar.operation(place.slot)
        if what is None:
            what = [fill_kernels.COLUMN, len(columns), 0, 0, 0]
            columns.append(place.slot)
        operations.append([what[0], to, *_encoding(place), *what[1:]])
    table = np.array(operations, dtype=np.int64).reshape(-1, 10)
    return Plan(template, np.array(places, dtype=np.int64), table, tuple(columns), m)


def _encoding(place: Place) -> tuple[int, int, int, int]:
    return _ENCODINGS.get(place.encoding, 0), place.width, *limits(place.encoding)


class _Calendar:
    """What a day decides for every meter of a type."""

    def __init__(self, kind: Kind, heat: Heat, day: int) -> None:
        self._kind = kind
        self._first_hour = heat.first_hour
        # A moment without a meter: only its calendar is asked.
        self._at = Moment(heat.scalar, kind.set_month, 0, 0, 0, day * MS_PER_DAY, NEVER_MS, NEVER_MS, 0, 0)

    def constant(self, slot: Slot) -> int | None:
        if slot.quantity in self._kind.constants:
            return self._kind.constants[slot.quantity]
        if slot.quantity in _DAYS_CONSTANTS:
            return int(QUANTITIES[slot.quantity](self._at, slot.back))
        return None

    def operation(self, slot: Slot) -> list[int] | None:
        """Operation and four parameters; None for what numpy must do."""
        at, back = self._at, slot.back
        name = slot.quantity
        if name == "units":
            return [fill_kernels.UNITS, self._month(at.last_set(at.month)), 0, 0, 0]
        if name == "set_date_units":
            return [fill_kernels.LATCHED, *self._latched(at.last_set(at.month)), 0, 0]
        if name == "month_units":
            return [fill_kernels.LATCHED, *self._latched(at.month - back), 0, 0]
        if name == "half_units":
            return [fill_kernels.LATCHED, *self._latched_half(at.half_month - back), 0, 0]
        if name == "month_increment":
            boundary = at.month - back
            before = self._latched(boundary - 1)
            if (boundary - 1 - self._kind.set_month) % 12 == 0:
                return [fill_kernels.LATCHED, *self._latched(boundary), 0, 0]
            return [fill_kernels.DIFFERENCE, *self._latched(boundary), *before]
        if name == "half_difference":
            boundary = at.half_month - back
            return [fill_kernels.DIFFERENCE, *self._latched_half(boundary), *self._latched_half(boundary - 1)]
        if name in _PER:
            what = fill_kernels.ROOM if name.startswith("room") else fill_kernels.RADIATOR
            return [what, _PER[name], 0, 0, 0]
        if name == "datetime":
            return [fill_kernels.DATETIME, int(civil.type_g(at.day)), 0, 0, 0]
        if name == "fabrication":
            return [fill_kernels.NUMBER, 0, 0, 0, 0]
        if name == "minutes_unmeasured_year":
            return [fill_kernels.UNMEASURED, 0, 0, 0, 0]
        return None

    def _month(self, month: int) -> int:
        return int(civil.month_start(month)) * 24 - self._first_hour

    def _latched(self, month: int) -> tuple[int, int]:
        return self._month(month), self._month(self._at.last_set(month - 1))

    def _latched_half(self, half: int) -> tuple[int, int]:
        begin = (int(civil.month_start(half // 2)) + half % 2 * 15) * 24 - self._first_hour
        return begin, self._month(self._at.last_set((half - 1) // 2))


def of_day(fleet: Fleet, group: int, day: int) -> Plan:
    """The plan of one of a fleet's groups on a day, made once."""
    one: Plan | None = fleet.plans.get((group, day))
    if one is None:
        if len(fleet.plans) > 4 * len(fleet.groups):
            fleet.plans.clear()
        one = fleet.plans[group, day] = plan(fleet.kinds[group], fleet.groups[group].security, fleet.heat, day)
    return one


def columns_of(one: Plan, moment: Any, n: int) -> I64:
    """The slots that numpy works out, one row each."""
    out = np.zeros((max(1, len(one.columns)), n), dtype=np.int64)
    for row, slot in enumerate(one.columns):
        out[row] = QUANTITIES[slot.quantity](moment, slot.back)
    return out
