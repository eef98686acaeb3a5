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

from sim.clock import ns
from sim.gateway.virtual import OVERHEAD_BYTES
from sim.history import FrameBatch
from sim.portal.grouping import grouped
from sim.spec import GatewaySpec, WorldSpec
from wmbus.jit import njit

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

    def __getitem__(self, rows: NDArray[Any] | slice) -> Receptions:
        return Receptions(*(getattr(self, name)[rows] for name in self.__slots__))

    def __add__(self, other: Receptions) -> Receptions:
        return Receptions(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in self.__slots__))


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
        self._held = Receptions(*(np.zeros(0, dtype=np.int64) for _ in Receptions.__slots__))
        self.lost = 0

    def hear(self, batch: FrameBatch) -> None:
        """What the gateways received in a window."""
        slot, end_ns = self.slot[batch.receiver], batch.start_ns + self._air_ns[batch.source]
        fresh = Receptions(
            slot, end_ns, batch.source, batch.k, batch.rssi_cdbm, batch.length_bytes, np.full(len(slot), -1)
        )  # fmt: skip
        both = self._held + fresh
        self._held = both[grouped(both.slot, len(self.names), both.end_ns)]

    def take(self, now_ns: int, *, last: bool = False) -> Receptions:
        """What own meters sent, is closed by `now_ns` and whose gateway is up, by meter and k, and those of equal k by
        gateway's name; nothing that was received from then on counts."""
        held = self._held
        first = np.searchsorted(held.slot, np.arange(len(self.names) + 1)).astype(np.int64)
        up = np.zeros(len(self.names), dtype=np.bool_)
        self.lost += int(_fill(
            first, held.end_ns, held.meter, held.level_cdbm, held.length_bytes, held.sequence, self._limits, self._open,
            self._cut_ns, self._cut_first, self._next_cut, now_ns, last, up, self._own,
        ))  # fmt: skip
        out, stay = np.empty(len(held), dtype=np.bool_), np.empty(len(held), dtype=np.bool_)
        _parted(held.slot, held.meter, held.sequence, self._open, up, self._own, out, stay)
        self._held = held[stay]
        leaving = np.flatnonzero(out)
        return held[leaving[grouped(held.meter[leaving], len(self._own), held.k[leaving])]]

    def received_ns(self, some: Receptions) -> I64:
        """When, by the gateways' own clocks."""
        received: I64 = some.end_ns + self._limits[some.slot, 3]
        return received


@njit(cache=True, error_model="numpy")
def _parted(slot: Any, meter: Any, sequence: Any, open_: Any, up: Any, own: Any, out: Any, stay: Any) -> None:
    """Which receptions leave for the portal and which stay; the guard's that leave are another shard's."""
    for at in range(len(slot)):
        one = slot[at]
        closed = 0 <= sequence[at] < open_[one, 3] and up[one]
        out[at] = closed and own[meter[at]]
        stay[at] = not closed and sequence[at] != _LOST


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
    first: Any, ends: Any, meter: Any, level: Any, length: Any, bundle: Any, limits: Any, open_: Any, cuts: Any,
    cut_first: Any, next_cut: Any, now_ns: Any, last: Any, up: Any, own: Any,
) -> Any:  # fmt: skip
    """Put what was heard before `now_ns` into bundles; `up` says which gateways are at that instant. Returns how many
    receptions of own meters were lost."""
    lost = 0
    for slot in range(len(limits)):
        age_ns, most, room, offset_ns = limits[slot, 0], limits[slot, 1], limits[slot, 2], limits[slot, 3]
        opened, size, count, sequence = open_[slot, 0], open_[slot, 1], open_[slot, 2], open_[slot, 3]
        at = first[slot]
        while at < first[slot + 1] and bundle[at] >= 0:
            at += 1  # in a bundle since an earlier take
        while True:
            heard_ns = ends[at] if at < first[slot + 1] and ends[at] < now_ns else now_ns
            cut_ns = cuts[next_cut[slot], 0] if next_cut[slot] < cut_first[slot + 1] else now_ns
            if cut_ns < now_ns and cut_ns <= heard_ns:
                if count and cut_ns >= opened + age_ns:
                    sequence, count = sequence + 1, 0
                for back in range(at - count, at):
                    bundle[back] = _LOST
                    lost += own[meter[back]]
                count = 0
                next_cut[slot] += 1
                continue
            if count and heard_ns >= opened + age_ns:
                sequence, count = sequence + 1, 0
            if heard_ns == now_ns:
                break
            letters = 2 * length[at] + _digits(heard_ns + offset_ns) + _letters(level[at]) + 7
            if count and size + letters > room:
                sequence, count = sequence + 1, 0
            if count == 0:
                opened, size = heard_ns, 0
            bundle[at] = sequence
            count += 1
            size += letters
            if count >= most:
                sequence, count = sequence + 1, 0
            at += 1
        on = next_cut[slot] == cut_first[slot] or cuts[next_cut[slot] - 1, 1] <= now_ns
        up[slot] = on
        if last and on and count:
            sequence, count = sequence + 1, 0
        open_[slot, 0], open_[slot, 1], open_[slot, 2], open_[slot, 3] = opened, size, count, sequence
    return lost
