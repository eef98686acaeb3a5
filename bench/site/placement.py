"""Where gateways hang so that a service holds: greedy over candidates, each time the one that serves the most more.

`chance[m, c]` is how likely meter m is served through candidate c (served.py). A set S serves the share
mean(1 - prod(1 - chance[m, c in S])), which grows with S by less and less, so greedy is never worse than 1 - 1/e of the
best set of its size (Nemhauser, Wolsey, Fisher 1978). With `dead`, the service is that of the set without any one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.floating[Any]]
_ALMOST: Final = 1 - 1e-12
"""A chance is at most this, so that a candidate can be taken out of a product of misses."""


class Step(NamedTuple):
    """After `candidate` was added: the share served by all, and by all but the one that is missed most."""

    candidate: int
    served: float
    one_dead: float


def share(chance: F64, chosen: Sequence[int], dead: bool = False) -> float:
    """The share served by a set; with `dead`, without the one whose loss costs most. 0 for nobody."""
    if dead:
        return min((share(chance, [*chosen[:at], *chosen[at + 1 :]]) for at in range(len(chosen))), default=0.0)
    return float(1 - (1 - chance[:, list(chosen)]).prod(axis=1).mean()) if chosen else 0.0


def greedy(chance: F64, wanted: float, *, dead: bool = False, hang: Sequence[int] = ()) -> list[Step]:
    """Those that hang already, then one after the other until the wanted share is served, or no candidate adds any."""
    steps: list[Step] = []
    miss = 1 - np.minimum(chance, _ALMOST)
    without = np.empty(miss.T.shape)  # row i takes the i-th chosen out of the product again
    missed = np.ones(len(chance))
    left = np.zeros(0)  # share missed by all chosen but the i-th
    free = np.ones(chance.shape[1], dtype=bool)
    waiting = list(hang)
    while True:
        if not waiting and steps and (steps[-1].one_dead if dead else steps[-1].served) >= wanted:
            return steps
        if waiting:
            best = waiting.pop(0)
        else:
            worst = int(left.argmax()) if dead and steps else None
            gain = np.where(free, (missed if worst is None else missed * without[worst]) @ chance, -1.0)
            best = int(gain.argmax())
            if gain[best] <= 1e-9 * len(chance):
                return steps
        free[best] = False
        missed *= miss[:, best]
        without[len(steps)] = 1 / miss[:, best]
        left = without[: len(steps) + 1] @ missed / len(missed)
        steps.append(Step(best, float(1 - missed.mean()), float(1 - left.max())))
