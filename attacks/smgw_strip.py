"""Take the signed attributes off a smart meter gateway's container, or another content under them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts import signed_forgeries
from attacks.parts.delivered_forgeries import SECURITY, forged_deliveries, forged_values, refused
from attacks.reach import Reach
from sim.systems._smgw_running import smgw
from sim.truth.ground_truth import Truth

STRIPPED = "signed attributes stripped: bytes that pass for signed content"
EXCHANGED = "another content under a genuine signature: values stored"


@attack(
    id="smgw.strip",
    title="Strip the signed attributes from a container",
    threats=[],
    can=Can.BOX_DISK,
    ics=["T0856", "T0830"],
    weakness={"system.check_attributes": False},
    seen_as="supplier: container refused",
)
@dataclass
class SmgwStrip:
    """What a gateway signs are the attributes, which name the content's type and digest. Without them the same
    signature is one over the attributes' own bytes: a receiver that does not insist on them believes that the gateway
    signed these as content. With them, and another content sealed for the supplier, a receiver that does not compare
    the digest stores what anybody made. Control: a lax supplier, who looks at the signature alone."""

    gateway: int = 0
    at_s: float = 7_500.0
    shots: int = 3
    stripped: list[str] = field(default_factory=list)
    exchanged: int = 0
    gateway_id: str = ""

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        name = self.gateway_id = reach.box_name(self.gateway)
        genuine = [one.payload for one in reach.relayed() if one.gateway == name]
        for number, delivery in enumerate(forged_deliveries(reach, self.gateway, self.shots)):
            container, content = signed_forgeries.stripped(genuine[number % len(genuine)])
            self.stripped.append(hashlib.sha256(content).hexdigest())
            reach.hand_in(name, container)
            reach.note("hand in", STRIPPED)
            forged = reach.sealed_of_own(self.gateway, delivery)
            reach.hand_in(name, signed_forgeries.exchanged(genuine[number % len(genuine)], forged))
            reach.note("hand in", EXCHANGED)
            self.exchanged += 1

    def outcomes(self, truth: Truth) -> list[Outcome]:
        believed = {content for who, content in smgw(truth.world.system).portal.vouched() if who == self.gateway_id}
        passed = sum(one in believed for one in self.stripped)
        stored = forged_values(truth)
        reasons = refused(truth, self.gateway_id)
        return [
            Outcome(STRIPPED, SECURITY, len(self.stripped), passed, evidence={"containers": len(self.stripped)},
                    why="the supplier believed that the gateway signed them" if passed else reasons),
            Outcome(EXCHANGED, SECURITY, self.exchanged, stored, evidence={"containers": self.exchanged},
                    why="the supplier stored them" if stored else reasons),
        ]  # fmt: skip
