"""Go on with the keys that a smart meter gateway had before they were renewed."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY, forged_deliveries, forged_values, meters_of, refused
from attacks.reach import Reach
from sim.core.events import SessionRefused
from sim.pki.party_certificates import Certificate
from sim.truth.ground_truth import Truth

SESSIONS = "sessions begun with the certificate of before"
VALUES = "values stored under the key of before"


@attack(
    id="smgw.former_key",
    title="Go on with the keys that a smart meter gateway had before they were renewed",
    threats=[],
    can=Can.BOX,
    ics=["T0859", "T0856"],
    weakness={"system.check_lists": False},
    seen_as="administrator: list-revoked; supplier: container refused",
)
@dataclass
class SmgwFormerKey:
    """Keys are renewed since some may have leaked. He has those of before: their certificate for sessions, which he
    noted in time, and the use of the key that signed, which lies in the module until the one after the next is made.
    Every `every_s` he tries a session, and hands in a register that the old key signed, once the new keys are at work
    and the old ones were taken back. Control: nobody looks at revocation lists."""

    gateway: int = 0
    from_s: float = 10_800.0
    every_s: float = 600.0
    shots: int = 12
    sent: int = 0
    begun: int = 0

    _noted: list[Certificate] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        self._noted.append(reach.session_certificate(self.gateway))
        yield reach.wait_until(self.from_s)
        name = reach.box_name(self.gateway)
        for delivery in forged_deliveries(reach, self.gateway, self.shots):
            self.begun += reach.session_by_former_key(self.gateway, self._noted[0])
            reach.hand_in(name, reach.container_by_former_key(self.gateway, delivery))
            self.sent += 1
            reach.note("old key", f"session and container in the name of {name}")
            yield reach.wait(self.every_s)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        name = truth.world.gateways[self.gateway].id
        own = frozenset({name, *meters_of(truth, name)})
        clauses = {one.clause for one in truth.world.history.of(SessionRefused) if one.gateway == name}
        stored = forged_values(truth)
        evidence: dict[str, int | float | str] = {"tries": self.sent}
        return [
            Outcome(SESSIONS, SECURITY, self.sent, self.begun, attacked=own, evidence=evidence,
                    why=f"refused: {', '.join(sorted(clauses))}" if clauses else "nobody looked"),
            Outcome(VALUES, SECURITY, self.sent, stored, attacked=own, evidence=evidence,
                    why="the supplier stored them" if stored else refused(truth, name)),
        ]  # fmt: skip
