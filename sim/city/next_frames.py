"""The frames of a fleet that begin in one window after the other: each meter's next is known, so a window asks a meter
once and works out only what is sent.

    upcoming = NextFrames(t0_ns, period_ns, acc0)
    frames = upcoming.until(900 * 10**9)

The rule kept here: the same frames as the closed form of sim/meters/sending_times.py gives for any window.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.meters.sending_times import ACC_PREFIX, LIMIT_NS, STEPS, ScheduleOverflow
from sim.radio.due_frames import SendingTimes, due
from sim.radio.sweep_arrays import Frames

I64 = NDArray[np.int64]
_PREFIX: Final[I64] = np.array(ACC_PREFIX, dtype=np.int64)
_SHORTEST: Final = STEPS - 64  # an interval is at least so many 2048ths of the nominal one


class NextFrames:
    """From world time 0 on, by columns of a Population. `until` lends its arrays until it is called again. Raises
    ScheduleOverflow."""

    def __init__(self, t0_ns: I64, period_ns: I64, acc0: NDArray[np.integer[Any]]) -> None:
        self._meters = SendingTimes(t0_ns, period_ns, acc0, _PREFIX, np.zeros_like(t0_ns), t0_ns.copy())
        self.now_ns = 0
        self._room_ns = 0
        none = np.zeros(0, dtype=np.int64)
        self._room = Frames(np.zeros(len(t0_ns) + 1, dtype=np.int64), none, none)

    def until(self, until_ns: int) -> Frames:
        """What begins from the last call on and before `until_ns`."""
        if until_ns >= LIMIT_NS:
            raise ScheduleOverflow(f"a window ends {until_ns / 3.15576e16:.0f} years after the start, at most 146")
        begin_ns, self.now_ns = self.now_ns, until_ns
        if until_ns - begin_ns > self._room_ns:
            self._room_ns = until_ns - begin_ns
            room = int((self._room_ns // (self._meters.period_ns // STEPS * _SHORTEST) + 2).sum()) + 1
            self._room = Frames(self._room.first, np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64))
        count = due(self._meters, until_ns, self._room)
        return Frames(self._room.first, self._room.start_ns[:count], self._room.k[:count])
