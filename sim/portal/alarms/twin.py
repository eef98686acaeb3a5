"""Two devices use one gateway's name: other content under one sequence, or boots that alternate
(docs/decisions/portal-twin-births.md)."""

from __future__ import annotations

from collections import deque
from typing import Final

from sim.core.clock import NS_PER_DAY, NS_PER_S
from sim.portal.alarm import Alarm, Around, Watcher
from sim.portal.store_port import Birth

QUIET_NS: Final = NS_PER_DAY
RECONNECTS: Final = 3
"""More than these within the span below: the gateway is being displaced, not shaken."""
RECONNECT_SPAN_NS: Final = 900 * NS_PER_S


class Twin(Watcher):
    """Ends a day after the last sign of it."""

    def __init__(self, around: Around) -> None:
        super().__init__(around)
        self._reconnects: dict[str, deque[int]] = {}

    def forget(self) -> None:
        self._reconnects = {}

    def conflict(self, gateway: str, now_ns: int, detail: str) -> None:
        self.episodes.occur("twin", gateway, now_ns, detail)

    def born(self, gateway: str, boot: str, connects: int, now_ns: int) -> None:
        """A new boot alone is a power cycle; a boot that was left and comes back, a count of sessions that falls, or
        more connects than a shaky network explains are two devices."""
        store = self.around.store
        known = {birth.boot: (birth.place, birth.connects) for birth in store.births(gateway)}
        latest = max((place for place, _ in known.values()), default=-1)
        place, count = known.get(boot, (latest + 1, 0))
        if connects == count:
            return  # the broker delivered it twice
        occur = self.episodes.occur
        if boot in known and place < latest and connects > count:
            occur("twin", gateway, now_ns, "a boot that was followed by another one is back")
            place = latest + 1
        elif connects < count - RECONNECTS:
            occur("twin", gateway, now_ns, f"its count of connections fell from {count} to {connects}")
        if connects > 1:
            times = self._reconnects.setdefault(gateway, deque(maxlen=RECONNECTS + 1))
            times.append(now_ns)
            if len(times) > RECONNECTS and now_ns - times[0] < RECONNECT_SPAN_NS:
                occur("twin", gateway, now_ns, f"more than {RECONNECTS} reconnects in a quarter of an hour")
        store.put_birth(Birth(gateway, boot, place, max(count, connects)))

    def watch(self, now_ns: int) -> None:
        for gateway, episode in list(self.episodes.standing("twin").items()):
            if now_ns - episode.last_ns > QUIET_NS:
                self.episodes.end("twin", gateway, now_ns)


ALARM = Alarm("twin", 40, Twin)
