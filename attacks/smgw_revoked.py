"""Go on with a smart meter gateway whose certificates were taken back."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY, forged_deliveries, forged_values, meters_of, refused
from attacks.reach import Reach
from sim.core.clock import ns
from sim.core.events import SessionRefused
from sim.truth.ground_truth import Truth

SESSION = "containers relayed once a session had to end"
VALUES = "values stored after the revocation"


@attack(
    id="smgw.revoked",
    title="Go on with a smart meter gateway whose certificates were taken back",
    threats=[],
    can=Can.BOX,
    ics=["T0859", "T0856"],
    weakness={"system.check_lists": False},
    seen_as="administrator: list-revoked; supplier: container refused",
)
@dataclass
class SmgwRevoked:
    """Who runs a gateway's processor has its live session with the administrator and its module, when its certificates
    are taken back, which the scenario does at `revoked_s`. He forges a register every `every_s` and gives it to the
    administrator in that session. A certificate is looked at when a session begins, so the live one goes on until its
    end, at most 48 hours; the supplier looks at each container's signer. Control: neither looks at revocation lists."""

    gateway: int = 0
    revoked_s: float = 7_200.0
    every_s: float = 600.0
    shots: int = 24
    sent: list[tuple[int, bytes, bool]] = field(default_factory=list)
    """When, which container, whether it was relayed."""

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.revoked_s + 1)
        name = reach.box_name(self.gateway)
        for delivery in forged_deliveries(reach, self.gateway, self.shots):
            container = reach.container_by_module(self.gateway, delivery)
            self.sent.append((reach.now_ns, container, reach.relay(self.gateway, container)))
            reach.note("relay", f"in the session of {name}")
            yield reach.wait(self.every_s)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        most_ns = ns(truth.world.spec.system.session_most_s)  # type: ignore[attr-defined]  # of system smgw
        name = truth.world.gateways[self.gateway].id
        own = frozenset({name, *meters_of(truth, name)})
        over_ns = ns(self.revoked_s) + most_ns
        late = [one for one in self.sent if one[0] >= over_ns]
        relayed = sum(one[2] for one in late)
        within = sum(relayed for at_ns, _, relayed in self.sent if at_ns < over_ns)
        stored = forged_values(truth)
        clauses = {one.clause for one in truth.world.history.of(SessionRefused) if one.gateway == name}
        return [
            Outcome(SESSION, SECURITY, len(late), relayed, bounded=within > 0 and not relayed, attacked=own,
                    why=f"{within} were relayed in the session that was open, {relayed} of {len(late)} behind its end "
                        f"({', '.join(sorted(clauses)) or 'nobody looked'})",
                    evidence={"relayed in the live session": within, "offered later": len(late)}),
            Outcome(VALUES, SECURITY, len(self.sent), stored, attacked=own,
                    why="the supplier stored them" if stored else refused(truth, name),
                    evidence={"containers": len(self.sent), "values stored": stored}),
        ]  # fmt: skip
