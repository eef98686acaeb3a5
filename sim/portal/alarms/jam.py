"""A good part of the meters bound to one gateway fall silent together."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from sim.portal.alarm import Alarm, Watcher

SHARE: Final = 0.3
LEAST: Final = 5
"""Meters; below that, silence is the meters' own."""


class Jam(Watcher):
    """Ends when less than half of so many are silent."""

    def watch(self, now_ns: int) -> None:
        mute = self.around.silence.silent
        if not self.episodes.standing("jam") and len(mute) < LEAST:
            return
        bound: dict[str, int] = defaultdict(int)
        silent: dict[str, int] = defaultdict(int)
        for entry in self.around.registry:
            for gateway in entry.gateways:
                bound[gateway] += 1
                silent[gateway] += entry.name in mute
        for gateway in sorted(bound):
            least = max(LEAST, SHARE * bound[gateway])
            if silent[gateway] >= least:
                self.episodes.occur("jam", gateway, now_ns, f"{silent[gateway]} of {bound[gateway]} meters silent")
            elif silent[gateway] < least / 2:
                self.episodes.end("jam", gateway, now_ns)


ALARM = Alarm("jam", 50, Jam)
