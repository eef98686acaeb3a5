"""Fewer places than a known set by local search: leave one out, then move one place after the other to where that mends
most, until all clauses hold again; as long as there is time.

What is to become nothing is by how much a set misses more than it may, summed over who is dead and over clauses. Where
a place goes is chosen by some of the meters, and judged by all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from bench.site.placement import F64, Clause, holds
from sim.core.clock import wall_s

SOME_METERS: Final = 1_000
_SMALL: Final = 1e-9
_TIE: Final = 1e-4  # of what is missed with nobody dead, so that of equal places the better one is taken


def fewer(
    clauses: Sequence[Clause], known: Sequence[int], *, hang: Sequence[int] = (), least: int = 0, until_s: float
) -> list[int]:
    """A set that holds, of no more places than `known`, which holds. Ends at `least` places, since fewer never hold."""
    every, some = [_Misses(one, 1) for one in clauses], [_Misses(one, _stride(one)) for one in clauses]
    best = list(known)
    while len(best) > max(least, len(hang), 1) and wall_s() < until_s:
        cost = [_over(every, [*best[:at], *best[at + 1 :]]) if one not in hang else np.inf
                for at, one in enumerate(best)]  # fmt: skip
        at = int(np.argmin(cost))
        mended = _mended(every, some, [*best[:at], *best[at + 1 :]], hang, until_s)
        if mended is None or not holds(clauses, mended):
            break
        best = mended
    return best


def _mended(
    every: Sequence[_Misses], some: Sequence[_Misses], chosen: list[int], hang: Sequence[int], until_s: float
) -> list[int] | None:
    """As many places that miss no more than they may; None where no move of one place helps any more."""
    over, tried = _over(every, chosen), 0
    order = every[0].needed(chosen)
    while over > 0:
        if tried == len(order) or wall_s() > until_s:
            return None
        place = chosen[order[tried]]
        tried += 1
        if place in hang:
            continue
        rest = [one for one in chosen if one != place]
        each: F64 = np.sum([one.with_each(rest) for one in some], axis=0)
        each[chosen] = np.inf
        moved = [*rest, int(np.argmin(each))]
        less = _over(every, moved)
        if less < over - _SMALL:
            chosen, over, tried = moved, less, 0
            order = every[0].needed(chosen)
    return chosen


def _over(every: Sequence[_Misses], chosen: Sequence[int]) -> float:
    return sum(one.over(chosen) for one in every)


def _stride(clause: Clause) -> int:
    return max(1, len(clause.chance) // SOME_METERS)


class _Misses:
    """One clause, over every `stride`-th meter. Misses are in meters of the site."""

    def __init__(self, clause: Clause, stride: int) -> None:
        chance = np.minimum(clause.chance[::stride], 1 - 1e-12)
        self._missed = 1 - chance
        self._times = len(clause.chance) / len(chance)
        self._allowed = (1 - clause.wanted) * len(clause.chance)
        self._back: F64 | None = None  # by what part a miss grows while each is dead
        if clause.late is not None:
            self._back = (1 - np.minimum(clause.late[::stride], 1 - 1e-12)) / self._missed

    def _by_dead(self, chosen: Sequence[int]) -> F64:
        """(meters, places of the set): missed while each is dead; one column where none is."""
        missed: F64 = self._missed[:, list(chosen)].prod(axis=1)[:, None]
        return missed if self._back is None else missed * self._back[:, list(chosen)]

    def over(self, chosen: Sequence[int]) -> float:
        """By how much more is missed than allowed, over all who may be dead."""
        missed = self._times * self._by_dead(chosen).sum(axis=0)
        return float(np.maximum(missed - self._allowed, 0.0).sum())

    def needed(self, chosen: Sequence[int]) -> list[int]:
        """Places in the set, the one first whose death costs least."""
        order = np.argsort(self._by_dead(chosen).sum(axis=0), kind="stable")
        return order.tolist() if self._back is not None else list(range(len(chosen)))

    def with_each(self, chosen: Sequence[int]) -> F64:
        """`over` of the set with each place more."""
        by_dead = self._by_dead(chosen)
        missed = self._times * (by_dead.T @ self._missed)
        out: F64 = np.maximum(missed - self._allowed, 0.0).sum(axis=0)
        plain = self._missed[:, list(chosen)].prod(axis=1)
        if self._back is not None:  # the new one may be dead as well
            own = self._times * (plain @ (self._missed * self._back))
            out += np.maximum(own - self._allowed, 0.0)
        out += _TIE * self._times * (plain @ self._missed)
        return out
