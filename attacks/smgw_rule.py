"""Send a smart meter gateway a rule set that lets more leave than its contract allows."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY
from attacks.reach import Reach
from sim.truth.ground_truth import Truth

PROFILE = "a load profile by a false rule set"


@attack(
    id="smgw.rule",
    title="Send a smart meter gateway a rule set for a load profile",
    threats=[],
    can=Can.RELAY,
    ics=["T0836", "T0882"],
    weakness={},
    seen_as="nothing in this model: the consumer's log, which names each delivery, is not built",
)
@dataclass
class SmgwRule:
    """The administrator's rule sets are believed: one that says TAF 7 instead of the contract's lets every quarter hour
    leave for the supplier. Counted are readings that the supplier has."""

    gateway: int = 0
    at_s: float = 3_600.0

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        reach.send_rule(self.gateway, taf=7)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        rows = [one for one in truth.world.system.delivered() if one.taf == 7 and one.amount is not None]
        name = truth.world.gateways[self.gateway].id
        own = sum(entry.gateways == {name} for entry in truth.world.system.registry)
        why = f"{len(rows)} readings left the house" if rows else "none left"
        evidence: dict[str, int | float | str] = {"meters": own, "readings": len(rows)}
        return [Outcome(PROFILE, SECURITY, own, len(rows), why=why, evidence=evidence)]
