"""air.pcapng of a run: what gateways received, everything attackers sent, and the messages that reached the portal, for
Wireshark (see reports/capture.py)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reports.capture import AIR, BROKER, Capture
from sim.core.events import Fate
from sim.endpoint.port import Message
from sim.portal.store import fingerprint
from sim.radio.emissions import Emission
from sim.radio.window_report import WindowReport
from sim.world import World

GENUINE_FRAMES_MAX = 20_000
"""Receptions of meters' frames kept a world; attackers' frames are always kept. The rest is counted."""
MESSAGE_BYTES_MAX = 1 << 21
"""The same for messages; one with a telegram in it that an attacker sent is always kept."""


class AirLog:
    """Taps a world's air, as a radio.window_report.WindowTap, and the messages of a system that has some, from now on
    until `close`."""

    def __init__(self, world: World, path: Path) -> None:
        self._world = world
        self._capture = Capture(path, world.calendar)
        self._genuine = self._message_bytes = 0
        self._spoken: set[bytes] = set()  # in hex, as bundles hold them
        world.air.taps.append(self)
        world.system.message_taps.append(self._tap_messages)

    def __call__(self, emission: Emission, receiver: int, fate: Fate, level_cdbm: int, /) -> None:
        """A frame met its fate at a receiver (see radio.air)."""
        genuine = emission.source < self._world.fleet.n
        foreign = not genuine and not emission.jammer and fingerprint(emission.telegram) in self._world.truth.foreign
        if emission.jammer or receiver >= len(self._world.gateways) or (genuine and fate is not Fate.RECEIVED):
            return
        if genuine:
            if self._genuine >= GENUINE_FRAMES_MAX:
                self._leave_out([emission.end_ns])
                return
            self._genuine += 1
        elif not foreign:
            self._spoken.add(emission.telegram.hex().encode())
        self._capture.frame(
            emission.end_ns, int(emission.mode), int(fate), 0 if genuine or foreign else 1, receiver, level_cdbm,
            emission.telegram,
        )  # fmt: skip

    def window(self, report: WindowReport, /) -> None:
        """The same of every row. Of meters' frames beyond the limit no more than the times are looked at."""
        rows = report.rows
        here, genuine = rows.receiver < len(self._world.gateways), rows.source < self._world.fleet.n
        counted = here & genuine & (rows.fate == Fate.RECEIVED)
        beyond = counted & (np.cumsum(counted) > GENUINE_FRAMES_MAX - self._genuine)
        for at in np.flatnonzero((here & ~genuine) | (counted & ~beyond)).tolist():
            emission, fate = report.emissions[int(report.frame[at])], Fate(int(rows.fate[at]))
            self(emission, int(rows.receiver[at]), fate, int(rows.rssi_cdbm[at]))
        self._leave_out(report.end_ns[beyond].tolist())

    def _leave_out(self, times_ns: Sequence[int]) -> None:
        self._capture.leave_out(AIR, times_ns, f"{GENUINE_FRAMES_MAX} receptions of meters' frames")

    def _tap_messages(self, messages: Sequence[Message], now_ns: int) -> None:
        for message in messages:
            self._message_bytes += len(message.payload)
            # In a bundle a telegram is a JSON string of hex digits.
            strings = message.payload.split(b'"')
            keep = not (self._spoken.isdisjoint(strings) and self._world.truth.brought.isdisjoint(strings))
            if keep or self._message_bytes <= MESSAGE_BYTES_MAX:
                self._capture.message(now_ns, message.topic, message.payload, keep=keep)
            else:
                limit = f"{MESSAGE_BYTES_MAX} bytes of messages"
                self._capture.leave_out(BROKER, [now_ns], limit)

    def close(self) -> None:
        self._capture.close()
