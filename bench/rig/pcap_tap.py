"""air.pcap of a run: what gateways received, and everything attackers sent, for Wireshark (see reports/wireshark)."""

from __future__ import annotations

from pathlib import Path

from reports.pcap import AirPcap
from sim.core.events import Fate
from sim.portal.store import fingerprint
from sim.radio.emissions import Emission
from sim.world import World

GENUINE_FRAMES_MAX = 20_000
"""Receptions of meters' frames kept a world; attackers' frames are always kept. The rest is counted."""


class AirLog:
    """Taps a world's air from now on until `close`."""

    def __init__(self, world: World, path: Path) -> None:
        self._world = world
        self._pcap = AirPcap(path, world.calendar)
        self._genuine = 0
        world.air.taps.append(self._tap)

    def _tap(self, emission: Emission, receiver: int, fate: Fate, level_cdbm: int) -> None:
        genuine = emission.source < self._world.fleet.n
        foreign = not genuine and not emission.jammer and fingerprint(emission.telegram) in self._world.truth.foreign
        if emission.jammer or receiver >= len(self._world.gateways) or (genuine and fate is not Fate.RECEIVED):
            return
        if genuine:
            self._genuine += 1
            if self._genuine > GENUINE_FRAMES_MAX:
                self._pcap.left_out += 1
                return
        self._pcap.write(
            emission.end_ns, int(emission.mode), int(fate), 0 if genuine or foreign else 1, receiver, level_cdbm,
            emission.telegram,
        )  # fmt: skip

    def close(self) -> None:
        self._pcap.close()
