"""Water runs through a meter without a pause, more than it ever did at this hour: a burst pipe, or a tap left open.

In each of `leak_intervals` intervals one after the other it must have been `leak_l_h` more than the most that the same
meter ran without a pause at this hour, or the hours beside it, on its last KEPT_DAYS days. A household that draws water
all evening has its own most there; at night, when nobody draws, any flow is too much. Where telegrams are missing the
flow over the time between is taken for each interval in it, for at most LONGEST intervals; beyond, nobody knows of a
pause.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sim.core.clock import NS_PER_DAY, NS_PER_HOUR
from sim.core.settings import number
from sim.portal.alarm import Accepted, Alarm, Around, Watcher

KEPT_DAYS: Final = 28
LONGEST: Final = 3
_HOURS: Final = 24
_LITRES: Final = 1_000


@dataclass(frozen=True)
class Settings:
    """`leak_l_h`: three quarters of the smallest leak that must be found, since a display of whole litres shows less in
    some intervals. `leak_learn_days`: a meter's first days, on which it has no alarm."""

    leak_l_h: float = number(15.0, low=0.1, high=100_000.0)
    leak_intervals: int = number(6, low=2, high=96)
    leak_learn_days: int = number(7, low=1, high=KEPT_DAYS)


@dataclass(slots=True)
class Flow:
    """One meter: its latest reading, its flow in the latest intervals (l/h), and for each hour of the day the most that
    ran without a pause on a day, newest last."""

    last_ns: int
    last_m3: float
    first_day: int
    flows_l_h: deque[float]
    most_l_h: dict[int, deque[tuple[int, float]]] = field(default_factory=dict)

    def read(self, at_ns: int, volume_m3: float, interval_ns: int) -> bool:
        """A reading; False where it is no news: older than the latest, or less than half an interval after it."""
        spans = round((at_ns - self.last_ns) / interval_ns)
        if spans < 1:
            return False
        rise_l = (volume_m3 - self.last_m3) * _LITRES
        if rise_l < 0 or spans > LONGEST:
            self.flows_l_h.clear()
        else:
            self.flows_l_h.extend([rise_l * NS_PER_HOUR / (at_ns - self.last_ns)] * spans)
        self.last_ns, self.last_m3 = at_ns, volume_m3
        return True

    @property
    def unbroken_l_h(self) -> float:
        """What ran in each of the latest intervals; 0 while there are not enough of them."""
        return min(self.flows_l_h) if len(self.flows_l_h) == self.flows_l_h.maxlen else 0.0

    def usual_l_h(self, at_ns: int) -> float:
        """The most that it was around this hour on earlier days: what ran within half a day may be the leak's first."""
        hour, usual = at_ns // NS_PER_HOUR, 0.0
        for beside in ((hour + by) % _HOURS for by in (-1, 0, 1)):
            for day, most in self.most_l_h.get(beside, ()):
                if _HOURS / 2 <= hour - (day * _HOURS + beside) <= KEPT_DAYS * _HOURS:
                    usual = max(usual, most)
        return usual

    def leaks(self, at_ns: int, more_l_h: float, learn_days: int) -> bool:
        """Runs so much more without a pause than is usual around this hour? Nobody knows on its first days."""
        runs_l_h = self.unbroken_l_h
        if runs_l_h < more_l_h or at_ns // NS_PER_DAY - self.first_day < learn_days:
            return False
        return runs_l_h >= self.usual_l_h(at_ns) + more_l_h

    def learn(self, at_ns: int) -> None:
        """What runs now is usual here."""
        hour, day = at_ns // NS_PER_HOUR % _HOURS, at_ns // NS_PER_DAY
        days = self.most_l_h.setdefault(hour, deque(maxlen=KEPT_DAYS))
        if days and days[-1][0] == day:
            days[-1] = day, max(days[-1][1], self.unbroken_l_h)
        else:
            days.append((day, self.unbroken_l_h))


class Leak(Watcher):
    """Ends with an interval in which less than `leak_l_h` ran. While it stands nothing is learned."""

    def __init__(self, around: Around) -> None:
        super().__init__(around)
        self.forget()

    def forget(self) -> None:
        self._flows: dict[str, Flow] | None = None
        self._intervals: dict[str, int] = {}

    def took(self, accepted: Accepted, now_ns: int) -> None:
        places = np.flatnonzero(~np.isnan(accepted.volume_m3)).tolist()
        if not places:
            return
        if self._flows is None:
            self._flows = {}
            for meter, at_ns, volume_m3 in self.around.store.volumes_since(now_ns - KEPT_DAYS * NS_PER_DAY):
                self._read(meter, at_ns, volume_m3, None)
        received_ns, volumes_m3 = accepted.received_ns, accepted.volume_m3
        for place in places:
            self._read(accepted.meters[place], int(received_ns[place]), float(volumes_m3[place]), now_ns)

    def _read(self, meter: str, at_ns: int, volume_m3: float, now_ns: int | None) -> None:
        """`now_ns` None: it was judged before the portal was opened."""
        assert self._flows is not None, "made by took"
        spec, flow = self.around.spec, self._flows.get(meter)
        if flow is None:
            flows_l_h: deque[float] = deque(maxlen=spec.leak_intervals)
            self._flows[meter] = Flow(at_ns, volume_m3, at_ns // NS_PER_DAY, flows_l_h)
            return
        interval_ns = self._interval_ns(meter)
        if interval_ns == 0 or not flow.read(at_ns, volume_m3, interval_ns):
            return
        if meter in self.episodes.standing("leak"):
            if now_ns is not None and flow.flows_l_h and flow.flows_l_h[-1] < spec.leak_l_h:
                self.episodes.end("leak", meter, now_ns)
            return
        if not flow.leaks(at_ns, spec.leak_l_h, spec.leak_learn_days):
            flow.learn(at_ns)
        elif now_ns is not None:
            runs, usual = flow.unbroken_l_h, flow.usual_l_h(at_ns)
            said = f"{runs:.0f} l/h and more in each of {spec.leak_intervals} intervals; usual now: {usual:.0f}"
            self.episodes.occur("leak", meter, now_ns, said)

    def _interval_ns(self, meter: str) -> int:
        if meter not in self._intervals:
            self._intervals = {entry.name: entry.interval_ns for entry in self.around.registry}
        return self._intervals.get(meter, 0)


ALARM = Alarm("leak", 55, Leak, Settings, portal_only=True)
