"""Offer the broker an old TLS version."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.at_the_broker import in_each_mode
from attacks.reach import Reach
from sim.truth.ground_truth import Truth

OLD = "TLS 1.1 or older agreed on"
TRIES = 3


@attack(
    id="wan.old_tls",
    title="Offer the broker no TLS version but old ones",
    threats=["W04"],
    can=Can.CERTIFICATE,
    ics=["T0830"],
    weakness={"endpoint.least_tls": "1.1"},
    seen_as="broker: protocol version refused",
    needs={"tls", "tls settings", "sockets"},
)
@dataclass
class OldTls:
    """Who stands on the path can make both sides agree on the oldest version that both accept. Tried is what the broker
    accepts: handshakes that offer TLS 1.0 and 1.1, with a certificate of the fleet and ciphers of any strength. A
    gateway offers 1.2 at least by itself (see sim/endpoint/tls_connect.py)."""

    at_s: float = 60.0
    agreed: list[str] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        self.agreed = [reach.offer(reach.spare("spare-1"), ssl.TLSVersion.TLSv1_1) for _ in range(TRIES)]

    def outcomes(self, truth: Truth) -> list[Outcome]:
        old = sum(not said.startswith("refused") for said in self.agreed)
        return in_each_mode(truth, OLD, reached=len(self.agreed), achieved=old, why=", ".join(sorted(set(self.agreed))),
                            evidence={"handshakes": len(self.agreed), "agreed": old})  # fmt: skip
