"""When each bundle of a trial is due: arrays, a pure function of shape, load and seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.core.seeds import Seeds

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
MOST_BUNDLES: Final = 2_000_000  # of one trial: what generators hold in memory


@dataclass(frozen=True, slots=True)
class Load:
    """So many gateways with a connection each offer `per_s` bundles a second together, for `seconds_s`."""

    gateways: int
    per_s: float
    seconds_s: float
    seed: int = 1

    @property
    def period_s(self) -> float:
        """Between two bundles of one gateway."""
        return self.gateways / self.per_s


class Away(NamedTuple):
    """All connections end at `cut_s` without DISCONNECT, and nothing is sent until `back_s`, when all dial at once."""

    cut_s: float
    back_s: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """Columns in the order in which bundles are due, seconds from the trial's begin. `sequence`: 1, 2, ... of each
    gateway."""

    gateway: I64
    sequence: I64
    due_s: F64
    away: Away | None = None

    def __len__(self) -> int:
        return len(self.due_s)


def phases(load: Load) -> F64:
    """Where in its period each gateway begins: 0 to 1, drawn."""
    drawn: F64 = Seeds(load.seed).u32("load phase", np.arange(load.gateways)) / 2.0**32
    return drawn


def steady_times(load: Load) -> tuple[I64, F64]:
    """(gateway, due) of gateways that each send once a period, at their own phase of it."""
    period_s = load.period_s
    first_s = phases(load) * period_s
    counts = np.maximum(np.ceil((load.seconds_s - first_s) / period_s), 0).astype(np.int64)
    gateway = np.repeat(np.arange(load.gateways, dtype=np.int64), counts)
    number = np.arange(len(gateway)) - np.repeat(np.cumsum(counts) - counts, counts)
    return gateway, first_s[gateway] + number * period_s


def numbered(gateway: I64, due_s: F64, away: Away | None = None) -> Schedule:
    """Sorted by time, and numbered by gateway in that order."""
    order = np.lexsort((gateway, due_s))
    gateway, due_s = gateway[order], due_s[order]
    by_gateway = np.argsort(gateway, kind="stable")
    counts = np.bincount(gateway) if len(gateway) else np.zeros(0, dtype=np.int64)
    sequence = np.empty(len(gateway), dtype=np.int64)
    sequence[by_gateway] = np.arange(len(gateway)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    return Schedule(gateway, sequence, due_s, away)
