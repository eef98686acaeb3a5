"""Somebody on the path acknowledges a gateway's bundles himself, so that it deletes what no portal has."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from attacks.attack import Can, Outcome, Steps, Watch, attack
from attacks.mitm import security_of
from attacks.reach import Reach
from sim.core.bundle import ACK, Ack, BadBundle, Bundle, Taken, digest
from sim.core.vocabulary import SERVER_CERTIFICATES
from sim.pki.statements import StatementKey
from sim.truth.ground_truth import Sent, Truth, fingerprint

OWN = "acknowledges every bundle himself"
UNNOTICED = "withholds what he acknowledges, unnoticed"
FOREIGN = "acknowledgements that are not the portal's were refused"


@attack(
    id="wan.false_custody",
    title="Acknowledge a gateway's bundles in the portal's place",
    threats=["W01", "G06"],
    can=Can.PATH,
    ics=["T0830", "T0804"],
    weakness={"gateway.verify_server": False, "gateway.verify_acks": False},
    seen_as="alarm: a gateway refused acknowledgements that are not the portal's",
    refused_as=(FOREIGN,),
    needs={"tls", "sockets"},
)
@dataclass
class FalseCustody:
    """A TLS server that plays the broker on one gateway's path, reads each bundle, and acknowledges it with the right
    number and digest: by turns without a signature, under a key of its own, and under the signature that this key made
    for the bundle before. What the gateway then deletes is nowhere. Counted are telegrams that it handed over, and
    those of them that neither the portal nor the gateway has at the end; and, since the attacker would like to try
    again, whether anybody learns of it when the path is free."""

    gateway: int = 0
    from_s: float = 600.0
    window_s: float = 1_200.0
    handed_over: dict[str, str] = field(default_factory=dict)  # fingerprint -> security mode
    acknowledged: int = 0
    tries: int = 0
    reason: str = ""
    released_ns: int = 0
    key: StatementKey = field(default_factory=StatementKey)
    _signature: bytes = b""

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.from_s)
        middle = reach.intercept(self.gateway, SERVER_CERTIFICATES[0], answer=self._answer)
        yield reach.wait(self.window_s)
        reach.stay(self.gateway)
        self.tries, self.reason = middle.connections, middle.last_refusal
        reach.note("intercept", f"{len(self.handed_over)} telegrams taken")
        self.released_ns = reach.now_ns
        reach.release(self.gateway)

    def _answer(self, topic: str, payload: bytes) -> tuple[str, bytes] | None:
        """On the proxy's thread: what the gateway gets for a bundle."""
        try:
            bundle = Bundle.decode(payload)
        except BadBundle:
            return None
        self.handed_over |= {fingerprint(one.telegram): security_of(one.telegram) for one in bundle.heard}
        ack = Ack(bundle.gateway, (Taken(bundle.sequence, digest(payload)),))
        signed = ack.signed(self.key.sign)
        turns = (ack, signed, ack._replace(signature=self._signature or signed.signature))
        self._signature = signed.signature
        sent = turns[bundle.sequence % 3]
        self.acknowledged += 1
        return ACK.format(gateway=bundle.gateway), sent.encode()

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        lost = lost_for_good(truth)
        gone = {one.mark for one in lost}
        meters = {truth.address(one) for one in lost if one.mark in self.handed_over}
        victim = truth.world.gateways[self.gateway].id
        victims = frozenset((victim, *meters))
        watch = Watch(("custody",), (victim,), self.released_ns)
        found = []
        for security in sorted(truth.securities):
            own = self._outcome(security, gone, victims)
            withheld = own.reached if self.handed_over else 0
            found += [own, replace(own, variant=UNNOTICED, achieved=withheld, watch=watch)]
        return found

    def _outcome(self, security: str, gone: set[str], victims: frozenset[str]) -> Outcome:
        taken = [mark for mark, mode in self.handed_over.items() if mode == security]
        lost = sum(mark in gone for mark in taken)
        if not self.handed_over:
            why = f"the gateway broke the handshake off: {self.reason}"
        elif lost:
            why = "the gateway deleted what the portal never got"
        else:
            why = f"{FOREIGN}; everything came later"
        return Outcome(
            OWN, security, reached=len(taken) if self.handed_over else self.tries, achieved=lost, why=why,
            evidence={"telegrams taken on the path": len(taken), "gone for good": lost},
            attacked=victims,
        )  # fmt: skip


def lost_for_good(truth: Truth) -> list[Sent]:
    """Telegrams that a gateway received, and of which the portal has neither a reading nor a refusal."""
    return [one for one in truth.missing() if not truth.refused_as(one.mark)]
