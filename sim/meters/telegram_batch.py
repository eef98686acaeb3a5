"""Telegrams of many meters at once: row for row the bytes of `Fleet.telegram`.

Work goes group by group, since a group's telegrams share table, header and length, and in slices, so that what stands
between the steps stays small. Compiled code makes those of healthy meters (`per_day`); those of tampered ones
and burst pipes, and what it leaves, are made one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.meters.meter_type import Kind
from wmbus.link import Address, add_crcs_a, length_a

if TYPE_CHECKING:
    from sim.meters.fleet import Fleet

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
Whole = NDArray[np.integer[Any]]
_ROWS_AT_ONCE = 131_072


@dataclass(frozen=True, slots=True)
class Telegrams:
    """Bytes, laid end to end: telegram i is data[offset[i] : offset[i] + length[i]]. In the order asked
    for where all meters are of one group; else groups stand together and `offset` knows."""

    data: U8
    offset: I64
    length: I64

    def __len__(self) -> int:
        return len(self.offset)

    def __getitem__(self, index: int) -> bytes:
        begin = int(self.offset[index])
        return self.data[begin : begin + int(self.length[index])].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        """Each in turn, in a third of the time of asking for it by its number."""
        data, begin = self.data.tobytes(), self.offset.tolist()
        return (data[at : at + size] for at, size in zip(begin, self.length.tolist(), strict=True))


def telegrams(fleet: Fleet, meter: Whole, k: Whole, *, crcs: bool = False) -> Telegrams:
    """Telegram k[i] of meter[i], without CRCs, or as on the air in frame format A."""
    population = fleet.population
    # One kind of array, so that compiled code is compiled once.
    meters: I64 = np.require(meter, np.int64, ("C", "W"))
    numbers: I64 = np.require(k, np.int64, ("C", "W"))
    group = population.group[meters]
    if not len(meters) or (group == group[0]).all():
        one = int(meters[0]) if len(meters) else 0
        size = _on_air(int(population.length_bytes[one]), crcs)
        data = np.empty(size * len(meters), dtype=np.uint8)
        _fill(fleet, int(population.group[one]), meters, numbers, data.reshape(-1, size), crcs)
        return Telegrams(data, np.arange(len(meters)) * size, np.full(len(meters), size))
    sizes = np.array([_on_air(size, crcs) for size in range(256)])
    length = sizes[population.length_bytes[meters]]
    data = np.empty(int(length.sum()), dtype=np.uint8)
    offset = np.empty(len(meters), dtype=np.int64)
    at = 0
    for number in np.unique(group).tolist():
        mine = np.flatnonzero(group == number)
        size = int(length[mine[0]])
        block = data[at : at + size * len(mine)].reshape(-1, size)
        _fill(fleet, number, meters[mine], numbers[mine], block, crcs)
        offset[mine] = at + size * np.arange(len(mine))
        at += block.size
    return Telegrams(data, offset, length)


def _on_air(size: int, crcs: bool) -> int:
    """Bytes of a telegram of this size with or without CRCs."""
    return length_a(size - 1) if crcs and size > 9 else size


def _fill(fleet: Fleet, group: int, meter: I64, k: I64, block: U8, crcs: bool) -> None:
    """The telegrams of one group's meters, one a row of `block`."""
    from sim.meters.per_day import by_days  # which loads the compiler

    singular = np.array(sorted(fleet.singular), dtype=np.int64)
    for low in range(0, len(meter), _ROWS_AT_ONCE):
        rows = slice(low, low + _ROWS_AT_ONCE)
        left = by_days(fleet, group, meter[rows], k[rows], block[rows], crcs)
        if len(singular):
            left = np.union1d(left, np.flatnonzero(np.isin(meter[rows], singular)))
        for row in (low + left).tolist():
            telegram = fleet.telegram(int(meter[row]), int(k[row]))
            block[row] = np.frombuffer(add_crcs_a(telegram) if crcs else telegram, dtype=np.uint8)


def addresses(kind: Kind, number: NDArray[np.uint32]) -> U8:
    """The eight bytes of each meter's address, (n, 8)."""
    wire = Address(kind.manufacturer, "00000000", kind.version, kind.device_type).wire()
    out = np.empty((len(number), 8), dtype=np.uint8)
    out[:] = np.frombuffer(wire, dtype=np.uint8)
    from sim.meters.write_kernels import encode_many  # which loads the compiler

    out[:, 2:6] = encode_many("bcd8", number.astype(np.int64))
    return out
