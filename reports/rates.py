"""How far a rate may be from what was counted: the ends of Garwood's exact 95 % interval of a Poisson mean."""

from __future__ import annotations

import math
from typing import Final

TAIL: Final = 0.025


def lower(count: int) -> float:
    """The mean at which so many events, or more, would come in one of forty such looks."""
    return _mean(count - 1, 1 - TAIL) if count else 0.0


def upper(count: int) -> float:
    """The mean at which so few events, or fewer, would."""
    return _mean(count, TAIL)


def _mean(count: int, probability: float) -> float:
    """The mean at which `count` events or fewer have this probability."""
    low, high = 0.0, count + 10.0 * math.sqrt(count + 1) + 10
    for _ in range(80):
        mean = (low + high) / 2
        term = below = math.exp(-mean)
        for k in range(1, count + 1):
            term *= mean / k
            below += term
        low, high = (mean, high) if below > probability else (low, mean)
    return high
