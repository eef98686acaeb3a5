"""How many gateways a clause needs at least, without a solver: by what n of them miss in the mean while one is dead.

Of n gateways let P0 be the chance that none hears a meter, P1 that one alone does, r the least share of its meters that
a dead gateway loses for good (1: all; the clause without a dead gateway: r = 0 and n = 1 below). Where each of them may
be dead and a set holds, the sum over them of what is missed is at most n times what may be missed:

    sum over meters of  n P0 + r P1  <=  n allowed

A meter's n P0 + r P1 is exp(-s) (n + r t) with s the sum over the set of -log(1 - chance) and t >= s that of the odds.
Take the chances above some limit as certain, which makes it smaller, count them as a, and let s be of the others. Then
it is at least exp(-s) (n + r s) for a = 0, r exp(-s) for a = 1, and 0 for more; and so at least each plane

    high - step a - slope s      that lies below these three curves.

Planes are linear in the set. For any choice of them, one or a mixture for each meter, their sum over the meters is
smallest for the n places with the most in their columns; where even that is above n times allowed, no set of n holds,
and none of fewer (more gateways never serve less). Which planes: those that are highest at a set in fractions, which
goes to the places with the most in the columns of the mixture so far (Frank and Wolfe 1956).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from bench.site.dead_rows import groups
from bench.site.placement import F64, Clause
from sim.core.clock import wall_s

CERTAIN: Final = (0.3, 0.6, 0.8, 0.9, 0.97, 0.999)
"""Limits above which a chance counts as certain; each meter has the planes of all."""
SLOPES: Final = 40
STEPS_MOST: Final = 300
_LEAST_CHANCE: Final = 1e-9
_SAFE: Final = 1e-6  # of what is allowed, by which rounding may help


class Planes(NamedTuple):
    """Below the three curves. Columns of equal length."""

    high: F64
    step: F64
    slope: F64


def at_least(clauses: Sequence[Clause], *, hang: Sequence[int] = (), most: int, until_s: float) -> int:
    """No set of fewer places holds; at most `most`, which is known to hold or is the number of places."""
    low = max(1, len(hang))
    for relaxed in [_Relaxed(clause, hang) for clause in clauses]:
        high = most
        while low < high and wall_s() < until_s:  # all below `low` fail
            middle = (low + high) // 2
            if relaxed.fails(middle, until_s):
                low = middle + 1
            else:
                high = middle
    return low


class _Relaxed:
    """One clause. Groups of meters are put together: planes are linear, so the mean of theirs is below the mean."""

    def __init__(self, clause: Clause, hang: Sequence[int]) -> None:
        chance = np.minimum(clause.chance, 1 - 1e-12)
        self._hang = np.array(hang, dtype=np.int64)
        self._dead = clause.late is not None
        self._lost = 0.0
        if clause.late is not None:
            some = chance > _LEAST_CHANCE
            self._lost = float(((chance - clause.late)[some] / chance[some]).min(initial=1.0).clip(0.0, 1.0))
        group = groups(chance)
        self._count = np.bincount(group).astype(np.float64)
        self._allowed = (1 - clause.wanted) * len(chance)
        weights = -np.log1p(-chance)

        def mean(by_meter: F64) -> F64:
            out = np.zeros((len(self._count), by_meter.shape[1]))
            np.add.at(out, group, by_meter)
            found: F64 = out / self._count[:, None]
            return found

        sure = [chance >= limit for limit in CERTAIN]
        self._sure = np.concatenate([mean(one.astype(np.float64)) for one in sure])
        self._weak = np.concatenate([mean(np.where(one, 0.0, weights)) for one in sure])

    def fails(self, gateways: int, until_s: float) -> bool:
        """It is shown that no set of so many holds."""
        if self._dead and gateways < 2:
            return False
        times = float(gateways) if self._dead else 1.0
        allowed = times * self._allowed * (1 + _SAFE)
        planes = _planes(times, self._lost)
        size, places = len(self._count), self._sure.shape[1]
        place = np.full(places, gateways / places)
        highs, columns, mixed = 0.0, np.zeros(places), 0.0
        for number in range(STEPS_MOST):
            if wall_s() > until_s:
                return False
            sure, weak = self._sure @ place, self._weak @ place
            value = planes.high[:, None] - np.outer(planes.step, sure) - np.outer(planes.slope, weak)
            best = value.argmax(axis=0)
            value = value[best, np.arange(len(best))].reshape(len(CERTAIN), size)
            limit = value.argmax(axis=0)
            row = limit * size + np.arange(size)
            count = self._count * (value[limit, np.arange(size)] > 0)
            if number and count @ value[limit, np.arange(size)] <= allowed:
                return False  # in fractions it holds
            plane = best[row]
            high = count @ planes.high[plane]
            column = (count * planes.step[plane]) @ self._sure[row] + (count * planes.slope[plane]) @ self._weak[row]
            share = number + 1.0
            highs, columns, mixed = highs + share * high, columns + share * column, mixed + share
            for lows, of in ((columns / mixed, highs / mixed), (column, high)):
                if of - self._most(lows, gateways)[0] > allowed:
                    return True
            towards = np.zeros(places)
            towards[self._most(column if number % 2 else columns / mixed, gateways)[1]] = 1.0
            place += 2 / (number + 2) * (towards - place)
        return False

    def _most(self, column: F64, gateways: int) -> tuple[float, np.ndarray]:
        """(the most that so many places have in a column, which they are); those that hang are among them."""
        ranked = column.copy()
        ranked[self._hang] = np.inf
        chosen = np.argsort(-ranked, kind="stable")[:gateways]
        return float(column[chosen].sum()), chosen


def _planes(gateways: float, lost: float) -> Planes:
    """For each slope the plane that is highest at a = 0, and the highest that goes through 0 at a = 2."""
    slope = np.geomspace(1e-4 * gateways, gateways, SLOPES)
    none, one = _lowest(gateways, lost, slope), _lowest(lost, 0.0, slope)
    through = 2 * one < none
    high = np.concatenate([none, 2 * one[through]])
    step = np.concatenate([np.maximum(none - one, none / 2), one[through]])
    return Planes(high, step, np.concatenate([slope, slope[through]]))


def _lowest(first: float, more: float, slope: F64) -> F64:
    """The least of exp(-s) (first + more s) + slope s over s >= 0, which is convex where first >= 2 more."""
    low, high = np.zeros_like(slope), np.full_like(slope, 60.0)
    for _ in range(60):
        middle = (low + high) / 2
        falls = np.exp(-middle) * (first + more * middle - more) > slope
        low, high = np.where(falls, middle, low), np.where(falls, high, middle)
    at = (low + high) / 2
    least: F64 = np.exp(-at) * (first + more * at) + slope * at - 1e-12 * first
    return least
