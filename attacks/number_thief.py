"""Empty bundles under the numbers that wait in a gateway's outbox, so that it deletes what nobody has."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, Outcome, Steps, attack
from attacks.false_custody import lost_for_good
from attacks.reach import Reach
from sim.core.bundle import UP, Bundle
from sim.core.clock import ns
from sim.core.vocabulary import SERVER_CERTIFICATES
from sim.truth.ground_truth import Truth

EMPTY = "empty bundles under numbers that wait"
OTHER_CONTENT = "acknowledged, but not what waits"


@attack(
    id="gateway.number_thief",
    title="Have a gateway's waiting bundles acknowledged by number",
    threats=["G01", "G06"],
    can=Can.PATH | Can.CERTIFICATE,
    ics=["T0859", "T0804"],
    weakness={"gateway.match_acknowledgements": False},
    seen_as="alarm: twin gateway",
    refused_as=(OTHER_CONTENT,),
    needs={"tls", "sockets"},
)
@dataclass
class NumberThief:
    """Keep a gateway off the network, and meanwhile publish in its name, with its own certificate, empty bundles under
    the numbers that its outbox must have reached. The portal commits them and acknowledges, with its signature; what
    the gateway makes of that when it is back decides. Counted are telegrams that were under way in that time, and those
    of them that are nowhere in the end."""

    gateway: int = 0
    from_s: float = 600.0
    away_s: float = 1_490.0  # back within a retry of the end of a window: 64 bundles are out, the others wait
    numbers: int = 200
    published: int = 0
    gateway_id: str = ""

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.from_s)
        reach.intercept(self.gateway, SERVER_CERTIFICATES[0])  # a client that verifies refuses: off the network
        yield reach.wait(self.away_s)
        identity = reach.steal(self.gateway)
        self.gateway_id = identity.client_id
        empty = [Bundle(self.gateway_id, number, reach.now_ns, ()).encode() for number in range(1, self.numbers + 1)]
        if reach.leave(identity, UP.format(gateway=self.gateway_id), empty):
            self.published = len(empty)
            reach.note("publish", f"{len(empty)} empty bundles")
        reach.release(self.gateway)

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        if not self.published:
            return []
        lost = lost_for_good(truth)
        victims = frozenset((self.gateway_id, *map(truth.address, lost)))
        begin_ns, end_ns = ns(self.from_s), ns(self.from_s + self.away_s)
        found = []
        for security in sorted(truth.securities):
            under_way = sum(truth.security(one) == security for one in truth.sent(begin_ns, end_ns))
            gone = sum(truth.security(one) == security for one in lost)
            why = "the gateway deleted what the portal never got" if gone else OTHER_CONTENT
            evidence: dict[str, int | float | str] = {"empty bundles": self.published, "gone for good": gone}
            found.append(Outcome(EMPTY, security, under_way, gone, why=why, evidence=evidence, attacked=victims))
        return found
