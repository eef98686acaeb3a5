"""Set a gateway's clock wrong, so that the portal refuses what it brings."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, Outcome, Steps, Watch, attack
from attacks.reach import Reach
from sim.core.clock import ns
from sim.core.settings import without
from sim.truth.ground_truth import Sent, Truth

FIRST, LATER = "telegrams refused in the window in which it was set", "telegrams refused afterwards"
OWN_TIME = "judged by the meters' own time"


@attack(
    id="gateway.wrong_clock",
    title="Set a gateway's clock wrong",
    threats=["G05"],
    can=Can.CLOCK,
    ics=["T0836"],
    weakness={"portal.gateway_clocks": False, "portal.alarms": without("clock")},
    seen_as="alarm: a gateway's clock is wrong",
    refused_as=(OWN_TIME,),
)
@dataclass
class WrongClock:
    """Who answers a gateway's time protocol sets its clock ahead. To a portal that believes the gateway every telegram
    is from the future then. Counted are telegrams that the gateway received since and the portal refused: in the
    window in which the clock was set, where telegrams under the right and under the wrong time come together and its
    meters do not agree, and afterwards."""

    gateway: int = 0
    at_s: float = 900.0
    offset_s: float = 1_200.0
    victim: str = ""

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        self.victim = reach.set_clock(self.gateway, self.offset_s)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        if not self.victim:
            return []
        mine = {one.name for one in truth.world.system.registry if self.victim in one.gateways}
        set_ns = ns(self.at_s)
        until_ns = set_ns + ns(truth.world.spec.window_s)
        watch = Watch(("clock",), (self.victim,), set_ns)
        found = []
        for variant, times in ((FIRST, (set_ns, until_ns)), (LATER, (until_ns,))):
            came = [one for one in truth.sent(*times) if truth.address(one) in mine]
            for security in sorted(truth.securities):
                its = [one for one in came if truth.security(one) == security]
                refused = [one for one in its if _is_refused(one, truth)]
                found.append(Outcome(
                    variant, security, reached=len(its), achieved=len(refused), watch=watch,
                    why=f"{len(refused)} of {len(its)} were refused" if refused else OWN_TIME,
                    evidence={"received": len(its), "refused": len(refused)},
                    attacked=frozenset((self.victim, *map(truth.address, refused))),
                ))  # fmt: skip
        return found


def _is_refused(one: Sent, truth: Truth) -> bool:
    return one.reading is None and bool(truth.refused_as(one.mark))
