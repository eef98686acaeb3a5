"""The portal for very many telegrams at once: batches in, columns out; the vectorised twin of `intake`.

It knows what a portal knows: keys, registry, calendar (a `Roll`), and of a telegram the bytes, the gateway, the time
and the signal strength. Every defence of `PortalSpec` counts as there; what is not of this twin is said by its result:
no alarms, no evidence, no bundles (each is a batch's already), no roles.

    receptions ─► whose, which mode ─► by meter, by time ─► each telegram opened once ─► copies, freshness ─► columns

The rule kept here: readings, refusals with their reasons, and copies equal those of `intake.Portal` fed with the same
bundles in the same takes, as long as what was stored is remembered (`kept_ns`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.core.clock import Calendar
from sim.portal.decrypt_batch import Contents, Opening
from sim.portal.freshness_many import COPY, LATE, REASONS, STORED, FreshnessMany, judge
from sim.portal.meter_table import Roll
from sim.portal.portal_spec import PortalSpec
from sim.portal.reception_batch import Batch
from sim.portal.record_templates import ENERGY_KWH, MINUTE, NONE, SET_DATE_UNITS, SET_DAY, TAMPER, UNITS, VOLUME_M3
from sim.portal.sort_by_meter import grouped, uniques

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
_BACK = 64
_NUMBERS: Final = 13  # columns of Rows that are whole numbers, from `gateway` to `tamper`


@dataclass(frozen=True, slots=True)
class Rows:
    """Stored readings, or refused telegrams with their values where they were only late. Equal-length columns, NONE
    (and NaN) where there is none: `reception` is the place in the batch, `meter` the number of the whole address (0: no
    address), `gateway` a place in the roll's names, `reason` a place in REASONS, `minute` since 1970 by the meter,
    `set_day` since 1970, units of heat cost allocation, `security` a place in `Opening.securities`."""

    reception: I64
    meter: U64
    gateway: I64
    received_ns: I64
    rssi_cdbm: I64
    reason: I64
    minute: I64
    units: I64
    set_day: I64
    set_date_units: I64
    acc: I64
    counter: I64
    security: I64
    status: I64
    tamper: I64
    volume_m3: NDArray[np.float64]
    energy_kwh: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.reception)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch at `stored_ns`."""

    stored_ns: int
    readings: Rows
    refusals: Rows
    copies: int


class PortalMany:
    """One portal. `counts` as `intake.Portal` has them: "stored", "copies", "refused: <reason>"."""

    def __init__(self, spec: PortalSpec, calendar: Calendar, roll: Roll, *, kept_ns: int | None = None) -> None:
        self.roll = roll
        self.opening = Opening(spec, calendar, roll)
        self.counts: Counter[str] = Counter()
        self._fresh = FreshnessMany(spec, roll, kept_ns)

    def take(self, batch: Batch, now_ns: int) -> Taken:
        """Judge what arrived, at world time `now_ns`."""
        mark, row, mode, place = self.opening.shapes(batch)
        for at in np.flatnonzero(mode < 0).tolist():
            row[at] = self.opening.row_of(batch[at])
        order = grouped(row, len(self.roll), batch.received_ns)
        unique = np.full(len(batch), -1, dtype=np.int64)
        shown = uniques(order, row, mark, _BACK, unique)
        contents = self.opening.open(batch, shown, row, mode, place)
        verdict = np.zeros(len(batch), dtype=np.int64)
        self._judge(order, row, mark, batch, unique, contents, now_ns, verdict)
        ordered = verdict[order]
        stored, refused = order[ordered == STORED], order[ordered > COPY]
        strangers = np.flatnonzero(row < 0)
        readings = self._rows(batch, stored, row, unique, contents, verdict)
        refusals = self._with_strangers(batch, self._rows(batch, refused, row, unique, contents, verdict), strangers)
        copies = len(order) - len(stored) - len(refused)
        self.opening.forget()
        self._count(len(readings), copies, refusals)
        return Taken(now_ns, readings, refusals, copies)

    def _judge(
        self, order: I64, row: I64, mark: I64, batch: Batch, unique: I64, contents: Contents, now_ns: int, verdict: I64
    ) -> None:
        fresh, roll = self._fresh, self.roll
        kept, count = fresh.remembered(now_ns, len(order))
        count = judge(
            order, row, mark, batch.gateway, batch.received_ns, unique, contents.content, contents.acc,
            contents.counter, contents.shown_ns, roll.interval_ns, roll.bound_first, roll.bound, roll.sends_time,
            roll.silent_ns, fresh.checks, fresh.limits, fresh.state, fresh.mcr_ring, fresh.acc_ring, fresh.ts_ring,
            kept, count, fresh.dropped, now_ns, verdict,
        )  # fmt: skip
        fresh.keep(count)

    def _rows(self, batch: Batch, at: I64, row: I64, unique: I64, contents: Contents, verdict: I64) -> Rows:
        meter, numbers = np.empty(len(at), dtype=np.uint64), np.empty((_NUMBERS, len(at)), dtype=np.int64)
        reals = np.empty((2, len(at)))
        _gathered(
            at, row, unique, self.roll.number, batch.gateway, batch.received_ns, batch.rssi_cdbm, verdict,
            contents.wholes, contents.reals, contents.acc, contents.counter, contents.security, contents.status, meter,
            numbers, reals,
        )  # fmt: skip
        columns: list[Any] = [at, meter, *numbers, *reals]
        return Rows(*columns)

    def _with_strangers(self, batch: Batch, known: Rows, strangers: I64) -> Rows:
        """Refusals of our own meters and of nobody's. Values are kept of the late ones only."""
        late = known.reason == LATE
        for name in ("minute", "units", "set_day", "set_date_units", "security"):
            getattr(known, name)[~late] = NONE
        if not len(strangers):
            return known
        told = [self.opening.stranger(batch[at]) for at in strangers.tolist()]
        nothing, empty = np.full(len(told), NONE, dtype=np.int64), np.full(len(told), np.nan)
        its = {
            "reception": strangers, "meter": np.array([number for _, number in told], dtype=np.uint64),
            "gateway": batch.gateway[strangers], "received_ns": batch.received_ns[strangers],
            "rssi_cdbm": batch.rssi_cdbm[strangers], "reason": np.array([place for place, _ in told], dtype=np.int64),
            "volume_m3": empty, "energy_kwh": empty,
        }  # fmt: skip
        return Rows(*(
            np.concatenate([getattr(known, name), its.get(name, nothing)]) for name in Rows.__dataclass_fields__
        ))  # fmt: skip

    def _count(self, stored: int, copies: int, refusals: Rows) -> None:
        self.counts["stored"] += stored
        self.counts["copies"] += copies
        places, counts = np.unique(refusals.reason, return_counts=True)
        for place, count in zip(places.tolist(), counts.tolist(), strict=True):
            self.counts[f"refused: {REASONS[place]}"] += count


@njit(cache=True, error_model="numpy")
def _gathered(
    receptions: Any, row: Any, unique: Any, number: Any, gateway: Any, received: Any, rssi: Any, verdict: Any,
    wholes: Any, reals: Any, acc: Any, counter: Any, security: Any, status: Any, meter: Any, numbers: Any,
    out_reals: Any,
) -> None:  # fmt: skip
    """Columns of `Rows` of these receptions: `numbers` from the gateway to tampering."""
    for to in range(len(receptions)):
        at = receptions[to]
        one = unique[at]
        meter[to] = number[row[at]]
        numbers[0, to], numbers[1, to] = gateway[at], received[at]
        numbers[2, to], numbers[3, to] = rssi[at], verdict[at]
        numbers[4, to], numbers[5, to] = wholes[one, MINUTE], wholes[one, UNITS]
        numbers[6, to], numbers[7, to] = wholes[one, SET_DAY], wholes[one, SET_DATE_UNITS]
        numbers[8, to], numbers[9, to], numbers[10, to] = acc[one], counter[one], security[one]
        numbers[11, to], numbers[12, to] = status[one], wholes[one, TAMPER]
        out_reals[0, to], out_reals[1, to] = reals[one, VOLUME_M3], reals[one, ENERGY_KWH]


__all__ = ["REASONS", "PortalMany", "Rows", "Taken"]
