"""Flood the portal with messages that it cannot judge."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.at_the_broker import in_each_mode
from attacks.reach import Reach
from sim.core.bundle import UP
from sim.portal.evidence_quota import ROWS_MOST
from sim.systems.keyless import keyless
from sim.truth.ground_truth import Truth

BEYOND = "messages kept beyond the sender's quota"


@attack(
    id="wan.flood",
    title="Flood the portal with messages that it cannot judge",
    threats=["W11"],
    can=Can.CERTIFICATE,
    ics=["T0814"],
    weakness={"portal.evidence_quota": False},
    seen_as="the portal's count of evidence that was dropped",
)
@dataclass
class Flood:
    """With a gateway's certificate, publish messages on its topic that are no bundles, each another one, half as many
    again as the portal keeps of a sender. What the portal keeps beyond that quota grows its disk without end; the
    quota, which the flood must fill to prove anything, is the sender's own, so nobody else loses messages by it."""

    gateway: int = 0
    at_s: float = 400.0
    count: int = ROWS_MOST * 3 // 2
    published: int = 0
    topic: str = ""

    def run(self, reach: Reach) -> Steps:
        identity = reach.steal(self.gateway)
        self.topic = UP.format(gateway=identity.client_id)
        yield reach.wait_until(self.at_s)
        payloads = [b"flood %d" % number for number in range(self.count)]
        if reach.leave(identity, self.topic, payloads):
            self.published = self.count
            reach.note("publish", f"{self.count} messages that are no bundles")

    def outcomes(self, truth: Truth) -> list[Outcome]:
        store = keyless(truth.world.system).portal.store
        kept = sum(one.topic == self.topic for one in store.evidence())
        beyond = max(0, kept - ROWS_MOST)
        return in_each_mode(
            truth, BEYOND, reached=self.published, achieved=beyond, bounded=kept >= ROWS_MOST,
            why=f"{kept} of {self.published} were kept", attacked=frozenset((self.topic.split("/")[1],)),
            evidence={"published": self.published, "kept": kept, "quota": ROWS_MOST},
        )  # fmt: skip
