"""The gateways of a shard as arrays: what each heard goes into bundles, which close by the rule in
sim.gateway.bundling.

When a gateway fails, what stands in its open bundle is gone and what is closed waits in its outbox until it is up
again; each take gets what is closed and whose gateway is up. At the end of the run open bundles are closed.

Receptions of the guard's meters fill bundles too, since they decide when a bundle is full; but they belong to another
shard, which hands them over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.core.bundle import TELEGRAM_OVERHEAD_BYTES, envelope_bytes_max
from sim.core.clock import ns
from sim.core.history import FrameBatch
from sim.gateway import bundling
from sim.gateway.bundling import NOT_YET, Limits, OpenBundle, limits_of
from sim.portal.sort_by_meter import grouped
from sim.site_plan import gateway_groups, gateway_ids
from sim.world_spec import WorldSpec

I64 = NDArray[np.int64]
BOOL = NDArray[np.bool_]
_LOST: Final = -2

_closed_by_age_ns = njit(cache=True, error_model="numpy")(bundling.closed_by_age_ns)
_admit = njit(cache=True, error_model="numpy")(bundling.admit)


class Receptions(NamedTuple):
    """Columns of equal length. `slot`: the gateway's place among the shard's by name; `end_ns`: the end of reception;
    `meter`: row of the fleet; `k`: number of the telegram; `sequence`: the bundle it is in (-1: none yet)."""

    slot: I64
    end_ns: I64
    meter: I64
    k: I64
    level_cdbm: I64
    length_bytes: I64
    sequence: I64

    @property
    def rows(self) -> int:
        return len(self.slot)

    def part(self, rows: slice) -> Receptions:
        """A slice of all columns, without a copy."""
        return Receptions(*(column[rows] for column in self))

    def of(self, rows: I64, out: I64) -> Receptions:
        """These rows, in this order, as the first ones of columns `out`."""
        _copy(rows, self, out)
        return Receptions(*out[:, : len(rows)])

    @classmethod
    def room(cls, rows: int) -> I64:
        """Columns for so many, in one array."""
        return np.empty((len(cls._fields), rows), dtype=np.int64)


class Heard(NamedTuple):
    """Columns of a window's detail that count here, see history.FrameBatch."""

    receiver: I64
    start_ns: I64
    source: I64
    k: I64
    rssi_cdbm: I64
    length_bytes: I64


class Gateways(NamedTuple):
    """State of a shard's gateways, by slot. `limits[slot]` are those of bundling.Limits; `open[slot]` the fields of
    bundling.OpenBundle and the sequence of that bundle. Outages of slot s are the rows `cut_first[s]` to
    `cut_first[s + 1]` of `cut_ns` (down, up), those before `next_cut[s]` begun; `up[slot]`: at the latest take."""

    limits: I64
    open: I64
    cut_ns: I64
    cut_first: I64
    next_cut: I64
    up: BOOL


class Bundles:
    """`receivers`: the shard's, as the world numbers them. `down[r]`: (down, up) of each, in order. `waiting`: after
    each take, own receptions that a gateway still holds."""

    def __init__(
        self, spec: WorldSpec, receivers: I64, own: BOOL, duration_ns: I64, down: Sequence[Sequence[tuple[int, int]]]
    ) -> None:
        every, groups = gateway_ids(spec), gateway_groups(spec)
        by_name = sorted(range(len(receivers)), key=lambda at: every[int(receivers[at])])
        mine = [groups[int(receivers[at])] for at in by_name]
        self.names = tuple(every[int(receivers[at])] for at in by_name)
        self.receiver: I64 = np.array(by_name, dtype=np.int64)
        self.slot: I64 = np.argsort(self.receiver)
        self._own, self._air_ns = own, duration_ns
        self._offset_ns: I64 = np.array([ns(group.clock_offset_s) for group in mine], dtype=np.int64)
        limits = [limits_of(group, name) for group, name in zip(mine, self.names, strict=True)]
        cuts = [list(down[at]) for at in by_name] if any(down) else [[] for _ in mine]
        cut_first = np.cumsum([0, *(len(one) for one in cuts)]).astype(np.int64)
        self._gateways = Gateways(
            np.array(limits, dtype=np.int64).reshape(-1, len(Limits._fields)),
            np.zeros((len(mine), len(OpenBundle._fields) + 1), dtype=np.int64),
            np.array([pair for one in cuts for pair in one], dtype=np.int64).reshape(-1, 2),
            cut_first, cut_first[:-1].copy(), np.zeros(len(mine), dtype=np.bool_),
        )  # fmt: skip
        self.taken_bytes: I64 = np.zeros(len(mine), dtype=np.int64)
        self.waiting: list[int] = []
        self._table, self._other, self._rows = Receptions.room(0), Receptions.room(0), 0
        self.lost = 0

    def hear(self, batch: FrameBatch) -> None:
        """What the gateways received in a window."""
        rows = self._rows + len(batch)
        if rows > self._table.shape[1]:
            more = Receptions.room(rows + rows // 8)
            more[:, : self._rows] = self._table[:, : self._rows]
            self._table = more
        news = Heard(batch.receiver, batch.start_ns, batch.source, batch.k, batch.rssi_cdbm, batch.length_bytes)
        _hear(news, self.slot, self._air_ns, self._table, self._rows, self.taken_bytes)
        self._rows = rows

    def take(self, now_ns: int, *, last: bool = False) -> Receptions:
        """What own meters sent, is closed by `now_ns` and whose gateway is up, by meter and k, and those of equal k by
        gateway's name; nothing that was received from then on counts."""
        held = Receptions(*self._table[:, : self._rows])
        order = grouped(held.slot, len(self.names), held.end_ns)
        self.lost += int(_fill(order, held, self._gateways, self._own, now_ns, last))
        leaving, staying, meter, k, waiting = _parted(order, held, self._gateways, self._own)
        self.waiting.append(int(waiting))
        delivered = held.of(leaving[grouped(meter, len(self._own), k)], Receptions.room(len(leaving)))
        if len(staying) > self._other.shape[1]:
            self._other = Receptions.room(self._table.shape[1])
        held.of(staying, self._other)
        self._table, self._other, self._rows = self._other, self._table, len(staying)
        return delivered

    @property
    def closed(self) -> I64:
        """How many bundles each gateway has closed, by the shard's receivers as `receivers` had them."""
        out: I64 = self._gateways.open[self.slot, 3]
        return out

    @property
    def bytes(self) -> I64:
        """What each gateway's bundles take at most, encoded; receptions that were lost with a gateway count."""
        envelopes = np.array([envelope_bytes_max(name) for name in self.names], dtype=np.int64)
        out: I64 = (self.taken_bytes + envelopes * self._gateways.open[:, 3])[self.slot]
        return out

    def received_ns(self, some: Receptions) -> I64:
        """When, by the gateways' own clocks."""
        received: I64 = some.end_ns + self._offset_ns[some.slot]
        return received


@njit(cache=True, error_model="numpy")
def _hear(news: Heard, slot: I64, air_ns: I64, table: I64, rows: int, taken_bytes: I64) -> None:
    """Into columns of `Receptions` behind the first so many rows; what each gateway took grows."""
    for at in range(len(news.receiver)):
        to, its, source = rows + at, slot[news.receiver[at]], news.source[at]
        table[0, to], table[1, to], table[2, to] = its, news.start_ns[at] + air_ns[source], source
        table[3, to], table[4, to], table[5, to] = news.k[at], news.rssi_cdbm[at], news.length_bytes[at]
        table[6, to] = -1
        taken_bytes[its] += 2 * news.length_bytes[at] + TELEGRAM_OVERHEAD_BYTES


@njit(cache=True, error_model="numpy")
def _copy(rows: I64, held: Receptions, out: I64) -> None:
    for at in range(len(rows)):
        row = rows[at]
        out[0, at], out[1, at], out[2, at] = held.slot[row], held.end_ns[row], held.meter[row]
        out[3, at], out[4, at], out[5, at] = held.k[row], held.level_cdbm[row], held.length_bytes[row]
        out[6, at] = held.sequence[row]


@njit(cache=True, error_model="numpy")
def _parted(order: I64, held: Receptions, gateways: Gateways, own: BOOL) -> Any:
    """Which receptions leave for the portal and which stay; the guard's that leave are another shard's. Of those that
    leave meter and k; of those that stay, how many are of own meters."""
    leaving, staying = np.empty(len(order), dtype=np.int64), np.empty(len(order), dtype=np.int64)
    meter, k = np.empty(len(order), dtype=np.int64), np.empty(len(order), dtype=np.int64)
    left = stayed = waiting = 0
    for row in order:
        slot = held.slot[row]
        closed = 0 <= held.sequence[row] < gateways.open[slot, 3] and gateways.up[slot]
        if closed and own[held.meter[row]]:
            leaving[left], meter[left], k[left] = row, held.meter[row], held.k[row]
            left += 1
        elif not closed and held.sequence[row] != _LOST:
            staying[stayed] = row
            stayed += 1
            waiting += own[held.meter[row]]
    return leaving[:left], staying[:stayed], meter[:left], k[:left], waiting


@njit(cache=True, error_model="numpy")
def _fill(order: I64, held: Receptions, gateways: Gateways, own: BOOL, now_ns: int, last: bool) -> int:
    """Put what was received before `now_ns` into bundles; `order`: by gateway, then time. Updates `held.sequence`,
    `gateways.open`, `.next_cut` and `.up`; returns how many receptions of own meters were lost."""
    lost = at = 0
    open_, cuts, cut_first, next_cut = gateways.open, gateways.cut_ns, gateways.cut_first, gateways.next_cut
    for slot in range(len(open_)):
        limits = Limits(gateways.limits[slot, 0], gateways.limits[slot, 1], gateways.limits[slot, 2])
        bundle, sequence = OpenBundle(open_[slot, 0], open_[slot, 1], open_[slot, 2]), open_[slot, 3]
        end = at
        while end < len(order) and held.slot[order[end]] == slot:
            end += 1
        while at < end and held.sequence[order[at]] >= 0:
            at += 1  # in a bundle since an earlier take
        while True:
            row = order[at] if at < end else -1
            received_ns = min(held.end_ns[row], now_ns) if row >= 0 else now_ns
            cut_ns = cuts[next_cut[slot], 0] if next_cut[slot] < cut_first[slot + 1] else now_ns
            if cut_ns < now_ns and cut_ns <= received_ns:
                if _closed_by_age_ns(bundle, limits, cut_ns) != NOT_YET:
                    sequence, bundle = sequence + 1, OpenBundle(cut_ns, 0, 0)
                for back in range(at - bundle.telegrams, at):
                    held.sequence[order[back]] = _LOST
                    lost += own[held.meter[order[back]]]
                bundle = OpenBundle(cut_ns, 0, 0)
                next_cut[slot] += 1
                continue
            if _closed_by_age_ns(bundle, limits, received_ns) != NOT_YET:
                sequence, bundle = sequence + 1, OpenBundle(received_ns, 0, 0)
            if received_ns == now_ns:
                break
            closes_before, bundle, closes_after = _admit(bundle, limits, received_ns, held.length_bytes[row])
            sequence += closes_before
            held.sequence[row] = sequence
            if closes_after:
                sequence, bundle = sequence + 1, OpenBundle(received_ns, 0, 0)
            at += 1
        at = end
        gateways.up[slot] = next_cut[slot] == cut_first[slot] or cuts[next_cut[slot] - 1, 1] <= now_ns
        if last and gateways.up[slot] and bundle.telegrams:
            sequence, bundle = sequence + 1, OpenBundle(now_ns, 0, 0)
        open_[slot, 0], open_[slot, 1], open_[slot, 2] = bundle.opened_ns, bundle.telegrams, bundle.size_bytes
        open_[slot, 3] = sequence
    return lost
