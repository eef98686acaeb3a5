"""Send a smart meter gateway a rule set that lets more leave than its contract allows."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, Outcome, Steps, Watch, attack
from attacks.parts.delivered_forgeries import SECURITY
from attacks.reach import Reach
from sim.systems._smgw_running import smgw
from sim.truth.ground_truth import Truth

PROFILE = "a load profile by a false rule set"


@attack(
    id="smgw.rule",
    title="Send a smart meter gateway a rule set for a load profile",
    threats=[],
    can=Can.RELAY,
    ics=["T0836", "T0882"],
    weakness={"system.consumers_look_s": 0.0},
    seen_as="consumer: the own log names a rule set that was not agreed",
)
@dataclass
class SmgwRule:
    """The administrator's rule sets are believed: one that says TAF 7 instead of the contract's lets every quarter hour
    leave for the supplier. Counted are readings that the supplier has. The gateway writes the rule set into the log of
    every consumer first, so who looks there knows; it cannot be undone. Control: nobody looks."""

    gateway: int = 0
    at_s: float = 3_600.0
    sent_ns: int = 0

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        self.sent_ns = reach.now_ns
        reach.send_rule(self.gateway, taf=7)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        rows = [one for one in truth.world.system.delivered() if one.taf == 7 and one.amount is not None]
        box = smgw(truth.world.system).gateways[self.gateway]
        own = len(box.registry)
        why = f"{len(rows)} readings left the house" if rows else "none left"
        evidence: dict[str, int | float | str] = {"meters": own, "readings": len(rows)}
        watch = Watch(("data",), tuple(box.owners()), self.sent_ns)
        return [Outcome(PROFILE, SECURITY, own, len(rows), watch=watch, why=why, evidence=evidence)]
