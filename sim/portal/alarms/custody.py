"""A gateway was given acknowledgements that the portal did not sign: somebody on its path wants its bundles deleted."""

from __future__ import annotations

from typing import Final

from sim.core.bundle import Birth
from sim.core.clock import NS_PER_DAY
from sim.portal.alarm import Alarm, Watcher

QUIET_NS: Final = NS_PER_DAY


class Custody(Watcher):
    """Ends a day after the gateway last said so."""

    def born(self, birth: Birth, now_ns: int) -> None:
        if birth.refused > 0:
            self.episodes.occur(
                "custody", birth.gateway, now_ns, "it refused acknowledgements that are not the portal's"
            )

    def watch(self, now_ns: int) -> None:
        self.episodes.end_quiet("custody", QUIET_NS, now_ns)


ALARM = Alarm("custody", 42, Custody, portal_only=True)
