"""Registry and keys as arrays, and arrays as the registry and keyring that one-at-a-time code asks.

A meter is a row. Its whole address is one number of 64 bits whose sixteen hex digits read as the address does: maker's
code, id as printed, version, type (`5930 12345678 1E 08`), and rows are found by all of it, in a table of places
that is hashed once. `registry` and `keyring` answer as sim.portal.meter_registry and sim.portal.keyring do and make an
entry only when one is asked for: a million of them would be gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.core.vocabulary import MODE_OF, SECURITIES
from sim.portal.check import UNKNOWN
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import MeterEntry, Registry
from wmbus.link import Address

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
U8 = NDArray[np.uint8]
NO_ROW: Final = -1
_NAMES: Final = {MODE_OF[name]: name for name in SECURITIES}
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_32 = np.uint64(32)


def number_of(wire: bytes) -> int:
    """The eight bytes `M(2) ID(4) Ver Type` as one number."""
    return int.from_bytes(wire[1::-1] + wire[5:1:-1] + wire[6:8])


def numbers_of(wire: U8) -> U64:
    """The same for rows (n, 8)."""
    turned = np.ascontiguousarray(wire[:, [1, 0, 5, 4, 3, 2, 6, 7]])
    return turned.view(">u8").astype(np.uint64).reshape(-1)


def address_of(number: int) -> Address:
    """The address whose number it is."""
    raw = number.to_bytes(8)
    return Address.from_wire(raw[1::-1] + raw[5:1:-1] + raw[6:8])


@dataclass(frozen=True, slots=True)
class MeterTable:
    """`wire` (n, 8) addresses; `mode` 0, 5 or 7 as agreed; `keys` (n, 16) and `keyed` whether there is one; the
    gateways bound to row i are `bound[bound_first[i]:bound_first[i + 1]]`, places in `gateways`, which are names in
    order; `sends_time` 1, 0 or UNKNOWN; `silent_ns` planned silence. Raises ValueError for an address given twice."""

    wire: U8
    mode: I64
    interval_ns: I64
    keys: U8
    keyed: NDArray[np.bool_]
    bound_first: I64
    bound: I64
    gateways: tuple[str, ...]
    sends_time: NDArray[np.int8]
    silent_ns: I64
    number: U64
    places: NDArray[np.int32]

    @classmethod
    def made(cls, wire: U8, gateways: Sequence[str], **columns: Any) -> MeterTable:
        """With the table of places worked out."""
        if list(gateways) != sorted(set(gateways)):
            raise ValueError("gateways are named once each, in the order of their names")
        number = numbers_of(wire)
        places = np.full(1 << max(4, (2 * len(number)).bit_length()), NO_ROW, dtype=np.int32)
        twice = int(_enter(number, places))
        if twice >= 0:
            raise ValueError(f"{address_of(int(number[twice]))} is registered twice")
        return cls(wire=wire, gateways=tuple(gateways), number=number, places=places, **columns)

    @classmethod
    def of(cls, registry: Registry, keyring: Keyring, gateways: Sequence[str]) -> MeterTable:
        """From a registry and a keyring as live runs have them."""
        names = sorted(gateways)
        entries = list(registry)
        places = {name: place for place, name in enumerate(names)}
        bound = [[places[one] for one in sorted(entry.gateways) if one in places] for entry in entries]
        keys = [keyring.key(entry.address) for entry in entries]
        return cls.made(
            np.array([list(entry.address.wire()) for entry in entries], dtype=np.uint8).reshape(-1, 8), names,
            mode=np.array([MODE_OF[entry.security] for entry in entries], dtype=np.int64),
            interval_ns=np.array([entry.interval_ns for entry in entries], dtype=np.int64),
            keys=np.array([list(key or bytes(16)) for key in keys], dtype=np.uint8).reshape(-1, 16),
            keyed=np.array([key is not None for key in keys], dtype=np.bool_),
            bound_first=np.cumsum([0, *(len(one) for one in bound)]).astype(np.int64),
            bound=np.array([one for some in bound for one in some], dtype=np.int64),
            sends_time=np.array(
                [UNKNOWN if entry.sends_time is None else entry.sends_time for entry in entries], dtype=np.int8
            ),
            silent_ns=np.array([round(entry.planned_silence_s * 1e9) for entry in entries], dtype=np.int64),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.number)

    def row(self, address: Address) -> int:
        """The row of a whole address, NO_ROW when it is not registered."""
        return int(find(np.uint64(number_of(address.wire())), self.number, self.places))

    def entry(self, row: int) -> MeterEntry:
        """The meter as a live registry has it."""
        low, high = int(self.bound_first[row]), int(self.bound_first[row + 1])
        return MeterEntry(
            Address.from_wire(self.wire[row].tobytes()), _NAMES[int(self.mode[row])], self.interval_ns[row] / 1e9,
            frozenset(self.gateways[place] for place in self.bound[low:high].tolist()),
            sends_time=None if self.sends_time[row] == UNKNOWN else bool(self.sends_time[row]),
            planned_silence_s=self.silent_ns[row] / 1e9,
        )  # fmt: skip


class TableRegistry(Registry):
    """The registry's questions, answered from arrays. Rows are in the order in which meters were registered."""

    def __init__(self, meter_table: MeterTable) -> None:
        super().__init__()
        self._meter_table = meter_table

    def __len__(self) -> int:
        return len(self._meter_table)

    def __iter__(self) -> Iterator[MeterEntry]:
        return (self._meter_table.entry(row) for row in range(len(self._meter_table)))

    def find(self, address: Address, *, whole_address: bool = True) -> MeterEntry | None:
        row = self._meter_table.row(address) if whole_address else first_of_id(self._meter_table, address)
        return None if row < 0 else self._meter_table.entry(row)


class TableKeyring(Keyring):
    """The keyring's question, answered from arrays."""

    __slots__ = ("_meter_table",)

    def __init__(self, meter_table: MeterTable) -> None:
        super().__init__()
        self._meter_table = meter_table

    def __len__(self) -> int:
        return int(np.count_nonzero(self._meter_table.keyed))

    def key(self, address: Address, *, whole_address: bool = True) -> bytes | None:
        row = self._meter_table.row(address) if whole_address else first_of_id(self._meter_table, address, keyed=True)
        return None if row < 0 or not self._meter_table.keyed[row] else self._meter_table.keys[row].tobytes()


def first_of_id(meter_table: MeterTable, address: Address, *, keyed: bool = False) -> int:
    """The first row with this id, whatever its maker, version and type; NO_ROW when there is none."""
    same = (meter_table.number >> np.uint64(16) & np.uint64(0xFFFFFFFF)) == np.uint64(int(address.id, 16))
    rows = np.flatnonzero(same & meter_table.keyed if keyed else same)
    return int(rows[0]) if len(rows) else NO_ROW


@njit(cache=True, error_model="numpy", inline="always")
def find(number: Any, numbers: Any, places: Any) -> Any:
    """The row of an address's number, NO_ROW when it has none."""
    mask = len(places) - 1
    place = np.int64((number * _SPREAD) >> _32) & mask
    while True:
        row = places[place]
        if row < 0 or numbers[row] == number:
            return np.int64(row)
        place = (place + 1) & mask


@njit(cache=True, error_model="numpy")
def _enter(numbers: Any, places: Any) -> Any:
    """Fill the table of places; the row of an address that was there already, or -1."""
    mask = len(places) - 1
    for row in range(len(numbers)):
        place = np.int64((numbers[row] * _SPREAD) >> _32) & mask
        while places[place] >= 0:
            if numbers[places[place]] == numbers[row]:
                return row
            place = (place + 1) & mask
        places[place] = row
    return -1
