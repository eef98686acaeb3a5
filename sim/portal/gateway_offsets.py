"""Is a gateway's clock wrong? What its meters say under their MACs tells.

One meter may be wrong, or its telegrams held back; several that agree are not. Where they say that a gateway is off,
its receive times are judged as if it were not (`gateway_clocks`), so it costs no telegrams; the alarm `clock` names it.
A telegram that another gateway heard as well was heard when that one says: so copies stay copies.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.core.clock import NS_PER_S, ns
from sim.portal.check import NONE

I64 = NDArray[np.int64]
METERS: Final = 5
SPREAD_NS: Final = 180 * NS_PER_S
"""Meters show whole minutes, and their own clocks differ."""
HALF_MINUTE_NS: Final = 30 * NS_PER_S
SAME_NS: Final = SPREAD_NS
"""Equal bytes that two gateways heard, one of which is off: the same transmission within this."""


def is_wrong(off_ns: int, tolerance_s: float) -> bool:
    """By more than half of what `ts` tolerates: beyond that the first telegrams are lost."""
    return 2 * abs(off_ns) > ns(tolerance_s)


def offsets(row: I64, gateway: I64, received_ns: I64, shown_ns: I64, counter: I64) -> dict[int, int]:
    """Gateway -> how far its clock is ahead of its meters' (ns), where METERS of them agree. Columns are receptions;
    those count that show a time under a MAC."""
    told = np.flatnonzero((row >= 0) & (shown_ns != NONE) & (counter != NONE))
    told = told[np.argsort(gateway[told], kind="stable")]
    off_ns, its = received_ns[told] - shown_ns[told] - HALF_MINUTE_NS, gateway[told]
    bounds = [*np.flatnonzero(np.diff(its, prepend=NONE)).tolist(), len(told)]
    out: dict[int, int] = {}
    for low, high in pairwise(bounds):
        middle = int(np.median(off_ns[low:high]))
        agree = np.abs(off_ns[low:high] - middle) <= SPREAD_NS // 2
        enough = 10 * np.count_nonzero(agree) >= 9 * (high - low)
        if enough and len(np.unique(row[told[low:high][agree]])) >= METERS:
            out[int(its[low])] = middle
    return out


def righted(wrong: dict[int, int], hashes: I64, gateway: I64, received_ns: I64) -> I64:
    """Receive times as they would be if these gateways' clocks were right. Equal bytes get one time: that of a gateway
    that is right, else of the first of the rows."""
    out = received_ns.copy()
    for one, off_ns in wrong.items():
        out[gateway == one] -= off_ns
    off = np.isin(gateway, list(wrong))
    heard = dict(zip(hashes[~off].tolist(), received_ns[~off].tolist(), strict=True))
    for at in np.flatnonzero(off).tolist():
        time_ns = heard.setdefault(int(hashes[at]), int(out[at]))
        if abs(time_ns - out[at]) <= SAME_NS:
            out[at] = time_ns
    return out
