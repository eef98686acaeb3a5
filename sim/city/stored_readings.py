"""From what a shard's gateways heard to stored readings, take by take, and the fleet's truth held against them.

    window's receptions ─► bundles ─► telegrams as bytes ─► portal ─► columns on disk
                                             fleet in clear ─► truth ─┘

The portal takes at the instants at which a world's does, multiples of `window_s` of the spec and the end, whatever the
windows of the engine are; so what is stored does not know how the run was cut. It is given bytes, gateways, times and
signal strengths. Which meter and which telegram a reception was is known here only, for the truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.draws import mixed_word
from arrays.jit import njit
from sim.city.plan import CityPlan
from sim.city.shard import Shard
from sim.city.shard_bundles import Bundles, Receptions
from sim.core.clock import NS_PER_MS, Calendar, ns
from sim.core.history import FrameBatch
from sim.core.vocabulary import MODE_OF
from sim.meters.physics.formulas import MS_PER_DAY
from sim.meters.telegram_batch import Telegrams
from sim.portal.check import NONE, UNKNOWN
from sim.portal.freshness import look, mark
from sim.portal.intake import Intake, Rows, Taken
from sim.portal.meter_table import MeterTable, TableKeyring, TableRegistry
from sim.portal.opener import Opener
from sim.portal.reception_batch import Batch
from sim.portal.sort_by_meter import grouped
from sim.portal.store.parquet import Columns
from sim.portal.stored_columns import StoredColumns
from sim.portal.window import SEEN
from sim.site_plan import can_ever_hear, planned_silence_ns, under_way_most_ns
from sim.truth.differs import Yardstick, wires
from sim.world_spec import WorldSpec

I64 = NDArray[np.int64]
_PIECE: Final = 32_768  # receptions
_SPREAD_NS: Final = 600_000 * NS_PER_MS  # clocks of a fleet are hardly farther apart; if they are, it is only slower
_WHOLES, _REALS = (tuple(one.name for one in fields(StoredColumns) if one.type == kind) for kind in ("I64", "F64"))
_WHOLES_OF_DIGEST: Final = ("received_ns", "rssi_cdbm", *_WHOLES)


@dataclass(slots=True)
class Stored:
    """What one shard's portal stored. `missing`: telegrams that a gateway received and that are no reading; `altered`:
    readings that are not what the meter said, or twice the same. `bundles` and `bundle_bytes`: of each of the shard's
    gateways, all that it closed; `waiting`: after each take, receptions of own meters that a gateway still holds."""

    stored: int = 0
    copies: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    missing: int = 0
    altered: int = 0
    one_at_a_time: int = 0
    digest: int = 0
    bytes: int = 0
    files: list[str] = field(default_factory=list)
    bundles: I64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    bundle_bytes: I64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    waiting: I64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


class Readings:
    """The rest of the path of one shard. Raises StoreError."""

    def __init__(self, plan: CityPlan, shard: Shard, number: int, out: Path | None) -> None:
        spec = plan.spec
        self._shard, self._fleet = shard, shard.fleet
        down = shard.outages if plan.longest_outage_s else [[] for _ in shard.receivers]
        air_ns = np.asarray(shard.engine.radios.duration_ns, dtype=np.int64)
        self._bundles = Bundles(spec, shard.receivers, shard.own, air_ns, down)
        meter_table = _meter_table(spec, shard, self._bundles)
        under_way_ns = under_way_most_ns(spec, plan.longest_outage_s)
        calendar = Calendar(spec.start)
        opener = Opener(spec.portal, calendar, TableKeyring(meter_table), TableRegistry(meter_table))
        self._portal = Intake(spec.portal, calendar, meter_table, opener, kept_ns=under_way_ns)
        self._yardstick = Yardstick(shard.fleet)
        self._every_ns, self._end_ns = ns(spec.window_s), plan.duration_ns
        self._next_ns = min(self._every_ns, self._end_ns)
        self._said = Said(shard.fleet.n, under_way_ns, min(group.interval_s for group in spec.fleet))
        self._heard = 0
        self.result = Stored()
        self._columns = None
        if out is not None:
            self._columns = Columns(out, number, spec.start, meter_table, self._portal.opening.securities)
            self._columns.meters()

    def window(self, batch: FrameBatch, heard: int, until_ns: int) -> None:
        """What the air brought before `until_ns`, and how many telegrams of own meters were received at all."""
        self._heard += heard
        self._bundles.hear(batch)
        while self._next_ns <= until_ns:
            self._take(self._next_ns)
            if self._next_ns == self._end_ns:
                break
            self._next_ns = min(self._next_ns + self._every_ns, self._end_ns)

    def finish(self) -> Stored:
        """The files have their names; the counts are complete."""
        result = self.result
        if self._columns is not None:
            self._columns.close()
            result.bytes, result.files = self._columns.bytes, self._columns.files
        counts = self._portal.counts
        result.stored, result.copies = counts["stored"], counts["copies"]
        result.refused = {key.removeprefix("refused: "): n for key, n in counts.items() if key.startswith("refused: ")}
        result.missing = self._heard - self._said.distinct
        result.one_at_a_time = self._portal.opening.one_at_a_time
        result.digest %= 1 << 64
        result.bundles, result.bundle_bytes = self._bundles.closed, self._bundles.bytes
        result.waiting = np.array(self._bundles.waiting, dtype=np.int64)
        return result

    @property
    def stored(self) -> int:
        """Readings so far."""
        return self._portal.counts["stored"]

    def abandon(self) -> None:
        """Something failed: leave no half file."""
        if self._columns is not None:
            self._columns.abandon()

    # --- a take -----------------------------------------------------------------------------------------------------

    def _take(self, now_ns: int) -> None:
        """No check looks at two meters, so a take may be handed over piece by piece; a piece stays in the
        processor's cache. Receptions of a meter stand side by side, by gateway's name where times are equal."""
        delivered = self._bundles.take(now_ns, last=now_ns == self._end_ns)
        ends = np.flatnonzero(np.diff(delivered.meter, append=-1)) + 1
        pieces, begin = [], 0
        while begin < delivered.rows:
            end = int(ends[min(len(ends) - 1, int(np.searchsorted(ends, begin + _PIECE)))])
            pieces.append(self._piece(delivered, slice(begin, end), now_ns))
            begin = end
        if self._columns is not None and pieces:
            self._columns.take(pieces, now_ns)

    def _piece(self, every: Receptions, at: slice, now_ns: int) -> tuple[Taken, Batch]:
        meter, k = every.meter[at], every.k[at]
        unique, its_meter, its_k = _distinct(meter, k)
        telegrams = self._telegrams(its_meter, its_k, every.end_ns[at])
        some = every.part(at)
        batch = Batch(
            telegrams.data, telegrams.offset[unique], telegrams.length[unique], some.slot,
            self._bundles.received_ns(some), some.level_cdbm,
        )  # fmt: skip
        taken = self._portal.take(batch, now_ns)
        self._portal.done()
        rows = taken.readings
        if len(rows):
            its_meter, its_k = meter[rows.reception], k[rows.reception]
            altered = np.zeros(len(rows), dtype=np.bool_)
            for differs in self._yardstick.differs(rows, its_meter, its_k).values():
                altered |= differs
            self.result.altered += int(np.count_nonzero(altered)) + self._said.add(its_meter, its_k)
            receiver = self._shard.receivers[self._bundles.receiver[rows.gateway]]
            self.result.digest += digest_of(rows, receiver, now_ns)
        return taken, batch

    def _telegrams(self, meter: I64, k: I64, end_ns: I64) -> Telegrams:
        """Their bytes, as a gateway has them. Round midnight one day after the other: compiled code takes only meters
        whose clocks show one day."""
        fleet = self._fleet
        epoch_ns, day_ns = fleet.epoch_ms * NS_PER_MS, MS_PER_DAY * NS_PER_MS
        low, high = int(end_ns.min()) - _SPREAD_NS, int(end_ns.max()) + _SPREAD_NS
        if (epoch_ns + low) // day_ns == (epoch_ns + high) // day_ns:
            return fleet.telegrams(meter, k)
        day = fleet.clocks_ms(meter, fleet.starts(meter, k)) // MS_PER_DAY
        offset, length, data, size = np.empty(len(meter), np.int64), np.empty(len(meter), np.int64), [], 0
        for one in np.unique(day).tolist():
            rows = np.flatnonzero(day == one)
            some = fleet.telegrams(meter[rows], k[rows])
            offset[rows], length[rows] = some.offset + size, some.length
            data.append(some.data)
            size += len(some.data)
        return Telegrams(np.concatenate(data), offset, length)


class Said:
    """Which telegrams of each meter are readings already: a window of bits, as wide as one may be under way."""

    def __init__(self, meters: int, span_ns: int, interval_s: float) -> None:
        self._size = 8 * (int(span_ns / ns(interval_s)) // 8 + 2)
        self._ring = np.zeros((meters, self._size // 8 + 1), dtype=np.uint8)
        self._highest = np.full(meters, NONE, dtype=np.int64)
        self.distinct = 0

    def add(self, meter: I64, k: I64) -> int:
        """How many of these were there already."""
        again = int(_said(meter, k, self._highest, self._ring, self._size))
        self.distinct += len(meter) - again
        return again


@njit(cache=True, error_model="numpy")
def _distinct(meter: I64, k: I64) -> tuple[I64, I64, I64]:
    """The place of each row's telegram among the different ones, and these. Those of a meter stand side by side."""
    unique, meters, numbers = np.empty_like(meter), np.empty_like(meter), np.empty_like(k)
    count = 0
    for at in range(len(meter)):
        if at == 0 or meter[at] != meter[at - 1] or k[at] != k[at - 1]:
            meters[count], numbers[count] = meter[at], k[at]
            count += 1
        unique[at] = count - 1
    return unique, meters[:count].copy(), numbers[:count].copy()


@njit(cache=True, error_model="numpy")
def _said(meter: I64, k: I64, highest: I64, ring: NDArray[np.uint8], size: int) -> int:
    again = 0
    for at in range(len(meter)):
        row = meter[at]
        if look(highest[row], ring, row, size, k[at]) == SEEN:
            again += 1
        highest[row] = mark(highest[row], ring, row, size, k[at])
    return again


def digest_of(rows: Rows, receiver: I64, stored_ns: int) -> int:
    """The digest of a table's rows, in no order: every column that is stored."""
    wholes = tuple(getattr(rows, name) for name in _WHOLES_OF_DIGEST)
    reals = tuple(getattr(rows, name) for name in _REALS)
    return int(_digest(rows.meter, receiver, stored_ns, wholes, reals, tuple(one.view(np.uint64) for one in reals)))


@njit(cache=True, error_model="numpy")
def _digest(meter: Any, receiver: Any, stored_ns: Any, columns: Any, reals: Any, bits: Any) -> Any:
    """A sum over mixed rows. `bits`: of the reals; one that is not there adds nothing."""
    total = np.uint64(0)
    for at in range(len(meter)):
        word = mixed_word(meter[at] + mixed_word(np.uint64(receiver[at]) + mixed_word(np.uint64(stored_ns))))
        for column in columns:
            word = mixed_word(word + np.uint64(column[at]))
        for place in range(len(reals)):
            if not np.isnan(reals[place][at]):
                word = mixed_word(word + mixed_word(np.uint64(place)) + bits[place][at])
        total += word
    return total


# --- what the installer wrote down ----------------------------------------------------------------------------------


def _meter_table(spec: WorldSpec, shard: Shard, bundles: Bundles) -> MeterTable:
    """Own meters with their keys, and the gateways that can hear each at all, a gain of five sigmas included."""
    fleet, own = shard.fleet, np.flatnonzero(shard.own)
    population = fleet.population
    group = population.group[own]
    of_group = [(MODE_OF[g.security], ns(g.interval_s), planned_silence_ns(g)) for g in spec.fleet]
    mode, interval_ns, silent_ns = np.array(of_group, dtype=np.int64)[group].T.copy()
    first, bound = _heard_by(spec, shard, bundles)
    return MeterTable.made(
        wires(fleet)[own], bundles.names, mode=mode, interval_ns=interval_ns, silent_ns=silent_ns,
        keys=population.keys[own],
        keyed=mode != 0, bound_first=first, bound=bound, sends_time=np.full(len(own), UNKNOWN, dtype=np.int8),
    )  # fmt: skip


def _heard_by(spec: WorldSpec, shard: Shard, bundles: Bundles) -> tuple[I64, I64]:
    engine = shard.engine
    receiver = np.repeat(np.arange(len(engine.listeners.name)), np.diff(engine.links.offset))
    meter = engine.links.meter.astype(np.int64)
    bound = can_ever_hear(spec.site, engine.links.level_cdbm, engine.listeners.sensitivity_cdbm[receiver])
    within = np.flatnonzero(bound & shard.own[meter])
    meter, slot = meter[within], bundles.slot[receiver[within]]
    order = grouped(meter, shard.fleet.n, slot)
    counted = np.bincount(meter, minlength=shard.fleet.n)[shard.own]
    return np.concatenate([[0], np.cumsum(counted)]).astype(np.int64), slot[order].astype(np.int64)


def combined(parts: list[Stored], out: Path | None) -> dict[str, Any]:
    """What all shards stored together."""
    refused: dict[str, int] = {}
    for part in parts:
        for reason, count in part.refused.items():
            refused[reason] = refused.get(reason, 0) + count
    totals = {
        name: sum(getattr(part, name) for part in parts)
        for name in ("stored", "copies", "missing", "altered", "one_at_a_time", "bytes")
    }
    return {
        **totals, "refused": dict(sorted(refused.items())), "files": sum(len(part.files) for part in parts),
        "digest": f"{sum(part.digest for part in parts) % (1 << 64):016x}", "out": None if out is None else str(out),
    }  # fmt: skip
