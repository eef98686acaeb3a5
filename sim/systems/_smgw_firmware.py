"""Firmware of a world's smart meter gateways: an image that came is written a piece at a time, while the world goes on;
without power it is not written on, and what is there afterwards is for the disk to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sim.core.clock import NS_PER_S, Steps
from sim.core.events import FirmwareTold
from sim.pki.party_certificates import MAKER, certified_point
from sim.pki.slot_keys import SlotKey, verifies
from sim.smart_metering.gateway_firmware import DEVICE, GatewayFirmware
from sim.smgw.firmware_image import Expected, Firmware, encode, version_text

if TYPE_CHECKING:
    from sim.systems._smgw_running import Smgw
    from sim.systems.port import Ground

STEP_S: Final = 5
"""Ours: of world time, for a piece of an image."""


class Firmwares:
    """`of`: gateway by gateway."""

    def __init__(self, system: Smgw, ground: Ground) -> None:
        self._system, self._ground = system, ground
        self.of: list[GatewayFirmware] = []
        self._boots: list[str] = []

    def start(self) -> None:
        maker = certified_point(self._system.root.registration.triples[MAKER].certificates["SIG"])
        check = self._system.settings.check_firmware
        expected = Expected(DEVICE, MAKER, lambda body, signature: verifies(maker, body, signature), check)
        for number, gateway in enumerate(self._system.gateways):
            self.of.append(GatewayFirmware(gateway.disk / "firmware", expected, self._teller(number)))
            self._boots.append("")
            self.look(number)

    def look(self, number: int) -> None:
        """A gateway may have been switched on again."""
        gateway, own = self._system.gateways[number], self.of[number]
        if gateway.up and self._boots[number] != gateway.boot:
            self._boots[number] = gateway.boot
            own.open()
            gateway.runs = version_text(own.version), own.digest

    def begin(self, number: int, image: bytes) -> None:
        """An image is there."""
        self._ground.clock.process(self._install(number, image))

    def by_maker(self, firmware: Firmware) -> bytes:
        """Its image, as the maker gives it to everybody."""
        root = self._system.root
        return encode(firmware, MAKER, SlotKey.of(root.key_of(root.registration.triples[MAKER], "SIG")).sign)

    def _install(self, number: int, image: bytes) -> Steps:
        gateway, own, clock = self._system.gateways[number], self.of[number], self._ground.clock
        boot = gateway.boot
        for _ in own.steps(image, self._now_s()):
            yield clock.timeout(STEP_S * NS_PER_S)
            if not gateway.up or gateway.boot != boot:
                return
        gateway.runs = version_text(own.version), own.digest

    def _teller(self, number: int) -> Callable[[str, str, bool], None]:
        def tell(what: str, detail: str, installed: bool) -> None:
            gateway = self._system.gateways[number]
            gateway.diary.firmware(self._now_s(), what, detail, installed=installed)
            self._ground.record(FirmwareTold(self._ground.clock.now_ns, gateway.id, what, detail, installed))

        return tell

    def _now_s(self) -> int:
        return int(self._ground.calendar.at(self._ground.clock.now_ns).timestamp())
