"""When telegram k of a meter begins: the synchronous individual interval of EN 13757-4, in closed form and integers.

The interval after (or before, see below) a telegram with access number n is (1 + (|n-128|-64)/2048) * t_nom, so that
two meters of equal nominal interval drift through each other instead of colliding for ever. The sum over any 256
telegrams is 256 t_nom exactly, hence with P the prefix sum of |n-128|-64:

    start(k) = t0 + k * t_nom + (P[(a0+k) & 255] - P[a0]) * t_nom / 2048        (rounded down to 1 ns)

Nothing accumulates: any window of any meter can be asked for alone. All of it is int64 nanoseconds without a scaled
unit, so it reaches 2**62 ns, 146 years; what lies beyond is refused.

INTERVAL_FOLLOWS_ACC is the one open question of the source: whether n is the access number of the telegram before the
interval or after it. It changes the phase of the pattern by one telegram and nothing else.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]

INTERVAL_FOLLOWS_ACC: Final = True
STEPS: Final = 2_048
LIMIT_NS: Final = 1 << 62


def _prefix() -> tuple[int, ...]:
    first = 0 if INTERVAL_FOLLOWS_ACC else 1
    sums = [0]
    for n in range(255):
        sums.append(sums[-1] + abs((n + first & 255) - 128) - 64)
    return tuple(sums)


ACC_PREFIX: Final = _prefix()
"""P: by how many 2048ths of t_nom the telegrams before access number n were early or late."""
_PREFIX_ARRAY: Final[I64] = np.array(ACC_PREFIX, dtype=np.int64)
REACH: Final = (max(ACC_PREFIX) - min(ACC_PREFIX)) // STEPS + 1
"""No start is farther than this many t_nom from t0 + k * t_nom."""


class ScheduleOverflow(ValueError):
    """A telegram beyond the time that 64 bits hold."""


def one_start(t0_ns: int, period_ns: int, acc0: int, k: int) -> int:
    """When telegram k of one meter begins. Raises ScheduleOverflow."""
    offset = ACC_PREFIX[acc0 + k & 255] - ACC_PREFIX[acc0]
    start_ns = t0_ns + k * period_ns + (offset * period_ns >> 11)
    if start_ns >= LIMIT_NS:
        raise ScheduleOverflow(f"telegram {k} would be {start_ns / 3.15576e16:.0f} years after the start, at most 146")
    return start_ns


def starts(t0_ns: I64, period_ns: I64, acc0: NDArray[np.integer[Any]], k: I64) -> I64:
    """one_start for arrays. Raises ScheduleOverflow."""
    if len(k) and float(k.max()) * float(period_ns.max()) > LIMIT_NS:
        worst = k.astype(np.float64) * period_ns
        if worst.max() > LIMIT_NS - float(REACH * period_ns.max() + t0_ns.max()):
            years = worst.max() / 3.15576e16
            raise ScheduleOverflow(f"a telegram would be {years:.0f} years after the start, at most 146")
    wide = acc0.astype(np.int64)
    offset = _PREFIX_ARRAY[wide + k & 255] - _PREFIX_ARRAY[wide]
    out: I64 = t0_ns + k * period_ns + (offset * period_ns >> 11)
    return out


def first_at(t0_ns: I64, period_ns: I64, acc0: NDArray[np.integer[Any]], time_ns: int) -> I64:
    """For each meter the first k that does not begin before an instant."""
    guess = (time_ns - t0_ns) // period_ns
    wide = acc0.astype(np.int64)
    late = _PREFIX_ARRAY[wide + guess & 255] - _PREFIX_ARRAY[wide]
    k: I64 = np.maximum(guess - (late + STEPS // 2 >> 11), 0)
    # The guess is at most one off on either side; the loops make that sure instead of trusted.
    while True:
        early = starts(t0_ns, period_ns, acc0, k) < time_ns
        if not early.any():
            break
        k = k + early
    while True:
        fits = (k > 0) & (starts(t0_ns, period_ns, acc0, k - 1) >= time_ns)
        if not fits.any():
            return k
        k = k - fits
