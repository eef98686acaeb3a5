"""The one rule of TAF 2: the difference between consecutive valid readings goes to zone z if z rules the whole gap,
else to the error register.

Arrays of many meters at once; whole numbers only, so that sums are exact. It reproduces what TRuDI's own tests expect
(docs/models/smgw.md names those that it does not, and why).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.smgw.tariff_zones import NOBODY, Zones

_SAFE = 1 << 62


def integers(values: list[int]) -> NDArray[Any]:
    """As int64 where no sum of differences can leave it, else as Python's own integers."""
    fits = all(-_SAFE < value < _SAFE for value in values)
    return np.array(values, dtype=np.int64 if fits else object)


def totals(
    zones: Zones, series: NDArray[np.int64], at_s: NDArray[np.int64], value: NDArray[Any], meters: int
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """What each meter's registers counted: shape (meters, stages + 1), the last column the error register; and which
    meters ran backwards, whose row is void.

    All arrays have one entry a valid reading: `series` the meter, 0 to `meters` - 1, in blocks; `at_s` seconds, rising
    in each block, within the period of `zones`; `value` whole numbers.
    """
    columns = len(zones.stages) + 1
    backwards = np.zeros(meters, dtype=bool)
    if len(value) < 2:
        return np.zeros((meters, columns), dtype=value.dtype), backwards
    borders = np.array(zones.borders_s, dtype=np.int64)
    ruling = np.array(zones.zone, dtype=np.int64)
    first = np.searchsorted(borders, at_s[:-1], side="right") - 1  # the stretch in which the gap begins
    last = np.searchsorted(borders, at_s[1:], side="left") - 1  # and the one in which it ends
    column = np.where(first == last, ruling[first], NOBODY)
    grown = np.diff(value)
    within = series[:-1] == series[1:]
    column[column == NOBODY] = columns - 1
    backwards[series[1:][within & (grown < 0)]] = True
    out = np.zeros(meters * columns, dtype=value.dtype)
    np.add.at(out, (series[1:] * columns + column)[within], grown[within])
    return out.reshape(meters, columns), backwards
