"""A known identification announced itself otherwise than it is registered: another maker, version, type or security."""

from __future__ import annotations

from typing import Final

from sim.core.clock import NS_PER_DAY
from sim.portal.alarm import Alarm, Watcher

QUIET_NS: Final = NS_PER_DAY


class Onboarding(Watcher):
    """Ends a day after the last announcement."""

    def announced(self, meter: str, now_ns: int, detail: str) -> None:
        self.episodes.occur("onboarding", meter, now_ns, detail)

    def watch(self, now_ns: int) -> None:
        self.episodes.end_quiet("onboarding", QUIET_NS, now_ns)


ALARM = Alarm("onboarding", 35, Onboarding, portal_only=True)
