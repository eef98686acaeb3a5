"""Two devices use one gateway's name: other content under one sequence, sequences far apart, boots that alternate or
come from another device (docs/decisions/portal-twin-births.md)."""

from __future__ import annotations

from collections import deque
from typing import Final

from sim.core import bundle
from sim.core.clock import NS_PER_DAY, NS_PER_S
from sim.portal.alarm import Alarm, Around, Watcher
from sim.portal.store_port import Birth

QUIET_NS: Final = NS_PER_DAY
RECONNECTS: Final = 3
"""More than these within the span below: the gateway is being displaced, not shaken."""
RECONNECT_SPAN_NS: Final = 900 * NS_PER_S
BOOTS: Final = 8
"""More new boots than these within the same span: no power supply is as bad as that."""
SEQUENCES: Final = 1_024
"""A gateway numbers its bundles one after the other; sixteen times what may be in flight are not lost on the way."""


class Twin(Watcher):
    """Ends a day after the last sign of it."""

    def __init__(self, around: Around) -> None:
        super().__init__(around)
        self.forget()

    def forget(self) -> None:
        self._reconnects: dict[str, deque[int]] = {}
        self._boots: dict[str, deque[int]] = {}
        self._highest: dict[str, int] = {}
        self._born: dict[str, tuple[str, int]] = {}  # gateway -> its latest boot, and when a birth of it came

    def bundled(self, gateway: str, sequence: int, now_ns: int) -> None:
        """One that is far from the highest before it, to either side, is another device's."""
        if gateway not in self._highest:
            self._highest[gateway] = self.around.store.highest_sequence(gateway, sequence)
        highest = self._highest[gateway]
        if abs(sequence - highest) > SEQUENCES:
            self.episodes.occur("twin", gateway, now_ns, f"sequence {sequence} after {highest}")
        self._highest[gateway] = max(highest, sequence)

    def conflict(self, gateway: str, now_ns: int, detail: str) -> None:
        self.episodes.occur("twin", gateway, now_ns, detail)

    def born(self, birth: bundle.Birth, now_ns: int) -> None:
        """A new boot alone is a power cycle; a boot that was left and comes back, a count of sessions that falls, or
        more connects than a shaky network explains are two devices."""
        gateway, boot, connects, _ = birth
        store = self.around.store
        before = store.births(gateway)
        known = {row.boot: (row.place, row.connects) for row in before}
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
        if boot not in known:
            last = next((row.boot for row in before if row.place == latest), boot)
            self._new_boot(gateway, boot, last, now_ns)
        if connects > 1:
            times = self._reconnects.setdefault(gateway, deque(maxlen=RECONNECTS + 1))
            last_boot, last_ns = self._born.get(gateway, ("", 0))
            if last_boot == boot:  # a killed broker lost births in between: none of them is older than the last
                times.extend([last_ns] * min(connects - count - 1, RECONNECTS))
            times.append(now_ns)
            if len(times) > RECONNECTS and now_ns - times[0] < RECONNECT_SPAN_NS:
                occur("twin", gateway, now_ns, f"more than {RECONNECTS} reconnects in a quarter of an hour")
        self._born[gateway] = boot, now_ns
        store.put_birth(Birth(gateway, boot, place, max(count, connects)))

    def _new_boot(self, gateway: str, boot: str, last: str, now_ns: int) -> None:
        """`<device>.<count>`: the count goes on, and the device stays."""
        device, _, count = boot.rpartition(".")
        last_device, _, last_count = last.rpartition(".")
        if device != last_device:
            self.episodes.occur("twin", gateway, now_ns, "another device than before")
        elif device and count.isdecimal() and last_count.isdecimal() and _less(count, last_count):
            self.episodes.occur("twin", gateway, now_ns, "its count of boots fell")
        times = self._boots.setdefault(gateway, deque(maxlen=BOOTS + 1))
        times.append(now_ns)
        if len(times) > BOOTS and now_ns - times[0] < RECONNECT_SPAN_NS:
            self.episodes.occur("twin", gateway, now_ns, f"more than {BOOTS} boots in a quarter of an hour")

    def watch(self, now_ns: int) -> None:
        self.episodes.end_quiet("twin", QUIET_NS, now_ns)


def _less(one: str, other: str) -> bool:
    """Of numbers of any length."""
    one, other = one.lstrip("0"), other.lstrip("0")
    return (len(one), one) < (len(other), other)


ALARM = Alarm("twin", 40, Twin, portal_only=True)
