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

    def of(self, rows: I64) -> Receptions:
        """These rows, in this order."""
        out = np.empty((len(self), len(rows)), dtype=np.int64)
        _copy(rows, self, out)
        return Receptions(*out)

    @classmethod
    def joined(cls, parts: Sequence[Receptions]) -> Receptions:
        """One after the other."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


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
        self._heard = [Receptions(*(np.zeros(0, dtype=np.int64) for _ in Receptions._fields))]
        self.lost = 0

    def hear(self, batch: FrameBatch) -> None:
        """What the gateways received in a window."""
        slot, end_ns = self.slot[batch.receiver], batch.start_ns + self._air_ns[batch.source]
        size = 2 * batch.length_bytes + TELEGRAM_OVERHEAD_BYTES
        self.taken_bytes += np.bincount(slot, size, len(self.names)).astype(np.int64)
        self._heard.append(Receptions(
            slot, end_ns, batch.source, batch.k, batch.rssi_cdbm, batch.length_bytes, np.full(len(slot), -1)
        ))  # fmt: skip

    def take(self, now_ns: int, *, last: bool = False) -> Receptions:
        """What own meters sent, is closed by `now_ns` and whose gateway is up, by meter and k, and those of equal k by
        gateway's name; nothing that was received from then on counts."""
        held = Receptions.joined(self._heard)
        order = grouped(held.slot, len(self.names), held.end_ns)
        self.lost += int(_fill(order, held, self._gateways, self._own, now_ns, last))
        leaving, staying = _parted(order, held, self._gateways, self._own)
        self._heard = [held.of(staying)]
        self.waiting.append(int(np.count_nonzero(self._own[held.meter[staying]])))
        return held.of(leaving[grouped(held.meter[leaving], len(self._own), held.k[leaving])])

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
def _copy(rows: I64, held: Receptions, out: I64) -> None:
    for at in range(len(rows)):
        row = rows[at]
        out[0, at], out[1, at], out[2, at] = held.slot[row], held.end_ns[row], held.meter[row]
        out[3, at], out[4, at], out[5, at] = held.k[row], held.level_cdbm[row], held.length_bytes[row]
        out[6, at] = held.sequence[row]


@njit(cache=True, error_model="numpy")
def _parted(order: I64, held: Receptions, gateways: Gateways, own: BOOL) -> Any:
    """Which receptions leave for the portal and which stay; the guard's that leave are another shard's."""
    leaving, staying = np.empty(len(order), dtype=np.int64), np.empty(len(order), dtype=np.int64)
    left = stayed = 0
    for row in order:
        slot = held.slot[row]
        closed = 0 <= held.sequence[row] < gateways.open[slot, 3] and gateways.up[slot]
        if closed and own[held.meter[row]]:
            leaving[left] = row
            left += 1
        elif not closed and held.sequence[row] != _LOST:
            staying[stayed] = row
            stayed += 1
    return leaving[:left], staying[:stayed]


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
