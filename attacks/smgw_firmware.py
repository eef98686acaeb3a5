"""Send smart meter gateways firmware that is not for them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY
from attacks.reach import Reach
from sim.core.events import FirmwareTold
from sim.pki.party_certificates import MAKER
from sim.smart_metering.gateway_firmware import DEVICE, REFUSED
from sim.smgw.firmware_image import REASONS, Firmware
from sim.truth.ground_truth import Truth

UNSIGNED = "an image without a signature"
FOREIGN = "an image signed by somebody else, in his own name"
BORROWED = "an image signed by somebody else, in the maker's name"
OLDER = "an older image of the maker's"
CUT = "an image of the maker's that ends early"
CHANGED = "an image of the maker's with one byte changed"
OTHER = "an image of the maker's for another device"
VARIANTS: Final = (UNSIGNED, FOREIGN, BORROWED, OLDER, CUT, CHANGED, OTHER)
_NEWER, _OLD = (2, 0, 0), (0, 9, 0)


class Sent(NamedTuple):
    """`digest`: SHA-256 of the program as it came."""

    variant: str
    gateway: int
    digest: str


@attack(
    id="smgw.firmware",
    title="Send a smart meter gateway firmware that is not for it",
    threats=["G09"],
    can=Can.RELAY,
    ics=["T0857", "T0839"],
    weakness={"system.check_firmware": False},
    seen_as="administrator: firmware refused, with the reason",
    refused_as=[f"{REFUSED}: {reason}" for reason in REASONS],
)
@dataclass
class SmgwFirmware:
    """Whoever is the administrator, or stands in his place, sends each of so many gateways one image after another: not
    signed; signed by a key of his own, in his name or in the maker's; genuine and older than what runs; genuine and cut
    short, or with one byte of the program changed; genuine and for another device. Counted are images that a gateway
    says run. He has all that the maker ever gave away, and no key of the maker's. Control: gateways that take whatever
    has a head."""

    gateways: int = 3
    from_s: float = 1_800.0
    apart_s: float = 600.0
    sent: list[Sent] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.from_s)
        for variant in VARIANTS:
            for gateway in range(self.gateways):
                image = _MADE[variant](reach, f"{variant}, {gateway}\n".encode() * 200)
                self.sent.append(Sent(variant, gateway, _digest(image)))
                reach.send_firmware(gateway, image)
            yield reach.wait(self.apart_s)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        told = truth.world.history.of(FirmwareTold)
        names = [gateway.id for gateway in truth.world.gateways]
        out = []
        for number, variant in enumerate(VARIANTS):
            sent = [one for one in self.sent if one.variant == variant]
            since_ns = round((self.from_s + number * self.apart_s) * 1e9)
            until_ns = since_ns + round(self.apart_s * 1e9)
            mine = [one for one in told if since_ns <= one.time_ns < until_ns]
            reached = [one for one in sent if any(name.gateway == names[one.gateway] for name in mine)]
            runs = [
                one for one in sent
                if any(t.installed and t.gateway == names[one.gateway] and t.detail == one.digest for t in mine)
            ]  # fmt: skip
            reasons = sorted({one.what for one in mine if not one.installed})
            why = f"{len(runs)} gateways run it" if runs else ", ".join(reasons)
            evidence: dict[str, int | float | str] = {"images": len(sent), "judged": len(reached), "run": len(runs)}
            out.append(Outcome(variant, SECURITY, len(reached), len(runs), why=why, evidence=evidence))
        return out


def _digest(image: bytes) -> str:
    """Of what stands behind the signature."""
    head_end = 7 + int.from_bytes(image[5:7], "big")
    signed_end = head_end + 36
    return hashlib.sha256(image[signed_end + 1 + image[signed_end] :]).hexdigest()


def _changed(image: bytes) -> bytes:
    return image[:-10] + bytes((image[-10] ^ 1,)) + image[-9:]


_MADE: Final[dict[str, Callable[[Reach, bytes], bytes]]] = {
    UNSIGNED: lambda reach, program: reach.image_of_own(Firmware(DEVICE, _NEWER, program), MAKER, signed=False),
    FOREIGN: lambda reach, program: reach.image_of_own(Firmware(DEVICE, _NEWER, program), "stranger.GWH"),
    BORROWED: lambda reach, program: reach.image_of_own(Firmware(DEVICE, _NEWER, program), MAKER),
    OLDER: lambda reach, program: reach.makers_image(Firmware(DEVICE, _OLD, program)),
    CUT: lambda reach, program: reach.makers_image(Firmware(DEVICE, _NEWER, program))[:-100],
    CHANGED: lambda reach, program: _changed(reach.makers_image(Firmware(DEVICE, _NEWER, program))),
    OTHER: lambda reach, program: reach.makers_image(Firmware("another-device", _NEWER, program)),
}
