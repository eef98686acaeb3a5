"""Steal a market participant's key, and open what was relayed to him."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY
from attacks.reach import Reach
from sim.pki.sealed_content import ContentError
from sim.pki.signed_content import open_content
from sim.smgw.delivered_content import Value, decode
from sim.truth.ground_truth import Truth

READINGS = "readings of single quarter hours"
REGISTERS = "registers of a period"
NEVER_SENT = "none was ever sent to him"


@attack(
    id="smgw.supplier_key",
    title="Steal the supplier's key, and open what was relayed to him",
    threats=[],
    can=Can.RECEIVER_KEY,
    ics=["T0811", "T0882"],
    weakness={"system.taf": 7},
    seen_as="nothing: reading a copy leaves no trace",
    refused_as=(NEVER_SENT,),
)
@dataclass
class SmgwSupplierKey:
    """What was recorded of the WAN is opened with the stolen key. It opens all that was ever sent to the supplier, and
    nothing that never left a house. "readings" are values of single quarter hours, which say when somebody was at home;
    "registers" are sums, and values at set dates. Control of the first: TAF 7, under which readings leave."""

    at_s: float = 12_600.0
    opened: list[Value] = field(default_factory=list)
    containers: int = 0

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        key = reach.receiver_key()
        for one in reach.relayed_to_him():
            try:
                content, _ = open_content(one.payload, key, reach.signer_of(one.gateway))
            except ContentError:
                continue
            self.containers += 1
            self.opened += decode(content).values
        reach.note("open", f"{self.containers} containers")

    def outcomes(self, truth: Truth) -> list[Outcome]:
        readings = [one for one in self.opened if one.taf == 7 and one.amount is not None]
        registers = [one for one in self.opened if one.taf != 7]
        known = truth.world.stored.count_readings()
        return [
            Outcome(READINGS, SECURITY, known, len(readings), evidence={"readings in the gateways": known},
                    why="a load profile was sent to him" if readings else NEVER_SENT),
            Outcome(REGISTERS, SECURITY, self.containers, len(registers), evidence={"containers": self.containers},
                    why="they were sent to him"),
        ]  # fmt: skip
