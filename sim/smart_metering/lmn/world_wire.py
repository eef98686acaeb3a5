"""The two wires of a bus inside a world: every meter on it hears every frame, and so does whoever has a clip on it.

An exchange takes no world time: a frame takes milliseconds, and nothing here depends on them. Bytes are real. What two
meters send at once is what is left of both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sim.smart_metering.lmn.wired_meter import WiredMeter
from sim.smgw.hdlc import Frame, decode
from sim.smgw.lmn.bus import together
from sim.smgw.refusals import BadFrame

Clip = Callable[[bytes], bytes]
"""A frame without its flags -> what goes on instead of it."""


class WorldWire:
    """See wired_bus.Wire. `now_s`: true time. `cut`: nothing passes. `clips`: who sits on the wire."""

    def __init__(self, meters: Sequence[WiredMeter], now_s: Callable[[], int]) -> None:
        self.meters = meters
        self.cut = False
        self.clips: list[Clip] = []
        self.frames = self.bytes = 0
        self._now_s = now_s

    def exchange(self, sent: Frame) -> Frame | None:
        said = [frame for _, frame in self._said(sent)]
        return self._read(together([frame.encode() for frame in said])) if said else None

    def slots(self, sent: Frame, count: int) -> list[bytes]:
        slots: list[list[bytes]] = [[] for _ in range(count)]
        for slot, frame in self._said(sent):
            if slot < count:
                slots[slot].append(frame.encode())
        return [b"" if not one else self._passed(together(one)) for one in slots]

    def _said(self, sent: Frame) -> list[tuple[int, Frame]]:
        read = self._read(sent.encode())
        if read is None:
            return []
        now_s = self._now_s()
        for meter in self.meters:
            meter.measure(now_s)
        answers = (meter.take(read) for meter in self.meters)
        return [one for one in answers if one is not None]

    def _read(self, data: bytes) -> Frame | None:
        try:
            return decode(self._passed(data))
        except BadFrame:
            return None

    def _passed(self, data: bytes) -> bytes:
        if self.cut:
            return b""
        self.frames += 1
        self.bytes += len(data)
        for clip in self.clips:
            data = clip(data)
        return data
