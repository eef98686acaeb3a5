"""A gateway's clock is wrong: meters that it hears agree on it, under their MACs."""

from __future__ import annotations

from sim.core.clock import NS_PER_S
from sim.portal.alarm import Alarm, Watcher
from sim.portal.gateway_offsets import is_wrong


class Clock(Watcher):
    """Ends when they agree that it is right."""

    def clock(self, gateway: str, off_ns: int, now_ns: int) -> None:
        if is_wrong(off_ns, self.around.spec.ts_tolerance_s):
            self.episodes.occur("clock", gateway, now_ns, f"its clock is {off_ns / NS_PER_S:+.0f} s off")
        else:
            self.episodes.end("clock", gateway, now_ns)


ALARM = Alarm("clock", 45, Clock, portal_only=True)
