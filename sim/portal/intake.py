"""A batch of receptions in, verdicts out: the portal's own work, for one telegram, a world's window or a city's shard.

    receptions ─► whose, which mode ─► by meter, by time ─► each telegram opened once ─► copies, checks ─► verdicts

It knows what a portal knows: keys, registry, calendar, and of a telegram the bytes, the gateway, the time and the
signal strength. What becomes of the verdicts is not its business: `portal` writes them to a store and raises alarms, a
city writes them as columns.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays.jit import CannotCompile, njit
from sim.core.clock import Calendar
from sim.core.parts import PartError
from sim.portal import reasons
from sim.portal.check import NONE, in_order
from sim.portal.copies import Copies
from sim.portal.decrypt_batch import Contents, Opening
from sim.portal.freshness import (
    Agreed,
    Asked,
    Blob,
    Freshness,
    Judged,
    Memory,
    Opened,
    Seen,
    judge,
    recall,
    to_mend,
)  # fmt: skip
from sim.portal.gateway_offsets import is_wrong, offsets, righted
from sim.portal.meter_table import Roll
from sim.portal.opener import Opener
from sim.portal.portal_spec import PortalSpec
from sim.portal.reading_columns import LATE, as_array
from sim.portal.reception_batch import Batch
from sim.portal.record_templates import ENERGY_KWH, MINUTE, SET_DATE_UNITS, SET_DAY, TAMPER, UNITS, VOLUME_M3
from sim.portal.sort_by_meter import grouped, uniques
from sim.portal.stored_columns import StoredColumns
from sim.portal.verdicts import COPY, STORED, names, number

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
_BACK = 64
_SAID: Final = 9  # columns of Rows that are whole numbers and of the telegram, from `minute` to `tamper`
_HEARD: Final = 4  # and of its reception, from `gateway` to `reason`
_NOTHING: Final[I64] = np.zeros(0, dtype=np.int64)
_LATE: Final = number(reasons.LATE)


@dataclass(frozen=True, slots=True)
class Rows(StoredColumns):
    """Stored readings, or refused telegrams with their values where they were only late. `reception` is the place in
    the batch, `gateway` a place in the roll's names, `reason` a verdict."""

    reception: I64
    gateway: I64
    received_ns: I64
    rssi_cdbm: I64
    reason: I64

    def __len__(self) -> int:
        return len(self.reception)


class Earlier(NamedTuple):
    """What earlier takes stored: bytes like those of a `reception`, heard by a `gateway` at `received_ns`."""

    reception: I64
    gateway: I64
    received_ns: I64


class _Whose(NamedTuple):
    """`number`: of each row of the roll its address; of each reception its row, its telegram, the verdict."""

    number: U64
    row: I64
    telegram: I64
    verdict: I64


class _Gathered(NamedTuple):
    """Columns of `Rows`: the address, whole numbers from the minute to tampering, volume and energy, the reception."""

    meter: U64
    said: I64
    reals: NDArray[np.float64]
    heard: I64


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch at `stored_ns`. `row`: of each reception its meter's row, negative for a stranger's;
    `verdict`: of each of a registered meter, STORED, COPY or a reason's number; `before`: the state that each refused
    one of these met, in the order of `refusals`, where it was asked for; `shown_ns`: the meter's own time in the
    telegram of each reception, likewise; `received_ns`: of each reception as it was judged; `clocks`: how far gateways'
    clocks are ahead of their meters', where these tell (ns)."""

    stored_ns: int
    row: I64
    verdict: I64
    readings: Rows
    refusals: Rows
    copies: int
    before: I64
    shown_ns: I64
    received_ns: I64
    clocks: dict[int, int]


class Intake:
    """One portal's judgement. `counts`: "stored", "copies", "refused: <reason>". `kept_ns`: for how long it remembers
    what was stored, to know copies; 0: for one take, and the caller says what was stored before."""

    def __init__(self, spec: PortalSpec, calendar: Calendar, roll: Roll, opener: Opener, *, kept_ns: int) -> None:
        self.roll = roll
        self.opening = Opening(spec, calendar, roll, opener)
        self.counts: Counter[str] = Counter()
        self.freshness = Freshness(spec, len(roll))
        self._copies = Copies(kept_ns)
        self._spec = spec
        self._agreed = _agreed(roll)
        self.done()

    def enrol(self, roll: Roll) -> None:
        """The same meters in their order, changed or not, and those that joined."""
        self.roll = self.opening.roll = roll
        self._agreed = _agreed(roll)
        self.freshness.grow(len(roll))

    def take(
        self, batch: Batch, now_ns: int, *, mark: I64 | None = None, stored: Earlier | None = None, words: bool = False
    ) -> Taken:
        """Judge what arrived, at world time `now_ns`. `mark`: 64 bits that name each reception's bytes, where the
        caller has better ones than a fast hash; `stored`: what earlier takes stored of the same bytes; `words`: the
        caller has a store: it will ask for `changed` and for the details of refusals, or go `back`."""
        hashed, row, mode, place = self.opening.scan(batch)
        hashes = hashed if mark is None else mark
        for at in np.flatnonzero(mode < 0).tolist():
            row[at] = self.opening.row_of(batch[at])
        order = grouped(row, len(self.roll), batch.received_ns)
        telegram = np.full(len(batch), -1, dtype=np.int64)
        shown = uniques(order, row, hashes, _BACK, telegram)
        contents = self.opening.open(batch, shown, row, mode, place)
        verdict = np.zeros(len(batch), dtype=np.int64)
        before = np.empty((len(order) if words else 0, self.freshness.state.shape[1]), dtype=np.int64)
        if words:
            meters = row[order]
            meters = meters[np.flatnonzero(np.diff(meters, prepend=-1))]
            self._was = meters, self.freshness.copy(meters), self.counts.copy()
        received_ns, stored, clocks = self._clocks(batch, row, hashes, telegram, contents, stored)
        seen = Seen(row, hashes, batch.gateway, received_ns, telegram)
        self._judge(order, seen, contents, stored, now_ns, Judged(verdict, before))
        ordered = verdict[order]
        accepted, refused = order[ordered == STORED], order[ordered > COPY]
        readings = self._rows(batch, accepted, row, telegram, contents, verdict)
        refusals = self._rows(batch, refused, row, telegram, contents, verdict)
        refusals = self._with_strangers(batch, refusals, np.flatnonzero(row < 0))
        copies = len(order) - len(accepted) - len(refused)
        self._count(len(readings), copies, refusals)
        times = contents.shown_ns[telegram] if words and len(shown) else before[:0, 0]
        return Taken(now_ns, row, verdict, readings, refusals, copies, before, times, received_ns, clocks)

    def _clocks(
        self, batch: Batch, row: I64, hashes: I64, telegram: I64, contents: Contents, stored: Earlier | None
    ) -> tuple[I64, Earlier | None, dict[int, int]]:
        """Receive times to judge by, of the batch and of what was stored, and how far gateways' clocks are off."""
        if not len(contents.counter):
            return batch.received_ns, stored, {}
        opened = np.where(telegram >= 0, telegram, 0)
        told = np.where(telegram >= 0, row, NONE)
        off = offsets(told, batch.gateway, batch.received_ns, contents.shown_ns[opened], contents.counter[opened])
        wrong = {one: off_ns for one, off_ns in off.items() if is_wrong(off_ns, self._spec.ts_tolerance_s)}
        if not wrong or not self._spec.gateway_clocks:
            return batch.received_ns, stored, off
        if stored is None:
            return righted(wrong, hashes, batch.gateway, batch.received_ns), stored, off
        times = righted(
            wrong, np.concatenate([hashes[stored.reception], hashes]),
            np.concatenate([stored.gateway, batch.gateway]), np.concatenate([stored.received_ns, batch.received_ns]),
        )  # fmt: skip
        count = len(stored.reception)
        return times[count:], stored._replace(received_ns=times[:count]), off

    def changed(self) -> list[Blob]:
        """What the last take made the checks remember otherwise."""
        meters, was, _ = self._was
        return self.freshness.changed(meters, was)

    def back(self) -> None:
        """As before the last take, whose store was rolled back."""
        meters, was, counts = self._was
        self.freshness.back(meters, was)
        self.counts = counts

    def done(self) -> None:
        """A take is over: nothing more is asked of its telegrams, and there is no way back."""
        self.opening.forget()
        self._was = _NOTHING, self.freshness.copy(_NOTHING), self.counts

    def _judge(
        self, order: I64, seen: Seen, contents: Contents, stored: Earlier | None, now_ns: int, judged: Judged
    ) -> None:
        fresh = self.freshness
        opened = Opened(contents.content, contents.acc, contents.counter, contents.shown_ns)
        kept = self._copies.room(now_ns, len(order) + (0 if stored is None else len(stored.reception)))
        if stored is not None and len(stored.reception):
            kept = kept._replace(used=recall(*stored, seen, fresh.state, kept, now_ns))
        memory, asked = Memory(fresh.state, fresh.rings, kept), Asked(fresh.on, fresh.limits, now_ns)
        try:
            count, number = judge(order, seen, opened, self._agreed, memory, asked, judged)
        except CannotCompile as error:  # ours can be: a check of somebody's
            raise PartError(to_mend(error, in_order())) from error
        if count < 0:
            raise ValueError(fresh.without_reason(count, number))
        self._copies.keep(count)

    def _rows(self, batch: Batch, at: I64, row: I64, telegram: I64, contents: Contents, verdict: I64) -> Rows:
        said, heard = (np.empty((count, len(at)), dtype=np.int64) for count in (_SAID, _HEARD))
        out = _Gathered(np.empty(len(at), dtype=np.uint64), said, np.empty((2, len(at))), heard)
        whose = _Whose(self.roll.number, row, telegram, verdict)
        _gathered(at, whose, batch.gateway, batch.received_ns, batch.rssi_cdbm, contents, out)
        columns: list[Any] = [out.meter, *said, *out.reals, at, *heard]
        return Rows(*columns)

    def _with_strangers(self, batch: Batch, known: Rows, strangers: I64) -> Rows:
        """Refusals of registered meters and of others. Values are kept of the late ones only."""
        late = known.reason == _LATE
        for name in map(as_array, LATE):
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
            self.counts[f"refused: {names()[place]}"] += count


def _agreed(roll: Roll) -> Agreed:
    return Agreed(roll.interval_ns, roll.silent_ns, roll.sends_time, roll.bound_first, roll.bound)


@njit(cache=True, error_model="numpy")
def _gathered(receptions: Any, whose: Any, gateway: Any, received: Any, rssi: Any, contents: Any, out: Any) -> None:
    """Columns of `Rows` of these receptions, from `Contents` of their telegrams."""
    number, row, telegram, verdict = whose
    meter, said, out_reals, heard = out
    wholes, reals, acc, counter = contents.wholes, contents.reals, contents.acc, contents.counter
    security, status = contents.security, contents.status
    for to in range(len(receptions)):
        at = receptions[to]
        one = telegram[at]
        meter[to] = number[row[at]]
        said[0, to], said[1, to] = wholes[one, MINUTE], wholes[one, UNITS]
        said[2, to], said[3, to] = wholes[one, SET_DAY], wholes[one, SET_DATE_UNITS]
        said[4, to], said[5, to], said[6, to] = acc[one], counter[one], security[one]
        said[7, to], said[8, to] = status[one], wholes[one, TAMPER]
        heard[0, to], heard[1, to] = gateway[at], received[at]
        heard[2, to], heard[3, to] = rssi[at], verdict[at]
        out_reals[0, to], out_reals[1, to] = reals[one, VOLUME_M3], reals[one, ENERGY_KWH]


__all__ = ["Earlier", "Intake", "Rows", "Taken"]
