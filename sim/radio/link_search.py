"""The links of a large site, without asking every pair: only receivers that could be in reach are looked at.

The rule kept here: the same links as `Links.of`, to the last one. A pair can be left out only if even the strongest
shadowing there is (the last knot of the normal table) would not bring it into reach, and that is decided first by
distance between boxes and then pair by pair. Meters that stand together in the fleet stand together on the map, so a
box round each few hundred of them is small; in any other order this is slower, and still exact.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.core.seeds import NORMAL_KNOTS, normal_of, purpose_id
from sim.radio.link_search_compiled import DRAW_BITS, Found, Loss, Sinks, Sources, search
from sim.radio.links import REACH_MARGIN_CDB, Links, Receivers
from sim.radio.propagation import (
    FLOOR_HEIGHT_M,
    FREQUENCY_TERM_CDB,
    P1238_TERM_CDB,
    SHADOWING,
    Propagation,
    place_ids,
    scaled,
)

I64 = NDArray[np.int64]
_AT_ONCE: Final = 1 << 15  # meters
_FARTHEST: Final = 1 << 51  # square centimetres: as far as log10_q24 reaches
_FLOORS: Final = 32


def strongest_cdb(propagation: Propagation) -> int:
    """The most that shadowing can give."""
    return int(scaled(propagation.shadowing_cdb, NORMAL_KNOTS.max())) + 1


def reach_cm(propagation: Propagation, power_cdbm: int, sensitivity_cdbm: int) -> int:
    """No link is longer than this."""
    budget = power_cdbm - sensitivity_cdbm + REACH_MARGIN_CDB + strongest_cdb(propagation)
    decades = (budget - FREQUENCY_TERM_CDB + P1238_TERM_CDB + 2) / propagation.slope_cdb
    return int(100 * 10.0 ** min(max(decades, 0.0), 9.0)) + 100


def near_links(propagation: Propagation, place_cm: I64, power_cdbm: I64, mode: I64, receivers: Receivers) -> Links:
    """All links of sources at these places, ordered by source and receiver: equal to `Links.of`."""
    if not len(place_cm) or not len(receivers.position_cm):
        return Links.of(propagation, place_cm, power_cdbm, mode, receivers)
    far = reach_cm(propagation, int(power_cdbm.max()), int(receivers.sensitivity_cdbm.min()))
    widest = _widest(propagation, int(power_cdbm.max() - receivers.sensitivity_cdbm.min()) + REACH_MARGIN_CDB)
    loss = Loss(
        propagation.slope_cdb, propagation.floor_cdb, round(FLOOR_HEIGHT_M * 100), FREQUENCY_TERM_CDB - P1238_TERM_CDB,
        propagation.shadowing_cdb, np.uint64(propagation.seeds.seed), np.uint64(purpose_id(SHADOWING)), NORMAL_KNOTS,
        widest,
    )  # fmt: skip
    room, parts = 1 << 18, []
    for low in range(0, len(place_cm), _AT_ONCE):
        rows = slice(low, low + _AT_ONCE)
        here = Sources(place_cm[rows], power_cdbm[rows], mode[rows], place_ids(place_cm[rows]))
        near = _beside(here.place_cm, receivers.position_cm, far)
        there = receivers.only(near)
        hears = there.hears_channel(np.arange(there.listens.shape[1])).T.copy()
        need = there.sensitivity_cdbm - REACH_MARGIN_CDB
        sinks = Sinks(there.position_cm, need, hears, there.listens, place_ids(there.position_cm))
        made = -1
        while made < 0:
            room *= 2
            found = Found(
                np.empty(len(here.mode), dtype=np.int64), np.empty(room, dtype=np.int64),
                np.empty(room, dtype=np.int64), np.empty(room, dtype=np.bool_),
            )  # fmt: skip
            made = search(here, sinks, loss, found)
        parts.append((found.number, near[found.receiver[:made]], found.level_cdbm[:made], found.readable[:made]))
        room = max(room // 2, 1 << 18)
    count, receiver, level, readable = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Links(np.concatenate([[0], np.cumsum(count)]).astype(np.int64), receiver, level, readable)


def _widest(air: Propagation, budget_cdb: int) -> I64:
    """By floors and first bits of the shadowing's draw: the longest square distance whose loss is within the budget;
    the last column is the longest of its row. The last row serves all floors beyond."""
    first = np.arange(1 << DRAW_BITS, dtype=np.uint64) << np.uint64(32 - DRAW_BITS)
    last = first + np.uint64((1 << 32 - DRAW_BITS) - 1)
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
