"""Clone a smart meter gateway from its disk, without its security module."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY, forged_delivery, forged_values, meters_on, refused
from attacks.reach import Reach
from sim.truth.ground_truth import Truth

FORGED = "values forged, signed by a key of one's own"
AGAIN = "an old container handed in again"


@attack(
    id="smgw.clone",
    title="Clone a smart meter gateway without its security module",
    threats=[],
    can=Can.BOX_DISK,
    ics=["T0859", "T0856"],
    weakness={"system.verify_content": False},
    seen_as="supplier: container refused",
)
@dataclass
class SmgwClone:
    """With everything that is on a gateway's disk (meters' keys, its certificate, its store), and the gateway's way to
    the supplier. The key that signs is in the module, so the clone signs forged registers with a key of its own; and it
    hands in containers again that passed before. Control: a supplier who looks at neither signature nor age."""

    gateway: int = 0
    at_s: float = 7_500.0
    shots: int = 3
    meters: tuple[str, ...] = ()
    sent: int = 0
    again: int = 0
    gateway_id: str = ""
    _numbers: set[int] = field(default_factory=set)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        self.gateway_id = reach.box_name(self.gateway)
        self.meters = tuple(meters_on(reach.box_files(self.gateway))[: self.shots])
        for number, meter in enumerate(self.meters):
            delivery = forged_delivery(self.gateway_id, meter, 900_000 + number, reach.today_utc())
            reach.hand_in(self.gateway_id, reach.container_of_own(self.gateway, delivery))
            reach.note("hand in", f"{FORGED}: {meter}")
            self.sent += 1
        for old in [one for one in reach.relayed() if one.gateway == self.gateway_id][: self.shots]:
            reach.hand_in(self.gateway_id, old.payload)
            reach.note("hand in", AGAIN)
            self.again += 1

    def outcomes(self, truth: Truth) -> list[Outcome]:
        forged = forged_values(truth)
        twice = repeated(truth, self.gateway_id)
        reasons = refused(truth, self.gateway_id)
        return [
            Outcome(FORGED, SECURITY, self.sent, forged, why=_why(forged, reasons),
                    evidence={"containers": self.sent, "values stored": forged}),
            Outcome(AGAIN, SECURITY, self.again, twice, why=_why(twice, reasons),
                    evidence={"containers": self.again, "values stored again": twice}),
        ]  # fmt: skip


def repeated(truth: Truth, gateway: str) -> int:
    """Values of a gateway that the supplier has more than once."""
    rows = [one[2:] for one in truth.world.system.delivered() if one.gateway == gateway]
    return len(rows) - len(set(rows))


def _why(achieved: int, reasons: str) -> str:
    return "the supplier stored it" if achieved else reasons
