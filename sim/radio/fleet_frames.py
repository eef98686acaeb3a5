"""The bytes of a fleet's frames, as the air asks for them: made many at once, since one at a time takes fifty times
as long.

What is made ahead of being asked for is dropped as soon as anything happens to a meter: a meter that was tampered with
must not send what it would have said before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sim.radio.emissions import Schedule

I64 = NDArray[np.int64]
FrameOf = Callable[[int, int], bytes]  # telegram k of a meter
FramesOf = Callable[[I64, I64], Iterable[bytes]]  # telegrams k[i] of meters m[i], in that order
MADE_AT_ONCE_FROM: Final = 8
"""Telegrams from which it pays to make them at once."""
_AHEAD: Final = 512


def no_bytes(source: int, k: int) -> bytes:
    """Stands for a fleet's bytes where there is no fleet. Raises LookupError."""
    raise LookupError(f"frame {k} of transmitter {source} has no bytes: no fleet was added")


def _unchanged() -> int:
    return 0


@dataclass(frozen=True, slots=True)
class FleetFrames:
    """Where the bytes come from: `one` at a time, or `many`, where there is such a way. `changes`: how often something
    has happened to a meter, after which telegrams that were not yet sent may say something else."""

    one: FrameOf = no_bytes
    many: FramesOf | None = None
    changes: Callable[[], int] = _unchanged

    def made(self, meter: I64, k: I64) -> list[bytes]:
        """Telegrams k[i] of meter[i]."""
        if self.many is None or len(meter) < MADE_AT_ONCE_FROM:
            return [self.one(source, number) for source, number in zip(meter.tolist(), k.tolist(), strict=True)]
        return list(self.many(meter, k))


class MadeAhead:
    """Telegrams of a schedule that are asked for one at a time, about in its order; `rows`: those that may be."""

    def __init__(self, schedule: Schedule, rows: I64) -> None:
        self._schedule, self._rows = schedule, rows
        self._made: dict[int, bytes] = {}
        self._changes = 0  # of the fleet, when they were made

    def telegram(self, row: int, frames: FleetFrames) -> bytes:
        """That of a row; those of the next rows are made with it."""
        changes = frames.changes()
        if changes != self._changes:
            self._made.clear()
            self._changes = changes
        telegram = self._made.get(row)
        if telegram is None:
            at = int(np.searchsorted(self._rows, row))
            rows = self._rows[at : at + (_AHEAD if frames.many else 1)]
            made = frames.made(self._schedule.meter[rows], self._schedule.k[rows])
            self._made.update(zip(rows.tolist(), made, strict=True))
            telegram = self._made[row]
        return telegram
