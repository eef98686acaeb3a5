"""Where gateways hang so that a service holds: greedy over candidates, each time the one that serves the most more.

`Clause.chance[m, c]` is how likely meter m is served through candidate c (served.py). A set S serves the share
mean(1 - prod(1 - chance[m, c in S])), which grows with S by less and less, so for one clause without a dead gateway
greedy is never worse than 1 - 1/e of the best set of its size (Nemhauser, Wolsey, Fisher 1978). Where a gateway may be
dead, the share is that of the set in which the worst one is; `late` is what a dead one still serves after it came back.
exact.py finds the fewest of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.floating[Any]]
_ALMOST: Final = 1 - 1e-12
"""A chance is at most this, so that a candidate can be taken out of a product of misses."""
ENOUGH: Final = 1e-9
"""A share that is less than this below the wanted one counts as reached: both searches round alike."""


_FEW: Final = 8
"""Rows are copied out of an array where they are less than this part of it; else the whole is multiplied at once."""


class Clause(NamedTuple):
    """One sentence of a service. `chance`: (meters, candidates). `late`: the same through a gateway that was dead and
    came back within the time asked for; None: gateways do not fail here."""

    chance: F64
    wanted: float
    late: F64 | None = None


class Step(NamedTuple):
    """After `candidate` was added, of the first clause: the share served by all, and while the one is dead that is
    missed most; and whether all clauses hold."""

    candidate: int
    served: float
    one_dead: float
    holds: bool


class Missed:
    """What a growing set misses, of one clause. `left[i]`: the share missed while the i-th chosen is dead. What one
    place more changes, or one less, is worked out for the meters alone that it reaches: most places reach few."""

    def __init__(self, clause: Clause) -> None:
        self.clause = clause
        self._chance = np.minimum(clause.chance, _ALMOST)
        meters, places = self._chance.shape
        self._more = np.zeros((places, meters))  # row i: by what part a miss grows while the i-th chosen is dead
        self._chosen: list[tuple[int, NDArray[np.intp]]] = []  # with the meters that each reaches
        self._missed = np.ones(meters)
        self.left = np.zeros(0)

    def add(self, candidate: int) -> None:
        rows = np.flatnonzero(self._chance[:, candidate])
        chance, before = self._chance[rows, candidate], self._missed[rows]
        late = 0.0 if self.clause.late is None else self.clause.late[rows, candidate]
        number, meters = len(self._chosen), len(self._missed)
        self._missed[rows] = before * (1 - chance)
        fewer = before - self._missed[rows]
        self._chosen.append((candidate, rows))
        self._more[number, rows] = (chance - late) / (1 - chance)
        others = self.left - (fewer.sum() + self._more_of(number, rows, fewer)) / meters
        own = (self._missed.sum() + self._more[number, rows] @ self._missed[rows]) / meters
        self.left = np.append(others, own)

    def gain(self) -> F64:
        """By how many meters each candidate would lower what is missed now; of those chosen it means nothing."""
        gained: F64
        if self.clause.late is None or not self._chosen:
            gained = self._missed @ self._chance
        else:
            gained = (self._missed * (1 + self._more[int(self.left.argmax())])) @ self._chance
        return gained

    def _more_of(self, number: int, rows: NDArray[np.intp], what: F64) -> F64:
        """`what` of these meters, times what it grows by while each of the first `number` chosen is dead."""
        if len(rows) * _FEW < len(self._missed):
            few: F64 = self._more[:number, rows] @ what
            return few
        of_all: F64 = self._more[:number] @ self._all(rows, what)
        return of_all

    def _all(self, rows: NDArray[np.intp], what: F64) -> F64:
        spread = np.zeros(len(self._missed))
        spread[rows] = what
        return spread

    def needs(self, at: int) -> bool:
        """Whether the clause surely does not hold without the `at`-th that was added: by what it alone serves, which is
        told sooner than all of `without`."""
        candidate, rows = self._chosen[at]
        chance = self._chance[rows, candidate]
        grown = float(self._missed[rows] @ (chance / (1 - chance)))
        left = self._missed.mean() if self.clause.late is None else np.delete(self.left, at).max(initial=-np.inf)
        return bool(1 - left - grown / len(self._missed) < self.clause.wanted - 2 * ENOUGH)

    def without(self, at: int) -> Missed:
        """The same without the `at`-th that was added; nothing can be added to it."""
        candidate, rows = self._chosen[at]
        other = copy(self)
        other._missed = self._missed.copy()
        other._missed[rows] /= 1 - self._chance[rows, candidate]
        grown = other._missed[rows] - self._missed[rows]
        more = self._more_of(len(self._chosen), rows, grown)
        other.left = self.left + (grown.sum() + more) / len(self._missed)
        other.left[at] = -np.inf
        return other

    @property
    def served(self) -> float:
        return float(1 - self._missed.mean())

    @property
    def one_dead(self) -> float:
        most = self.left.max(initial=-np.inf)
        return 0.0 if most == -np.inf else max(0.0, float(1 - most))

    @property
    def short(self) -> float:
        """How much of the wanted share is lacking; 0 or less: it holds."""
        told = self.served if self.clause.late is None else self.one_dead
        return self.clause.wanted - ENOUGH - told


def told(clause: Clause, chosen: Sequence[int]) -> float:
    """The share that a set serves, by the clause: with the worst one dead where gateways fail. 0 for nobody."""
    own = list(chosen)
    if not own:
        return 0.0
    logs = np.log1p(-np.minimum(clause.chance[:, own], _ALMOST))
    missed = logs.sum(axis=1)
    if clause.late is None:
        return float(1 - np.exp(missed).mean())
    back = np.log1p(-np.minimum(clause.late[:, own], _ALMOST))
    return float(1 - np.exp(missed[:, None] - logs + back).mean(axis=0).max())


def holds(clauses: Sequence[Clause], chosen: Sequence[int]) -> bool:
    """All of it."""
    return all(told(clause, chosen) >= clause.wanted - ENOUGH for clause in clauses)


def greedy(clauses: Sequence[Clause], *, hang: Sequence[int] = ()) -> list[Step]:
    """Those that hang already, then one after the other until all clauses hold, or no candidate adds any. Each serves
    the clause that lacks most of what it may miss."""
    missed = [Missed(clause) for clause in clauses]
    free = np.ones(clauses[0].chance.shape[1], dtype=bool)
    waiting, steps = list(hang), list[Step]()
    while waiting or not (steps and steps[-1].holds):
        if waiting:
            best = waiting.pop(0)
        else:
            shortest = max(missed, key=lambda one: one.short / (1 - one.clause.wanted + ENOUGH))
            gain = np.where(free, shortest.gain(), -1.0)
            best = int(gain.argmax())
            if gain[best] <= 1e-9 * len(shortest.clause.chance):
                break
        _add(missed, steps, best)
        free[best] = False
    return steps


def fewest(clauses: Sequence[Clause], hang: Sequence[int]) -> list[int] | None:
    """The set that greedy finds, less those that nothing needs; None where all candidates together are too few."""
    if not holds(clauses, range(clauses[0].chance.shape[1])):  # more gateways never serve less
        return None
    steps = greedy(clauses, hang=hang)
    return spared(clauses, [step.candidate for step in steps], hang=hang) if steps and steps[-1].holds else None


def in_turn(clauses: Sequence[Clause], chosen: Sequence[int]) -> list[Step]:
    """The steps of a set that is known, in its order."""
    missed, steps = [Missed(clause) for clause in clauses], list[Step]()
    for one in chosen:
        _add(missed, steps, one)
    return steps


def beyond(clauses: Sequence[Clause], chosen: Sequence[int], more: int) -> list[Step]:
    """What up to so many places more would serve behind a set, each where it adds the most to the first clause."""
    missed, steps = [Missed(clause) for clause in clauses], list[Step]()
    free = np.ones(clauses[0].chance.shape[1], dtype=bool)
    for one in chosen:
        _add(missed, steps, one)
        free[one] = False
    for _ in range(min(more, int(free.sum()))):
        best = int(np.where(free, missed[0].gain(), -1.0).argmax())
        _add(missed, steps, best)
        free[best] = False
    return steps[len(chosen) :]


def _add(missed: Sequence[Missed], steps: list[Step], candidate: int) -> None:
    for one in missed:
        one.add(candidate)
    steps.append(Step(candidate, missed[0].served, missed[0].one_dead, all(one.short <= 0 for one in missed)))


def spared(
    clauses: Sequence[Clause], chosen: Sequence[int], *, hang: Sequence[int] = (), prices: F64 | None = None
) -> list[int]:
    """The set without those that it can do without, and with a cheaper place for one where that does as well."""
    taken, kept = set(hang), list(chosen)
    missed = [Missed(clause) for clause in clauses]
    for one in chosen:
        for clause in missed:
            clause.add(one)
    for at, one in enumerate(chosen):
        if one not in taken and len(kept) > 1 and not any(clause.needs(at) for clause in missed):
            fewer = [clause.without(at) for clause in missed]
            if all(clause.short <= 0 for clause in fewer):
                kept.remove(one)
                missed = fewer
    if prices is None:
        return kept
    for at, one in enumerate(kept):
        if one in taken:
            continue
        for other in np.argsort(prices, kind="stable").tolist():
            if prices[other] >= prices[one]:
                break
            if other not in kept and holds(clauses, [*kept[:at], other, *kept[at + 1 :]]):
                kept[at] = other
                break
    return kept
