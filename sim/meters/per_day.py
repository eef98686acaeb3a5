"""Rows by compiled code, day by day: it knows one day of the meters' clocks at a time.

A window's telegrams mostly share the day; at midnight there are two. Those of the first row's day are done, the others
are named and then done, each day's together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from arrays import ciphers
from arrays.build_telegrams import add_crcs_a_many, seal_many, seal_mode5
from arrays.crc_instructions import has_products
from sim.meters import fill_kernels
from sim.meters.fill_kernels import Asked
from sim.meters.physics.formulas import MS_PER_DAY
from sim.meters.sending_times import LIMIT_NS
from wmbus.link import add_crcs_a

if TYPE_CHECKING:
    from sim.meters.fleet import Fleet

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

_LEAST_BYTES: Final = 30  # of a frame that is copied and CRC'd sixteen bytes at a time


def by_days(fleet: Fleet, group: int, meter: I64, k: I64, block: U8, crcs: bool) -> I64:
    """The telegrams of one group's meters, one a row of `block`, as if all meters were well. Returns the rows that are
    left to `Fleet.telegram`: where a value does not fit, a meter is not there or a time is out of reach it says so."""
    known = int(meter.min()) >= 0 and int(meter.max()) < fleet.n and int(k.min()) >= 0
    if not known or float(k.max()) * float(fleet.longest_ns) > LIMIT_NS / 2:
        return np.arange(len(meter))
    day = int(fleet.clocks_ms(meter[:1], fleet.starts(meter[:1], k[:1]))[0]) // MS_PER_DAY
    rest = _one_day(fleet, group, day, meter, k, block, crcs)
    if not len(rest):
        return rest
    days = fleet.clocks_ms(meter[rest], fleet.starts(meter[rest], k[rest])) // MS_PER_DAY
    left = [rest[days == day]]
    for other in np.unique(days[days != day]).tolist():
        rows = rest[days == other]
        target = np.empty((len(rows), block.shape[1]), dtype=np.uint8)
        left.append(rows[_one_day(fleet, group, other, meter[rows], k[rows], target, crcs)])
        block[rows] = target
    return np.concatenate(left)


def _one_day(fleet: Fleet, group: int, day: int, meter: I64, k: I64, block: U8, crcs: bool) -> I64:
    """The rows whose clocks show this day. Returns the others; all where a value does not fit, or the tables do not
    reach over the whole day."""
    everyone = np.arange(len(meter))
    if not fleet.heat.covers_day(day):
        return everyone
    form, tables, meters = fleet.form(group, day), fleet.heat.tables, fleet.population.packed
    left, again = (np.empty(len(meter) + 1, dtype=np.int64) for _ in range(2))
    asked = Asked(meter, k, left, again)
    security, size, m = fleet.groups[group].security, len(form.template), fleet.records_bytes(group)
    if ciphers.engine() == "aes-ni" and has_products() and size >= _LEAST_BYTES:
        from sim.meters import blockwise

        blocks = 0 if security == "none" else (m + 2 + 15) // 16
        work = blockwise.fill_mode7 if security == "mode7" else blockwise.fill_mode5
        lefts, agains = work(block, blocks, m + 2 < 16 * blocks, form, asked, meters, tables)
        for row in again[:agains].tolist():
            telegram = fleet.telegram(int(meter[row]), int(k[row]))
            block[row] = np.frombuffer(add_crcs_a(telegram) if crcs else telegram, dtype=np.uint8)
        return left[:lefts] if lefts >= 0 else everyone
    bare = np.empty((len(meter), size), dtype=np.uint8) if crcs else block
    keys, ivs = np.empty((len(meter), 2), dtype=np.uint64), np.empty((len(meter), 2), dtype=np.uint64)
    lefts = fill_kernels.fill(bare, keys, ivs, form, asked, meters, tables)
    if lefts < 0:
        return everyone
    _seal(fleet, group, bare, keys.view(np.uint8), ivs.view(np.uint8), asked)
    if crcs:
        add_crcs_a_many(bare, block)
    return left[:lefts]


def _seal(fleet: Fleet, group: int, frames: U8, keys: U8, ivs: U8, asked: Asked) -> None:
    security, m = fleet.groups[group].security, fleet.records_bytes(group)
    if security == "mode5":
        seal_mode5(frames, ivs, keys, m)
    elif security == "mode7":
        counters = (fleet.population.counter0[asked.meter] + asked.k).astype(np.uint32)
        seal_many(frames, frames[:, 2:10], ivs[:, 8], m, security=security, keys=keys, counters=counters)
