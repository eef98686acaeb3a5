"""Telegrams of a meter were refused as replayed or forged. Of more meters than a person reads about, which one gateway
brings, the others are one alarm about that gateway."""

from __future__ import annotations

from typing import Final

from sim.core.clock import NS_PER_HOUR
from sim.portal.alarm import Alarm, Around, Watcher

QUIET_NS: Final = NS_PER_HOUR
QUIET_INTERVALS: Final = 3
MOST: Final = 50
"""Meters with an alarm of their own at one gateway."""


class Freshness(Watcher):
    """Ends an hour after the last one, and three of the meter's intervals at least."""

    def __init__(self, around: Around) -> None:
        super().__init__(around)
        self.forget()

    def forget(self) -> None:
        self._told: dict[str, set[str]] = {}

    def refused(self, meter: str, gateway: str, now_ns: int, detail: str) -> None:
        standing, told = self.episodes.standing("freshness"), self._told.setdefault(gateway, set())
        if meter in standing or len(told) < MOST:
            told.add(meter)
            self.episodes.occur("freshness", meter, now_ns, detail)
        else:
            self.episodes.occur("freshness", gateway, now_ns, f"more than {MOST} meters; {meter}: {detail}")

    def watch(self, now_ns: int) -> None:
        for meter, episode in list(self.episodes.standing("freshness").items()):
            entry = self.around.silence.entry(meter)
            if now_ns - episode.last_ns > max(QUIET_NS, QUIET_INTERVALS * entry.interval_ns if entry else 0):
                self.episodes.end("freshness", meter, now_ns)
                for told in self._told.values():
                    told.discard(meter)


ALARM = Alarm("freshness", 30, Freshness)
