"""What the process that takes ours and the clients' in C in turn is told, and what it tells back. Plain data: it goes
through a pipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.load.load_orders import Driver, PortalOrder


@dataclass(frozen=True, slots=True)
class Hold:
    """Subscribe, and keep what comes of the schedule, in the order in which it comes; store nothing."""

    driver: Driver
    portal: PortalOrder


@dataclass(frozen=True, slots=True)
class TakeInTurn:
    """Store what is held of both, so many bundles a take, each side into a store of its own under `directory`."""

    directory: Path
    take_most: int


@dataclass(slots=True)
class Taken:
    """Of one side: (seconds of a processor, those of the yardstick before and after in the mean) of each take but
    a store's first, all of the same size; `stored` and `due` readings."""

    each_take: list[tuple[float, float]] = field(default_factory=list)
    stored: int = 0
    due: int = 0


class Round(NamedTuple):
    """Ours and the clients in C, with the same bundles, taken in turn. `take_most`: bundles of each take."""

    ours: Taken
    by_c: Taken
    take_most: int
