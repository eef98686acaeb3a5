"""Come to the broker without a certificate."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.at_the_broker import empty_bundle, given_to_portal, in_each_mode, tries
from attacks.reach import Reach
from sim.core.bundle import UP
from sim.truth.ground_truth import Truth

SESSION, SPEAKS = "a session without a certificate", "speaks in a gateway's name without its certificate"
TRIES = 3


@attack(
    id="wan.anonymous",
    title="Come to the broker without a certificate",
    threats=["W06"],
    can=Can.NETWORK,
    ics=["T0859"],
    weakness={"endpoint.require_certificate": False},
    seen_as="broker: certificate required",
    needs={"tls", "acl"},
)
@dataclass
class Anonymous:
    """Whoever reaches the broker's port dials it without a certificate and says that he is a gateway, whose name stands
    on its box. Where he is believed he publishes bundles in its name."""

    gateway: int = 0
    at_s: float = 60.0
    opened: int = 0
    refusal: str = ""
    said: list[bytes] = field(default_factory=list)
    gateway_id: str = ""

    def run(self, reach: Reach) -> Steps:
        self.gateway_id = reach.name_of(self.gateway)
        stranger = reach.stranger(self.gateway_id)
        yield reach.wait_until(self.at_s)
        self.opened, self.refusal = tries(reach, stranger, TRIES)
        self.said = [empty_bundle(self.gateway_id, number, reach.now_ns) for number in range(TRIES)]
        reach.leave(stranger, UP.format(gateway=self.gateway_id), self.said)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        given = given_to_portal(truth, self.said)
        victim = frozenset((self.gateway_id,))
        return [
            *in_each_mode(truth, SESSION, reached=TRIES, achieved=self.opened, attacked=victim,
                          why=self.refusal or "the broker let it in", evidence={"sessions opened": self.opened}),
            *in_each_mode(truth, SPEAKS, reached=len(self.said), achieved=given, attacked=victim,
                          why="the portal took it for the gateway" if given else self.refusal,
                          evidence={"published": len(self.said), "given to the portal": given}),
        ]  # fmt: skip
