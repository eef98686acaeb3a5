"""Telegrams of a meter were refused as replayed or forged."""

from __future__ import annotations

from typing import Final

from sim.core.clock import NS_PER_HOUR
from sim.portal.alarm import Alarm, Watcher

QUIET_NS: Final = NS_PER_HOUR
QUIET_INTERVALS: Final = 3


class Freshness(Watcher):
    """Ends an hour after the last one, and three of the meter's intervals at least."""

    def refused(self, meter: str, now_ns: int, detail: str) -> None:
        self.episodes.occur("freshness", meter, now_ns, detail)

    def watch(self, now_ns: int) -> None:
        for meter, episode in list(self.episodes.standing("freshness").items()):
            entry = self.around.silence.entry(meter)
            if now_ns - episode.last_ns > max(QUIET_NS, QUIET_INTERVALS * entry.interval_ns if entry else 0):
                self.episodes.end("freshness", meter, now_ns)


ALARM = Alarm("freshness", 30, Freshness)
