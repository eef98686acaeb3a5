"""Run the processor of a smart meter gateway while its security module is inside."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY, forged_delivery, forged_values, meters_on
from attacks.reach import Reach
from sim.truth.ground_truth import Truth

FORGED = "values forged, signed by the gateway's module"


@attack(
    id="smgw.takeover",
    title="Run a smart meter gateway's processor, its module inside",
    threats=[],
    can=Can.BOX,
    ics=["T0831", "T0856"],
    weakness={},
    seen_as="nothing: the module signs what its gateway gives it",
)
@dataclass
class SmgwTakeover:
    """The module keeps its keys and signs what the processor gives it, so whoever runs the processor delivers any
    register. Only the meter itself, or a comparison with its readings, tells."""

    gateway: int = 0
    at_s: float = 7_500.0
    shots: int = 3
    sent: int = 0

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        name = reach.box_name(self.gateway)
        for number, meter in enumerate(meters_on(reach.box_files(self.gateway))[: self.shots]):
            delivery = forged_delivery(name, meter, 900_000 + number, reach.today_utc())
            reach.hand_in(name, reach.container_by_module(self.gateway, delivery))
            reach.note("hand in", f"{FORGED}: {meter}")
            self.sent += 1

    def outcomes(self, truth: Truth) -> list[Outcome]:
        forged = forged_values(truth)
        why = "the supplier stored it: the signature is genuine" if forged else "nothing was stored"
        return [Outcome(FORGED, SECURITY, self.sent, forged, why=why, evidence={"containers": self.sent})]
