"""A radio meter of security profile C and its gateway, frame by frame, over an air that loses what a test says."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sim.core.seeds import Seeds
from sim.pki.link_certificates import LinkEnd, made
from sim.smart_metering.lmn.radio_link import RadioLink, RadioPairing
from sim.smart_metering.lmn.radio_meter import RadioMeter
from sim.smart_metering.lmn.radio_registers import Counted
from sim.smgw.module.in_world import draws
from wmbus.link import Address

METER = Address("WMB", "63000001", 1, 2)
GATEWAY = Address("WMB", "64000001", 1, 0x31)
SINCE = datetime(2026, 1, 12, tzinfo=UTC)
NOW_S = int(SINCE.timestamp()) + 3_600
Change = Callable[[bytes], bytes]


def end(name: str) -> LinkEnd:
    return made(name, draws(Seeds(13), name, "key"), SINCE)


def registers(now_s: int) -> Counted:
    return Counted(10_000_000 + (now_s - NOW_S) * 3, 500)


class Pair:
    """Both ends. `to_meter`, `to_gateway`: what becomes of a frame on its way, b"" is lost."""

    def __init__(
        self, folder: Path, *, sealed: bool = True, pinned: bool = True, shown: LinkEnd | None = None,
        plain: bool = False,
    ) -> None:  # fmt: skip
        self.folder = folder
        meter, gateway = end("meter"), end("gateway")
        self.own = (shown or gateway).write(folder, "gateway")
        self.meter = RadioMeter(METER, meter.write(folder, "meter"), gateway.certificate, registers, plain=plain)
        self.pairing = RadioPairing(METER, self.own, meter.certificate, sealed, pinned)
        self.taken: list[Counted] = []
        self.told: list[tuple[str, str]] = []
        self.frames: list[tuple[str, bytes]] = []
        self.to_meter: Change = lambda frame: frame
        self.to_gateway: Change = lambda frame: frame
        self.power_on()

    def power_on(self) -> None:
        self.link = RadioLink(
            GATEWAY, self.pairing, lambda counted, _: self.taken.append(counted),
            lambda what, detail: self.told.append((what, detail)),
        )  # fmt: skip

    def cycle(self, now_s: int = NOW_S, most: int = 400) -> int:
        """One access cycle: frames that were sent, repeated ones with them."""
        before = len(self.frames)
        frame: bytes | None = self.meter.demand(now_s)
        lost = 0
        while len(self.frames) - before < most and lost < 12:
            assert frame is not None
            answer = self.link.hear(self._passed("meter", frame, self.to_gateway), now_s)
            heard = self.meter.hear(self._passed("gateway", answer, self.to_meter), now_s) if answer else b""
            if heard is None:
                break
            lost = 0 if heard else lost + 1
            frame = heard or self.meter.again()
        return len(self.frames) - before

    def _passed(self, who: str, frame: bytes, change: Change) -> bytes:
        self.frames.append((who, frame))
        return change(frame)


def losing(part: float, seed: int) -> Change:
    draw = random.Random(seed)
    return lambda frame: b"" if draw.random() < part else frame
