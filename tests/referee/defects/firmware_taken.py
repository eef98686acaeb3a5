"""A smart meter gateway that takes firmware which it must not, or loses what it had."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.referee.defect import GATEWAYS, SILENT, Patch, defect
from tests.referee.defects import plays

TAKES = "A gateway takes its maker's firmware and no other."
FIRMWARE = "sim.smart_metering.gateway_firmware:GatewayFirmware"


@defect("older-firmware-taken", GATEWAYS, TAKES, plays.FIRMWARE)
def _(patch: Patch) -> None:
    """Whatever the maker ever signed is taken, however old."""

    def instead(original: Any, image: bytes, expected: Any, running: Any) -> Any:
        return original(image, expected, (0, 0, 0))

    patch.around("sim.smart_metering.gateway_firmware:judge", instead)


@defect("firmware-of-any-signer-taken", GATEWAYS, TAKES, plays.FIRMWARE)
def _(patch: Patch) -> None:
    """Every signature is believed, and none as well."""

    def instead(original: Any, image: bytes, expected: Any, running: Any) -> Any:
        return original(image, dataclasses.replace(expected, verify=lambda body, signature: True), running)

    patch.around("sim.smart_metering.gateway_firmware:judge", instead)


@defect("firmware-refused-in-silence", GATEWAYS, TAKES, plays.FIRMWARE)
def _(patch: Patch) -> None:
    """The administrator is not told what became of an image."""
    patch.value(f"{FIRMWARE}.untold", property(lambda firmware: ()))


@defect("firmware-not-sent", SILENT, TAKES, plays.FIRMWARE)
def _(patch: Patch) -> None:
    """The attack says that it sent images, and sends none."""
    patch.around("attacks.reach_smgw:Relay.send_firmware", lambda original, reach, gateway, image: None)


@defect("switched-over-before-it-is-whole", GATEWAYS, "A power cut leaves the old or the new.", plays.INSTALLING)
def _(patch: Patch) -> None:
    """The file that says what runs is replaced before the program is written."""

    def instead(original: Any, firmware: Any, image: bytes, at_s: int) -> Any:
        from sim.smart_metering.gateway_firmware import judge

        found = judge(image, firmware._expected, firmware.version)
        firmware._point(firmware._other, found, unnoted_s=at_s)
        yield from original(firmware, image, at_s)

    patch.around(f"{FIRMWARE}.steps", instead)
