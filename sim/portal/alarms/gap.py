"""No accepted telegram for more than `gap_intervals` of the meter's interval, its planned pauses added."""

from __future__ import annotations

from dataclasses import dataclass

from sim.core.clock import NS_PER_S
from sim.core.settings import number
from sim.portal.alarm import Accepted, Alarm, Watcher


@dataclass(frozen=True)
class Settings:
    """How many intervals without a reading are a gap."""

    gap_intervals: float = number(3.0, low=1.0, high=1_000.0)


class Gap(Watcher):
    """Ends with the next reading."""

    def took(self, accepted: Accepted, now_ns: int) -> None:
        for meter in self.around.silence.spoke:
            self.episodes.end("gap", meter, now_ns)

    def watch(self, now_ns: int) -> None:
        for meter, silent_ns in self.around.silence.fell.items():
            entry = self.around.silence.entry(meter)
            assert entry is not None
            since = f"{silent_ns / NS_PER_S:.0f} s, interval {entry.interval_s:g} s"
            self.episodes.occur("gap", meter, now_ns, f"no accepted telegram for {since}")


ALARM = Alarm("gap", 20, Gap, Settings)
