"""Go on with a certificate that was taken back."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.at_the_broker import empty_bundle, given_to_portal, in_each_mode, last_words, tries
from attacks.reach import Reach
from sim.core.bundle import UP
from sim.truth.ground_truth import Truth

NEW, LIVE = "a new session after revocation", "a live session after revocation"
TRIES = 3


@attack(
    id="wan.revoked",
    title="Go on with a certificate that was taken back",
    threats=["W05"],
    can=Can.CERTIFICATE,
    ics=["T0859"],
    weakness={"endpoint.revocation": "none"},
    seen_as="broker: certificate revoked",
    needs={"tls", "tls settings", "crl"},
)
@dataclass
class Revoked:
    """The certificate of a gateway in stock was stolen. Its thief has a session when it is revoked, which the scenario
    does; afterwards he publishes on it, and opens others. Counted are sessions opened, and messages that the portal was
    given after the revocation."""

    name: str = "spare-1"
    from_s: float = 60.0
    act_at_s: float = 400.0  # later than the scenario revokes
    opened: int = 0
    refusal: str = ""
    live: str = ""
    said: list[bytes] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        identity = reach.spare(self.name)
        yield reach.wait_until(self.from_s)
        session = reach.connect(identity)
        yield reach.wait_until(self.act_at_s)
        self.said = [empty_bundle(self.name, number, reach.now_ns) for number in range(TRIES)]
        reach.let_work(session)
        if session.connected:
            for payload in self.said:
                session.publish(UP.format(gateway=self.name), payload)
            reach.let_work(session)
        if not session.connected:
            reach.let_work(session)  # dropped: the next try says why
        self.live = last_words(session)
        session.close()
        self.opened, self.refusal = tries(reach, identity, TRIES)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        given = given_to_portal(truth, self.said)
        return [
            *in_each_mode(truth, NEW, reached=TRIES, achieved=self.opened,
                          why=self.refusal or "the broker let it in", evidence={"sessions opened": self.opened}),
            *in_each_mode(truth, LIVE, reached=len(self.said), achieved=given,
                          why="the session went on" if given else self.live,
                          evidence={"published": len(self.said), "given to the portal": given}),
        ]  # fmt: skip
