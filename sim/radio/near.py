"""The links of a large site, without asking every pair: only receivers that could be in reach are looked at.

The rule kept here: the same links as `Links.of`, to the last one. A pair can be left out only if even the luckiest
shadowing there is (the last knot of the normal table) would not bring it into reach, and that is decided first by
distance between boxes and then pair by pair. Meters that stand together in the fleet stand together on the map, so a
box round each few hundred of them is small; in any other order this is slower, and still exact.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.radio.links import REACH_MARGIN_CDB, Ears, Links
from sim.radio.propagation import (
    FLOOR_HEIGHT_M,
    FREQUENCY_TERM_CDB,
    P1238_TERM_CDB,
    SHADOWING,
    Propagation,
    place_ids,
    scaled,
)
from sim.seeds import NORMAL_KNOTS, purpose_id

compiled: Any
try:
    from sim.radio import near_compiled as compiled
except ImportError:  # numba is optional
    compiled = None

I64 = NDArray[np.int64]
_AT_ONCE: Final = 400  # meters to a box: a block's


def luckiest_cdb(propagation: Propagation) -> int:
    """The most that shadowing can give."""
    return int(scaled(propagation.shadowing_cdb, NORMAL_KNOTS.max())) + 1


def reach_cm(propagation: Propagation, power_cdbm: int, sensitivity_cdbm: int) -> int:
    """No link is longer than this."""
    budget = power_cdbm - sensitivity_cdbm + REACH_MARGIN_CDB + luckiest_cdb(propagation)
    decades = (budget - FREQUENCY_TERM_CDB + P1238_TERM_CDB + 2) / propagation.slope_cdb
    return int(100 * 10.0 ** min(max(decades, 0.0), 9.0)) + 100


def near_links(
    propagation: Propagation, place_cm: I64, power_cdbm: I64, mode: I64, ears: Ears, *, fast: bool = True
) -> Links:
    """All links of sources at these places, ordered by source and receiver: equal to `Links.of`. `fast`: compiled,
    where numba is."""
    if not len(place_cm) or not len(ears.position_cm):
        return Links.of(propagation, place_cm, power_cdbm, mode, ears)
    far = reach_cm(propagation, int(power_cdbm.max()), int(ears.sensitivity_cdbm.min()))
    there_ids = place_ids(ears.position_cm)
    box = _box if compiled is None or not fast else _compiled_box
    parts = [
        box(propagation, slice(low, low + _AT_ONCE), place_cm, power_cdbm, mode, ears, there_ids, far)
        for low in range(0, len(place_cm), _AT_ONCE)
    ]
    count, receiver, level, readable = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Links(np.concatenate([[0], np.cumsum(count)]).astype(np.int64), receiver, level, readable)


def _beside(here: I64, there: I64, far: int) -> I64:
    """The receivers inside the box round these meters, widened by the reach."""
    low, high = here.min(axis=0) - far, here.max(axis=0) + far
    inside = (there[:, 0] >= low[0]) & (there[:, 0] <= high[0]) & (there[:, 1] >= low[1]) & (there[:, 1] <= high[1])
    return np.asarray(np.flatnonzero(inside), dtype=np.int64)


def _compiled_box(
    air: Propagation, rows: slice, place_cm: I64, power_cdbm: I64, mode: I64, ears: Ears, there_ids: Any, far: int
) -> tuple[I64, I64, I64, NDArray[np.bool_]]:
    here, mine = place_cm[rows], mode[rows]
    near = _beside(here, ears.position_cm, far)
    hears = Ears(ears.position_cm[near], ears.sensitivity_cdbm[near], ears.listens[near]).hears_channel(mine)
    count = np.empty(len(here), dtype=np.int64)
    receiver, level = (np.empty(len(here) * len(near), dtype=np.int64) for _ in range(2))
    made = compiled.box(
        here, power_cdbm[rows], hears, place_ids(here), ears.position_cm, ears.sensitivity_cdbm - REACH_MARGIN_CDB,
        there_ids, near, far * far, air.slope_cdb, air.floor_cdb, round(FLOOR_HEIGHT_M * 100),
        FREQUENCY_TERM_CDB - P1238_TERM_CDB, air.shadowing_cdb, luckiest_cdb(air), np.uint64(air.seeds.seed),
        np.uint64(purpose_id(SHADOWING)), NORMAL_KNOTS, count, receiver, level,
    )  # fmt: skip
    receiver = receiver[:made].copy()
    return count, receiver, level[:made].copy(), ears.listens[receiver, np.repeat(mine, count)]


def _box(
    air: Propagation, rows: slice, place_cm: I64, power_cdbm: I64, mode: I64, ears: Ears, there_ids: Any, far: int
) -> tuple[I64, I64, I64, NDArray[np.bool_]]:
    here, there = place_cm[rows], ears.position_cm
    near = _beside(here, there, far)
    if not len(near):
        none = np.zeros(0, dtype=np.int64)
        return np.zeros(len(here), dtype=np.int64), none, none, np.zeros(0, dtype=np.bool_)
    some = Ears(there[near], ears.sensitivity_cdbm[near], ears.listens[near])
    level = power_cdbm[rows, None] - air.mean_loss_cdb(here, some.position_cm)
    need = some.sensitivity_cdbm[None] - REACH_MARGIN_CDB
    row, column = np.nonzero((level >= need - luckiest_cdb(air)) & some.hears_channel(mode[rows]))
    level = level[row, column]
    if air.shadowing_cdb:
        a, b = place_ids(here)[row], there_ids[near[column]]
        level = level - scaled(air.shadowing_cdb, air.seeds.normal_q16(SHADOWING, np.minimum(a, b), np.maximum(a, b)))
    apart = (here[row] != some.position_cm[column]).any(axis=1)
    keep = (level >= need[0, column]) & apart
    row, column, level = row[keep], column[keep], level[keep]
    count = np.bincount(row, minlength=len(here))
    return count, near[column], level, some.listens[column, mode[rows][row]]
