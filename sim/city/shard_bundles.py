"""The gateways of a shard as arrays: what each heard goes into bundles that close as `VirtualGateway` closes them.

A bundle closes when its age, count or size asks for it, at that instant of world time. When a gateway fails, what
stands in its open bundle is gone and what is closed waits in its outbox until it is up again; each take gets what is
closed and whose gateway is up. At the end of the run open bundles are closed.

Receptions of the guard's meters fill bundles too, since they decide when a bundle is full; but they belong to another
shard, which hands them over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.core.clock import ns
from sim.core.history import FrameBatch
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.virtual import OVERHEAD_BYTES
from sim.portal.sort_by_meter import grouped
from sim.world_spec import WorldSpec

I64 = NDArray[np.int64]
_LOST: Final = -2


def gateway_names(spec: WorldSpec) -> list[str]:
    """The gateways of a world, in order of receivers."""
    return [f"{group.name}-{number + 1:04d}" for group in spec.gateway for number in range(group.count)]


@dataclass(frozen=True, slots=True)
class Receptions:
    """Columns of equal length. `slot`: the gateway's place among the shard's by name; `end_ns`: the end of reception;
    `meter`: row of the fleet; `k`: number of the telegram; `sequence`: the bundle it is in (-1: none yet)."""

    slot: I64
    end_ns: I64
    meter: I64
    k: I64
    level_cdbm: I64
    length_bytes: I64
    sequence: I64

    def __len__(self) -> int:
        return len(self.slot)

    def __getitem__(self, rows: slice) -> Receptions:
        return Receptions(*(getattr(self, name)[rows] for name in self.__slots__))

    def of(self, rows: I64) -> Receptions:
        """These rows, in this order."""
        out = np.empty((len(self.__slots__), len(rows)), dtype=np.int64)
        _copied(rows, *(getattr(self, name) for name in self.__slots__), out)
        return Receptions(*out)

    @classmethod
    def joined(cls, parts: Sequence[Receptions]) -> Receptions:
        """One after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))


class Bundles:
    """`receivers`: the shard's, as the world numbers them. `down[r]`: (down, up) of each, in order."""

    def __init__(
        self, spec: WorldSpec, receivers: I64, own: NDArray[np.bool_], duration_ns: I64,
        down: Sequence[Sequence[tuple[int, int]]],
    ) -> None:  # fmt: skip
        every = gateway_names(spec)
        by_name = sorted(range(len(receivers)), key=lambda at: every[int(receivers[at])])
        groups: list[GatewaySpec] = [group for group in spec.gateway for _ in range(group.count)]
        mine = [groups[int(receivers[at])] for at in by_name]
        self.names = tuple(every[int(receivers[at])] for at in by_name)
        self.receiver: I64 = np.array(by_name, dtype=np.int64)
        self.slot: I64 = np.argsort(self.receiver)
        self._own, self._air_ns = own, duration_ns
        n = len(mine)
        self._limits = np.array(
            [
                (ns(group.bundle_age_s), group.bundle_count, group.bundle_bytes - OVERHEAD_BYTES - len(name),
                 ns(group.clock_offset_s))
                for group, name in zip(mine, self.names, strict=True)
            ], dtype=np.int64,
        ).reshape(-1, 4)  # fmt: skip
        self._open = np.zeros((n, 4), dtype=np.int64)  # opened, bytes, count, next sequence
        self._cuts = [list(down[at]) for at in by_name] if any(down) else [[] for _ in mine]
        self._cut_first = np.cumsum([0, *(len(one) for one in self._cuts)]).astype(np.int64)
        self._cut_ns = np.array([pair for one in self._cuts for pair in one], dtype=np.int64).reshape(-1, 2)
        self._next_cut = self._cut_first[:-1].copy()
        self._heard = [Receptions(*(np.zeros(0, dtype=np.int64) for _ in Receptions.__slots__))]
        self.lost = 0

    def hear(self, batch: FrameBatch) -> None:
        """What the gateways received in a window."""
        slot, end_ns = self.slot[batch.receiver], batch.start_ns + self._air_ns[batch.source]
        self._heard.append(Receptions(
            slot, end_ns, batch.source, batch.k, batch.rssi_cdbm, batch.length_bytes, np.full(len(slot), -1)
        ))  # fmt: skip

    def take(self, now_ns: int, *, last: bool = False) -> Receptions:
        """What own meters sent, is closed by `now_ns` and whose gateway is up, by meter and k, and those of equal k by
        gateway's name; nothing that was received from then on counts."""
        held = Receptions.joined(self._heard)
        order = grouped(held.slot, len(self.names), held.end_ns)
        up = np.zeros(len(self.names), dtype=np.bool_)
        self.lost += int(_fill(
            order, held.slot, held.end_ns, held.meter, held.level_cdbm, held.length_bytes, held.sequence, self._limits,
            self._open, self._cut_ns, self._cut_first, self._next_cut, now_ns, last, up, self._own,
        ))  # fmt: skip
        leaving, staying = _parted(order, held.slot, held.meter, held.sequence, self._open, up, self._own)
        self._heard = [held.of(staying)]
        return held.of(leaving[grouped(held.meter[leaving], len(self._own), held.k[leaving])])

    def received_ns(self, some: Receptions) -> I64:
        """When, by the gateways' own clocks."""
        received: I64 = some.end_ns + self._limits[some.slot, 3]
        return received


@njit(cache=True, error_model="numpy")
def _copied(
    rows: Any, slot: Any, end_ns: Any, meter: Any, k: Any, level: Any, length: Any, sequence: Any, out: Any
) -> None:
    for at in range(len(rows)):
        row = rows[at]
        out[0, at], out[1, at], out[2, at], out[3, at] = slot[row], end_ns[row], meter[row], k[row]
        out[4, at], out[5, at], out[6, at] = level[row], length[row], sequence[row]


@njit(cache=True, error_model="numpy")
def _parted(order: Any, slot: Any, meter: Any, sequence: Any, open_: Any, up: Any, own: Any) -> Any:
    """Which receptions leave for the portal and which stay; the guard's that leave are another shard's."""
    leaving, staying = np.empty(len(order), dtype=np.int64), np.empty(len(order), dtype=np.int64)
    left = stayed = 0
    for row in order:
        one = slot[row]
        closed = 0 <= sequence[row] < open_[one, 3] and up[one]
        if closed and own[meter[row]]:
            leaving[left] = row
            left += 1
        elif not closed and sequence[row] != _LOST:
            staying[stayed] = row
            stayed += 1
    return leaving[:left], staying[:stayed]


@njit(cache=True, error_model="numpy", inline="always")
def _digits(number: Any) -> Any:
    """Letters of a whole number in decimal."""
    count = 1 if number >= 0 else 2
    number = abs(number)
    while number >= 10:
        number //= 10
        count += 1
    return count


@njit(cache=True, error_model="numpy", inline="always")
def _letters(level_cdbm: Any) -> Any:
    """Letters of hundredths written as Python writes the number: -70.25, -70.5, -70.0."""
    size = abs(level_cdbm)
    return (1 if level_cdbm < 0 else 0) + _digits(size // 100) + 1 + (1 if size % 10 == 0 else 2)


@njit(cache=True, error_model="numpy")
def _fill(
    order: Any, slots: Any, ends: Any, meter: Any, level: Any, length: Any, bundle: Any, limits: Any, open_: Any,
    cuts: Any, cut_first: Any, next_cut: Any, now_ns: Any, last: Any, up: Any, own: Any,
) -> Any:  # fmt: skip
    """Put what was heard before `now_ns` into bundles; `order`: by gateway, then time; `up` says which gateways are at
    that instant. Returns how many receptions of own meters were lost."""
    lost = at = 0
    for slot in range(len(limits)):
        age_ns, most, room, offset_ns = limits[slot, 0], limits[slot, 1], limits[slot, 2], limits[slot, 3]
        opened, size, count, sequence = open_[slot, 0], open_[slot, 1], open_[slot, 2], open_[slot, 3]
        end = at
        while end < len(order) and slots[order[end]] == slot:
            end += 1
        while at < end and bundle[order[at]] >= 0:
            at += 1  # in a bundle since an earlier take
        while True:
            row = order[at] if at < end else -1
            heard_ns = min(ends[row], now_ns) if row >= 0 else now_ns
            cut_ns = cuts[next_cut[slot], 0] if next_cut[slot] < cut_first[slot + 1] else now_ns
            if cut_ns < now_ns and cut_ns <= heard_ns:
                if count and cut_ns >= opened + age_ns:
                    sequence, count = sequence + 1, 0
                for back in range(at - count, at):
                    bundle[order[back]] = _LOST
                    lost += own[meter[order[back]]]
                count = 0
                next_cut[slot] += 1
                continue
            if count and heard_ns >= opened + age_ns:
                sequence, count = sequence + 1, 0
            if heard_ns == now_ns:
                break
            letters = 2 * length[row] + _digits(heard_ns + offset_ns) + _letters(level[row]) + 7
            if count and size + letters > room:
                sequence, count = sequence + 1, 0
            if count == 0:
                opened, size = heard_ns, 0
            bundle[row] = sequence
            count += 1
            size += letters
            if count >= most:
                sequence, count = sequence + 1, 0
            at += 1
        at = end
        on = next_cut[slot] == cut_first[slot] or cuts[next_cut[slot] - 1, 1] <= now_ns
        up[slot] = on
        if last and on and count:
            sequence, count = sequence + 1, 0
        open_[slot, 0], open_[slot, 1], open_[slot, 2], open_[slot, 3] = opened, size, count, sequence
    return lost
