"""Leave a retained message behind that outlives its sender."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.at_the_broker import empty_bundle, in_each_mode
from attacks.reach import Reach
from sim.core.bundle import UP
from sim.endpoint.topic_acl import READER
from sim.truth.ground_truth import Truth

KEPT = "a retained message outlives its sender"
KEPT_NOTHING = "the broker keeps nothing"
LATER = 3
DEADLINE_S = 10.0


@attack(
    id="wan.kept_message",
    title="Leave a retained message behind",
    threats=["W09"],
    can=Can.CERTIFICATE,
    ics=["T0856"],
    weakness={"endpoint.retained": True},
    seen_as="broker: a client that publishes retained messages is thrown off",
    refused_as=(KEPT_NOTHING,),
    needs={"tls", "retain"},
)
@dataclass
class KeptMessage:
    """A device publishes one message on its own topic, which it may, and asks the broker to keep it. Its certificate is
    taken back; whoever subscribes later is given the message all the same. Counted are later subscribers to whom it
    was delivered. That the portal drops what it has already is another matter (W12)."""

    name: str = "spare-1"
    at_s: float = 60.0
    payload: bytes = b""

    def run(self, reach: Reach) -> Steps:
        identity = reach.spare(self.name)
        yield reach.wait_until(self.at_s)
        session = reach.connect(identity)
        self.payload = empty_bundle(self.name, 0, reach.now_ns)
        session.publish(UP.format(gateway=self.name), self.payload, retain=True)
        reach.let_work(session)
        session.close()

    def outcomes(self, truth: Truth) -> list[Outcome]:
        if not self.payload:
            return []
        given = sum(self._is_given(truth) for _ in range(LATER))
        return in_each_mode(
            truth, KEPT, reached=LATER, achieved=given,
            why="the broker had kept it" if given else KEPT_NOTHING,
            evidence={"later subscribers": LATER, "given the message": given},
        )  # fmt: skip

    def _is_given(self, truth: Truth) -> bool:
        """Does somebody who may read everything, and comes now, get it?"""
        endpoint = truth.world.system.endpoint
        assert endpoint is not None, "an attack that has a certificate has a broker"
        late = endpoint.connect(endpoint.identity(READER), subscribe=(UP.format(gateway="+"),))
        came: list[bytes] = []

        def done() -> bool:
            came.extend(one.payload for one in late.inbox if one.retained)
            late.inbox.clear()
            return self.payload in came or (late.connected and fence())

        endpoint.settle(lambda: late.connected, DEADLINE_S)
        fence = endpoint.fence(late)
        endpoint.settle(done, DEADLINE_S)
        late.close()
        return self.payload in came
