"""Over a day fewer readings of a meter than its interval promises: slow jamming or withholding leaves no gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.core.clock import NS_PER_DAY
from sim.core.settings import number
from sim.portal.alarm import Alarm, Around, Watcher

UNDER_WAY: Final = 1
"""Telegrams that a day's last bundles may still hold."""


@dataclass(frozen=True)
class Settings:
    """Which share of a day's telegrams must have become readings."""

    completeness_least: float = number(0.5, low=0.0, high=1.0)


class Completeness(Watcher):
    """Asked when a day of the portal's clock is over; ends with a better day. A meter that pauses by plan promises no
    number, and one that is longer than a day apart none that a day could tell."""

    def __init__(self, around: Around) -> None:
        super().__init__(around)
        self._day: int | None = None

    def watch(self, now_ns: int) -> None:
        day, before = now_ns // NS_PER_DAY, self._day
        self._day = day
        if before is None or day == before:
            return
        end_ns = day * NS_PER_DAY
        counts = self.around.store.taken_between(end_ns - NS_PER_DAY, end_ns)
        for entry in self.around.registry:
            due = NS_PER_DAY // entry.interval_ns
            if entry.planned_silence_s > 0 or due == 0:
                continue
            count = counts.get(entry.name, 0)
            if count + UNDER_WAY < self.around.spec.completeness_least * due:
                self.episodes.occur("completeness", entry.name, now_ns, f"{count} of {due} telegrams of a day")
            else:
                self.episodes.end("completeness", entry.name, now_ns)


ALARM = Alarm("completeness", 25, Completeness, Settings, portal_only=True)
