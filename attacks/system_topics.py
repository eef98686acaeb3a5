"""Read what a broker tells of itself."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.at_the_broker import in_each_mode
from attacks.reach import Reach
from sim.endpoint.port import Session
from sim.endpoint.topic_acl import matches
from sim.truth.ground_truth import Truth

SYSTEM = "reads the broker's own topics"
DROPPED = "nothing was delivered"
TOPICS = ("$SYS/broker/version", "$SYS/broker/uptime", "$SYS/broker/clients/#")


@attack(
    id="wan.system_topics",
    title="Read what a broker tells of itself",
    threats=["W10"],
    can=Can.CERTIFICATE,
    ics=["T0859"],
    weakness={"endpoint.per_device_acl": False},
    seen_as="nothing: the broker grants the subscription",
    refused_as=(DROPPED,),
    needs={"tls", "acl", "broker topics"},
)
@dataclass
class SystemTopics:
    """With the certificate of a gateway in stock: subscribe to topics under $SYS, where Mosquitto says how many
    clients there are and how busy they are. AWS IoT Core has no such topics."""

    name: str = "spare-1"
    from_s: float = 60.0
    ear: Session | None = None

    def run(self, reach: Reach) -> Steps:
        identity = reach.spare(self.name)
        yield reach.wait_until(self.from_s)
        self.ear = reach.connect(identity, subscribe=TOPICS)
        reach.let_work(self.ear)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        if self.ear is None:
            return []
        heard = {message.topic for message in self.ear.inbox}
        system = sum(any(matches(pattern, topic) for topic in heard) for pattern in TOPICS)
        return in_each_mode(truth, SYSTEM, reached=len(TOPICS), achieved=system,
                            why="they were delivered" if system else f"subscribed, and {DROPPED}",
                            evidence={"delivered": system})  # fmt: skip
