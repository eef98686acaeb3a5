"""Telegrams of many meters at once: the vectorised twin of `Fleet.telegram`, row for row the same bytes.

Work goes group by group, since a group's telegrams share table, header and length, and in slices, so that what numpy
keeps between its steps stays small. Compiled code does what it can (per_day.py); numpy does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arrays.build_telegrams import add_crcs_a_many, build_many
from sim.meters.at_instant import NEVER_MS, Moment
from sim.meters.encodings import encode_into
from sim.meters.meter_type import Kind
from sim.meters.physics.heat import MS_PER_DAY
from sim.meters.quantities import QUANTITIES
from wmbus.link import Address, length_a

if TYPE_CHECKING:
    from sim.meters.fleet import Fleet

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
_ROWS_AT_ONCE = 32_768


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


def telegrams(fleet: Fleet, meter: NDArray[Any], k: NDArray[Any], *, crcs: bool = False) -> Telegrams:
    """Telegram k[i] of meter[i], without CRCs, or as on the air in frame format A."""
    who = fleet.population
    # One kind of array, so that compiled code is compiled once.
    meter, k = np.require(meter, np.int64, ("C", "W")), np.require(k, np.int64, ("C", "W"))
    group = who.group[meter]
    if not len(meter) or (group == group[0]).all():
        one = int(meter[0]) if len(meter) else 0
        size = _on_air(int(who.length_bytes[one]), crcs)
        data = np.empty(size * len(meter), dtype=np.uint8)
        _fill(fleet, int(who.group[one]), meter, k, data.reshape(-1, size), crcs)
        return Telegrams(data, np.arange(len(meter)) * size, np.full(len(meter), size))
    sizes = np.array([_on_air(size, crcs) for size in range(256)])
    length = sizes[who.length_bytes[meter]]
    data = np.empty(int(length.sum()), dtype=np.uint8)
    offset = np.empty(len(meter), dtype=np.int64)
    at = 0
    for number in np.unique(group).tolist():
        mine = np.flatnonzero(group == number)
        size = int(length[mine[0]])
        block = data[at : at + size * len(mine)].reshape(-1, size)
        _fill(fleet, number, meter[mine], k[mine], block, crcs)
        offset[mine] = at + size * np.arange(len(mine))
        at += block.size
    return Telegrams(data, offset, length)


def _on_air(size: int, crcs: bool) -> int:
    """Bytes of a telegram of this size with or without CRCs."""
    return length_a(size - 1) if crcs and size > 9 else size


def _fill(fleet: Fleet, group: int, meter: I64, k: I64, block: U8, crcs: bool) -> None:
    """The telegrams of one group's meters, one a row of `block`."""
    from sim.meters.per_day import by_days  # which loads the compiler

    tampered = np.array(sorted(fleet.tampered), dtype=np.int64)
    for low in range(0, len(meter), _ROWS_AT_ONCE):
        rows = slice(low, low + _ROWS_AT_ONCE)
        left = by_days(fleet, group, meter[rows], k[rows], block[rows], crcs)
        ill = np.flatnonzero(np.isin(meter[rows], tampered)) if len(tampered) else left[:0]
        for some in (left, ill):
            if len(some):
                block[low + some] = _by_numpy(fleet, group, meter[low + some], k[low + some], crcs)


def _by_numpy(fleet: Fleet, group: int, meter: I64, k: I64, crcs: bool) -> U8:
    who = fleet.population
    kind, security = fleet.kinds[group], fleet.groups[group].security
    records, sts = records_of(fleet, kind, meter, k)
    if security == "none" and kind.unencrypted_prefix:
        prefix = np.frombuffer(kind.unencrypted_prefix, dtype=np.uint8)
        records = np.concatenate((np.broadcast_to(prefix, (len(meter), len(prefix))), records), axis=1)
    made = build_many(
        addresses(kind, who.number[meter]), (who.acc0[meter] + k).astype(np.uint8), sts, records, security=security,
        keys=None if security == "none" else who.keys[meter],
        counters=(who.counter0[meter] + k).astype(np.uint32) if security == "mode7" else None,
        c_field=kind.c_field, tpl=kind.tpl_for(security),
        cfg_flags=kind.cfg_flags_unencrypted if security == "none" else 0,
    )  # fmt: skip
    return add_crcs_a_many(made) if crcs and made.shape[1] > 9 else made


def records_of(fleet: Fleet, kind: Kind, meter: I64, k: I64) -> tuple[U8, U8]:
    """What meters of one type say in telegram k[i], before encryption: records (n, bytes) and status bytes (n,)."""
    moment, sts = moments(fleet, kind, meter, fleet.starts(meter, k))
    return kind.records_many(values(kind, moment), len(meter)), sts


def values(kind: Kind, at: Moment) -> list[I64 | int]:
    """One array a slot, or one int where all meters say the same."""
    return [
        kind.constants[quantity] if quantity in kind.constants else QUANTITIES[quantity](at, back)
        for quantity, back in kind.slots
    ]


def moments(fleet: Fleet, kind: Kind, meter: I64, start_ns: I64) -> tuple[Moment, U8]:
    """What meters of one type know at these world times, and their status bytes."""
    who = fleet.population
    ms = fleet.clocks_ms(meter, start_ns)
    if len(ms):
        fleet.heat.cover(int(ms.min()))
        fleet.heat.cover(int(ms.max()))
    low_power = ms >= who.battery_low_day[meter].astype(np.int64) * MS_PER_DAY
    sts = np.where(low_power, kind.idle_sts | kind.low_power_sts, kind.idle_sts).astype(np.uint8)
    stop_ms: Any = NEVER_MS
    fault_ms: Any = NEVER_MS
    flags: Any = 0
    tampered = fleet.tampered & set(meter.tolist()) if fleet.tampered else set()
    if tampered:
        stop_ms, fault_ms = np.full(len(meter), NEVER_MS), np.full(len(meter), NEVER_MS)
        flags = np.zeros(len(meter), dtype=np.int64)
        for one in tampered:
            for row in np.flatnonzero(meter == one).tolist():
                state = fleet.state(one, int(start_ns[row]))
                stop_ms[row], fault_ms[row], flags[row] = state.stop_ms, state.fault_ms, state.flags
                sts[row] |= state.sts
    moment = Moment(
        fleet.heat.vector, kind.set_month, who.number[meter].astype(np.int64), who.room[meter].astype(np.int64),
        who.factor_q16[meter].astype(np.int64), ms, stop_ms, fault_ms, flags,
        who.unmeasured_minutes[meter].astype(np.int64),
    )  # fmt: skip
    return moment, sts


def addresses(kind: Kind, number: NDArray[np.uint32]) -> U8:
    """The eight bytes of each meter's address, (n, 8)."""
    wire = Address(kind.manufacturer, "00000000", kind.version, kind.device_type).wire()
    out = np.empty((len(number), 8), dtype=np.uint8)
    out[:] = np.frombuffer(wire, dtype=np.uint8)
    encode_into("bcd8", number.astype(np.int64), out[:, 2:6])
    return out
