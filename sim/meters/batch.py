"""Telegrams of many meters at once: the vectorised twin of `Fleet.telegram`, row for row the same bytes.

Work goes group by group, since a group's telegrams share table, header and length, and in slices that stay in the
processor's cache. Within a slice the meters' clocks mostly show one day; then dates are worked out once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.meters.fields import encode_into
from sim.meters.kind import Kind
from sim.meters.moment import NEVER_MS, Moment
from sim.meters.physics import MS_PER_DAY
from sim.meters.schedule import LIMIT_NS
from sim.meters.values import QUANTITIES
from wmbus import security_many
from wmbus.link import Address, length_a
from wmbus.sender_many import add_crcs_a_many, build_many, seal_many, seal_mode5

if TYPE_CHECKING:
    from sim.meters.fleet import Fleet

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
_ROWS_AT_ONCE = 16_384


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
    meter, k = np.asarray(meter, dtype=np.int64), np.asarray(k, dtype=np.int64)
    if len(fleet.groups) == 1:
        size = _on_air(int(who.length_bytes[0]), crcs)
        data = np.empty(size * len(meter), dtype=np.uint8)
        _fill(fleet, 0, meter, k, data.reshape(-1, size), crcs)
        return Telegrams(data, np.arange(len(meter)) * size, np.full(len(meter), size))
    sizes = np.array([_on_air(size, crcs) for size in range(256)])
    length = sizes[who.length_bytes[meter]]
    group = who.group[meter]
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
    """The telegrams of one group's meters, one a row of `block`; CRCs are added while a slice is still at hand."""
    if crcs:
        bare = np.empty((_ROWS_AT_ONCE, int(fleet.population.length_bytes[meter[0]]) if len(meter) else 0), np.uint8)
        for low in range(0, len(meter), _ROWS_AT_ONCE):
            rows = slice(low, low + _ROWS_AT_ONCE)
            some = bare[: len(meter[rows])]
            _fill(fleet, group, meter[rows], k[rows], some, False)
            add_crcs_a_many(some, block[rows])
        return
    compiled = security_many.engine() != "numpy"
    tampered = np.array(sorted(fleet.tampered), dtype=np.int64)
    for low in range(0, len(meter), _ROWS_AT_ONCE):
        rows = slice(low, low + _ROWS_AT_ONCE)
        if not (compiled and _compiled(fleet, group, meter[rows], k[rows], block[rows])):
            block[rows] = _by_numpy(fleet, group, meter[rows], k[rows])
        elif len(tampered):
            ill = low + np.flatnonzero(np.isin(meter[rows], tampered))
            if len(ill):
                block[ill] = _by_numpy(fleet, group, meter[ill], k[ill])


def _by_numpy(fleet: Fleet, group: int, meter: I64, k: I64) -> U8:
    who = fleet.population
    kind, security = fleet.kinds[group], fleet.groups[group].security
    moment, sts = moments(fleet, kind, meter, fleet.starts(meter, k))
    records = kind.records_many(values(kind, moment), len(meter))
    if security == "none" and kind.unencrypted_prefix:
        prefix = np.frombuffer(kind.unencrypted_prefix, dtype=np.uint8)
        records = np.concatenate((np.broadcast_to(prefix, (len(meter), len(prefix))), records), axis=1)
    return build_many(
        addresses(kind, who.number[meter]), (who.acc0[meter] + k).astype(np.uint8), sts, records, security=security,
        keys=None if security == "none" else who.keys[meter],
        counters=(who.counter0[meter] + k).astype(np.uint32) if security == "mode7" else None,
        c_field=kind.c_field, tpl=kind.tpl_for(security),
        cfg_flags=kind.cfg_flags_unencrypted if security == "none" else 0,
    )  # fmt: skip


def _compiled(fleet: Fleet, group: int, meter: I64, k: I64, frames: U8) -> bool:
    """The same by compiled code, as if all meters were well, on one day. False where their days differ or a value does
    not fit: then numpy does it, or says what is wrong."""
    from sim.meters import compiled, plan

    who = fleet.population
    kind, security, size = fleet.kinds[group], fleet.groups[group].security, int(who.length_bytes[meter[0]])
    if float(k.max()) * float(fleet.longest_ns) > LIMIT_NS / 2 or int(k.min()) < 0:
        return False
    n = len(meter)
    ms = np.empty(n, dtype=np.int64)
    low, high = compiled.clocks(
        meter, k, who.t0_ns, who.period_ns, who.acc0, who.drift_ppb, who.clock_offset_ms, fleet.epoch_ms, ms
    )
    day = low // MS_PER_DAY
    if day != high // MS_PER_DAY:
        return False
    fleet.heat.cover(low)
    fleet.heat.cover(high)
    one = fleet.plans.get((group, day))
    if one is None:
        if len(fleet.plans) > 4 * len(fleet.groups):
            fleet.plans.clear()
        one = fleet.plans[group, day] = plan.plan(kind, security, size, fleet.heat, day)
    columns = np.zeros((1, 1), dtype=np.int64)
    if one.columns:
        moment, _ = moments(fleet, kind, meter, fleet.starts(meter, k))
        columns = plan.columns_of(one, moment, n)
    keys, ivs = np.empty((n, 16), dtype=np.uint8), np.empty((n, 16), dtype=np.uint8)
    amiss = compiled.fill(
        frames, keys.view(np.uint64), ivs.view(np.int64), one.template, one.places, one.operations, columns,
        meter, k, ms, day, who.keys.view(np.uint64), who.acc0, who.number, who.room, who.factor_q16,
        who.unmeasured_minutes, who.battery_low_day, *fleet.heat.tables, fleet.heat.first_hour,
    )  # fmt: skip
    if amiss >= 0:
        return False
    if security == "mode5":
        seal_mode5(frames, ivs, keys, one.records_bytes)
    elif security == "mode7":
        counters = (who.counter0[meter] + k).astype(np.uint32)
        seal_many(
            frames, frames[:, 2:10], ivs[:, 8], one.records_bytes, security=security, keys=keys, counters=counters
        )
    return True


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
