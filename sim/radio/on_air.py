"""What is on the air or still to come: the fleet's schedules as they were played, and how many frames have ended.

The rule kept here: a frame is counted once, in the interval in which it ends, whether a receiver can hear it or not. A
schedule is kept until its last frame has ended, since a receiver that joins needs the frames that begin after it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.radio.emissions import Schedule

I64 = NDArray[np.int64]


class OnAir:
    """The fleet's schedules and the intruders' frames; see the module."""

    def __init__(self) -> None:
        self._parts: list[tuple[Schedule, I64]] = []  # with the frames' ends
        self._intruders_end_ns: list[int] = []
        self._counted_ns = 0

    def add(self, schedule: Schedule, end_ns: I64) -> None:
        """A schedule sorted by start, and when its frames end."""
        self._parts.append((schedule, end_ns))

    def add_intruder(self, end_ns: int) -> None:
        """An intruder's frame; bursts are none."""
        self._intruders_end_ns.append(end_ns)

    def since(self, begin_ns: int) -> list[Schedule]:
        """What begins at or after an instant."""
        parts = [part.part(int(np.searchsorted(part.start_ns, begin_ns)), len(part)) for part, _ in self._parts]
        return [part for part in parts if len(part)]

    def between(self, begin_ns: int, until_ns: int) -> Schedule:
        """What begins in [begin, until); sorted only where one schedule holds it."""
        parts = [part.part(0, int(np.searchsorted(part.start_ns, until_ns))) for part in self.since(begin_ns)]
        if len(parts) == 1:
            return parts[0]
        none = np.zeros(0, dtype=np.int64)
        return Schedule(*(np.concatenate([none, *(getattr(part, name) for part in parts)])
                          for name in ("start_ns", "meter", "k")))  # fmt: skip

    def ended(self, before_ns: int) -> int:
        """How many frames ended before an instant, and since the last call."""
        since_ns, self._counted_ns = self._counted_ns, before_ns
        count = sum(int(((end_ns >= since_ns) & (end_ns < before_ns)).sum()) for _, end_ns in self._parts)
        self._parts = [(part, end_ns) for part, end_ns in self._parts if int(end_ns.max()) >= before_ns]
        count += sum(end_ns < before_ns for end_ns in self._intruders_end_ns)
        self._intruders_end_ns = [end_ns for end_ns in self._intruders_end_ns if end_ns >= before_ns]
        return count
