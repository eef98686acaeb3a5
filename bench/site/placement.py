"""Where gateways hang so that a service holds: greedy over candidates, each time the one that serves the most more.

`Clause.chance[m, c]` is how likely meter m is served through candidate c (served.py). A set S serves the share
mean(1 - prod(1 - chance[m, c in S])), which grows with S by less and less, so for one clause without a dead gateway
greedy is never worse than 1 - 1/e of the best set of its size (Nemhauser, Wolsey, Fisher 1978). Where a gateway may be
dead, the share is that of the set in which the worst one is; `late` is what a dead one still serves after it came back.
exact.py finds the fewest of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.floating[Any]]
_ALMOST: Final = 1 - 1e-12
"""A chance is at most this, so that a candidate can be taken out of a product of misses."""
ENOUGH: Final = 1e-9
"""A share that is less than this below the wanted one counts as reached: both searches round alike."""


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
    """What a growing set misses, of one clause. `left[i]`: the share missed while the i-th chosen is dead."""

    def __init__(self, clause: Clause) -> None:
        self.clause = clause
        self._miss = 1 - np.minimum(clause.chance, _ALMOST)
        self._back = None if clause.late is None else 1 - clause.late
        self._dead = np.empty(self._miss.T.shape)  # row i: what a miss through all becomes when the i-th is dead
        self._missed = np.ones(len(self._miss))
        self._chosen = 0
        self.left = np.zeros(0)

    def add(self, candidate: int) -> None:
        self._missed = self._missed * self._miss[:, candidate]
        back = 1.0 if self._back is None else self._back[:, candidate]
        self._dead[self._chosen] = back / self._miss[:, candidate]
        self._chosen += 1
        self.left = self._dead[: self._chosen] @ self._missed / len(self._missed)

    def gain(self) -> F64:
        """By how many meters each candidate would lower what is missed now."""
        worst = self._dead[int(self.left.argmax())] if self.clause.late is not None and self._chosen else 1.0
        gained: F64 = (self._missed * worst) @ self.clause.chance
        return gained

    @property
    def served(self) -> float:
        return float(1 - self._missed.mean())

    @property
    def one_dead(self) -> float:
        return float(1 - self.left.max()) if self._chosen else 0.0

    @property
    def short(self) -> float:
        """How much of the wanted share is lacking; 0 or less: it holds."""
        told = self.served if self.clause.late is None else self.one_dead
        return self.clause.wanted - ENOUGH - told


def share(chance: F64, chosen: Sequence[int], dead: bool = False) -> float:
    """The share served by a set; with `dead`, without the one whose loss costs most. 0 for nobody."""
    if dead:
        return told(Clause(chance, 1.0, np.zeros_like(chance)), chosen)
    return told(Clause(chance, 1.0), chosen)


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
    """The set that greedy finds; None where all candidates together are too few."""
    if any(told(one._replace(late=None), range(one.chance.shape[1])) < one.wanted - ENOUGH for one in clauses):
        return None
    steps = greedy(clauses, hang=hang)
    return [step.candidate for step in steps] if steps and steps[-1].holds else None


def in_turn(clauses: Sequence[Clause], chosen: Sequence[int]) -> list[Step]:
    """The steps of a set that is known, in its order."""
    missed, steps = [Missed(clause) for clause in clauses], list[Step]()
    for one in chosen:
        _add(missed, steps, one)
    return steps


def _add(missed: Sequence[Missed], steps: list[Step], candidate: int) -> None:
    for one in missed:
        one.add(candidate)
    steps.append(Step(candidate, missed[0].served, missed[0].one_dead, all(one.short <= 0 for one in missed)))


def spared(
    clauses: Sequence[Clause], chosen: Sequence[int], *, hang: Sequence[int] = (), prices: F64 | None = None
) -> list[int]:
    """The set without those that it can do without, and with a cheaper place for one where that does as well."""
    kept, taken = list(chosen), set(hang)
    for one in [each for each in chosen if each not in taken]:
        if holds(clauses, rest := [other for other in kept if other != one]):
            kept = rest
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
