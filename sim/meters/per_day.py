"""Rows by compiled code, day by day: compiled code knows one day of the meters' clocks at a time.

A window's telegrams mostly share the day; at midnight there are two. Those of the first row's day are done, the others
are named and done after them. What is then still left, telegrams of many days at once, is numpy's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays import ciphers
from arrays.build_telegrams import add_crcs_a_many, seal_many, seal_mode5
from arrays.crc_instructions import has_products
from sim.meters import compose_plan, fill_kernels
from sim.meters.compose_plan import Plan
from sim.meters.physics.heat import MS_PER_DAY
from sim.meters.sending_times import LIMIT_NS
from sim.meters.telegram_batch import moments
from wmbus.link import add_crcs_a

if TYPE_CHECKING:
    from sim.meters.fleet import Fleet

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

_DAYS_AT_ONCE: Final = 3
_LEAST_BYTES: Final = 30  # of a frame that is copied and CRC'd sixteen bytes at a time


def by_days(fleet: Fleet, group: int, meter: I64, k: I64, block: U8, crcs: bool) -> I64:
    """The telegrams of one group's meters, one a row of `block`, as if all meters were well. Returns the rows that are
    left to numpy: those of more days, or all where a value does not fit, since numpy says which."""
    known = int(meter.min()) >= 0 and int(meter.max()) < fleet.n and int(k.min()) >= 0
    if not known or float(k.max()) * float(fleet.longest_ns) > LIMIT_NS / 2:
        return np.arange(len(meter))
    rows: I64 | None = None
    its_meter, its_k, target = meter, k, block
    for _ in range(_DAYS_AT_ONCE):
        day = int(fleet.clocks_ms(its_meter[:1], fleet.starts(its_meter[:1], its_k[:1]))[0]) // MS_PER_DAY
        again = _one_day(fleet, group, day, its_meter, its_k, target, crcs) if _known(fleet, day) else None
        if again is None:
            break
        if rows is not None:
            block[rows] = target
        if not len(again):
            return again
        rows = again if rows is None else rows[again]
        its_meter, its_k = meter[rows], k[rows]
        target = np.empty((len(rows), block.shape[1]), dtype=np.uint8)
    return np.arange(len(meter)) if rows is None else rows


def _known(fleet: Fleet, day: int) -> bool:
    """Do the tables reach over this whole day? On the calendar's edges numpy asks by the hour."""
    try:
        fleet.heat.cover(day * MS_PER_DAY)
        fleet.heat.cover((day + 1) * MS_PER_DAY - 1)
    except ValueError:
        return False
    return True


def _one_day(fleet: Fleet, group: int, day: int, meter: I64, k: I64, block: U8, crcs: bool) -> I64 | None:
    """The rows whose clocks show this day. Returns the others; None where a value does not fit."""
    one = compose_plan.of_day(fleet, group, day)
    columns = np.zeros((1, 1), dtype=np.int64)
    if one.columns:
        moment, _ = moments(fleet, fleet.kinds[group], meter, fleet.starts(meter, k))
        columns = compose_plan.columns_of(one, moment, len(meter))
    who, heat = fleet.population, fleet.heat
    left = np.empty(len(meter) + 1, dtype=np.int64)
    rest = (
        one.template, one.places, one.operations, columns, meter, k, day, fleet.epoch_ms, who.t0_ns, who.period_ns,
        who.drift_ppb, who.clock_offset_ms, who.keys.view(np.uint64), who.acc0, who.number, who.room, who.factor_q16,
        who.unmeasured_minutes, who.battery_low_day, *heat.tables, heat.first_hour,
    )  # fmt: skip
    security, size = fleet.groups[group].security, len(one.template)
    if ciphers.engine() == "aes-ni" and has_products() and size >= _LEAST_BYTES:
        from sim.meters import blockwise

        blocks = 0 if security == "none" else (one.records_bytes + 2 + 15) // 16
        again, filled = np.empty(len(meter) + 1, dtype=np.int64), one.records_bytes + 2 < 16 * blocks
        if security == "mode7":
            lefts, agains = blockwise.fill_mode7(block, blocks, filled, again, left, who.counter0, *rest)
        else:
            lefts, agains = blockwise.fill_mode5(block, blocks, filled, again, left, *rest)
        for row in again[:agains].tolist():
            telegram = fleet.telegram(meter[row], k[row])
            block[row] = np.frombuffer(add_crcs_a(telegram) if crcs else telegram, dtype=np.uint8)
        return left[:lefts] if lefts >= 0 else None
    bare = np.empty((len(meter), size), dtype=np.uint8) if crcs else block
    keys, ivs = np.empty((len(meter), 2), dtype=np.uint64), np.empty((len(meter), 2), dtype=np.uint64)
    lefts = fill_kernels.fill(bare, keys, ivs, left, *rest)
    if lefts < 0:
        return None
    _seal(fleet, one, security, bare, keys.view(np.uint8), ivs.view(np.uint8), meter, k)
    if crcs:
        add_crcs_a_many(bare, block)
    return left[:lefts]


def _seal(fleet: Fleet, one: Plan, security: Any, frames: U8, keys: U8, ivs: U8, meter: I64, k: I64) -> None:
    if security == "mode5":
        seal_mode5(frames, ivs, keys, one.records_bytes)
    elif security == "mode7":
        counters = (fleet.population.counter0[meter] + k).astype(np.uint32)
        seal_many(
            frames, frames[:, 2:10], ivs[:, 8], one.records_bytes, security=security, keys=keys, counters=counters
        )
