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

from sim.core.seeds import NORMAL_KNOTS, normal_of, purpose_id
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

compiled: Any
try:
    from sim.radio import link_search_compiled as compiled
except ImportError:  # numba is optional
    compiled = None

I64 = NDArray[np.int64]
_AT_ONCE: Final = 400  # meters to a box: a block's
_AT_ONCE_COMPILED: Final = 1 << 16
_FARTHEST: Final = 1 << 51  # square centimetres: as far as log10_q24 reaches
_FLOORS: Final = 32


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
    if compiled is not None and fast:
        parts = _compiled(propagation, place_cm, power_cdbm, mode, ears)
    else:
        far = reach_cm(propagation, int(power_cdbm.max()), int(ears.sensitivity_cdbm.min()))
        there_ids = place_ids(ears.position_cm)
        parts = [
            _box(propagation, slice(low, low + _AT_ONCE), place_cm, power_cdbm, mode, ears, there_ids, far)
            for low in range(0, len(place_cm), _AT_ONCE)
        ]
    count, receiver, level = (np.concatenate(column) for column in zip(*parts, strict=True))
    readable = ears.listens[receiver, np.repeat(mode, count)]
    return Links(np.concatenate([[0], np.cumsum(count)]).astype(np.int64), receiver, level, readable)


def _compiled(air: Propagation, place_cm: I64, power_cdbm: I64, mode: I64, ears: Ears) -> list[tuple[I64, I64, I64]]:
    far = reach_cm(air, int(power_cdbm.max()), int(ears.sensitivity_cdbm.min()))
    every = np.arange(ears.listens.shape[1])
    widest = _widest(air, int(power_cdbm.max() - ears.sensitivity_cdbm.min()) + REACH_MARGIN_CDB)
    room, parts = 1 << 18, []
    for low in range(0, len(place_cm), _AT_ONCE_COMPILED):
        rows = slice(low, low + _AT_ONCE_COMPILED)
        here = place_cm[rows]
        near = _beside(here, ears.position_cm, far)
        there, need = ears.position_cm[near], ears.sensitivity_cdbm[near] - REACH_MARGIN_CDB
        hears = Ears(there, need, ears.listens[near]).hears_channel(every).T.copy()
        made, ids, there_ids = -1, place_ids(here), place_ids(there)
        while made < 0:
            room *= 2
            count = np.empty(len(here), dtype=np.int64)
            receiver, level = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
            made = compiled.links(
                here, power_cdbm[rows], mode[rows], ids, there, need, hears, there_ids, widest,
                air.slope_cdb, air.floor_cdb, round(FLOOR_HEIGHT_M * 100), FREQUENCY_TERM_CDB - P1238_TERM_CDB,
                air.shadowing_cdb, np.uint64(air.seeds.seed), np.uint64(purpose_id(SHADOWING)), NORMAL_KNOTS,
                count, receiver, level,
            )  # fmt: skip
        parts.append((count, near[receiver[:made]], level[:made].copy()))
        room //= 2
    return parts


def _widest(air: Propagation, budget_cdb: int) -> I64:
    """By floors and first bits of the shadowing's draw: the longest square distance whose loss is within the budget;
    the last column is the longest of its row. The last row serves all floors beyond."""
    first = np.arange(1 << compiled.LUCK_BITS, dtype=np.uint64) << np.uint64(32 - compiled.LUCK_BITS)
    last = first + np.uint64((1 << 32 - compiled.LUCK_BITS) - 1)
    normal = np.minimum(normal_of(first), normal_of(last))  # it rises or falls all through such a span
    shadow = scaled(air.shadowing_cdb, np.append(normal, normal.min()))
    floors = np.arange(_FLOORS, dtype=np.int64)[:, None] * air.floor_cdb
    fixed = FREQUENCY_TERM_CDB - P1238_TERM_CDB + floors + shadow[None]
    low, high = np.zeros_like(fixed), np.full_like(fixed, _FARTHEST)
    while (low < high).any():
        middle = (low + high + 1) // 2
        fits = fixed + air.distance_cdb(np.maximum(middle, 10_000)) <= budget_cdb
        low, high = np.where(fits, middle, low), np.where(fits, high, middle - 1)
    return low


def _beside(here: I64, there: I64, far: int) -> I64:
    """The receivers inside the box round these meters, widened by the reach."""
    low, high = here.min(axis=0) - far, here.max(axis=0) + far
    inside = (there[:, 0] >= low[0]) & (there[:, 0] <= high[0]) & (there[:, 1] >= low[1]) & (there[:, 1] <= high[1])
    return np.asarray(np.flatnonzero(inside), dtype=np.int64)


def _box(
    air: Propagation, rows: slice, place_cm: I64, power_cdbm: I64, mode: I64, ears: Ears, there_ids: Any, far: int
) -> tuple[I64, I64, I64]:
    here, there = place_cm[rows], ears.position_cm
    near = _beside(here, there, far)
    if not len(near):
        none = np.zeros(0, dtype=np.int64)
        return np.zeros(len(here), dtype=np.int64), none, none
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
    return count, near[column], level
