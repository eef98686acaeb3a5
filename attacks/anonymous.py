"""Come to the broker without a certificate."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, attack
from attacks.parts.identity_files import InItsName
from attacks.reach import Reach
from sim.endpoint.port import Identity

SESSION, SPEAKS = "a session without a certificate", "speaks in a gateway's name without its certificate"


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
class Anonymous(InItsName):
    """Whoever reaches the broker's port dials it without a certificate and says that he is a gateway, whose name stands
    on its box. Where he is believed he publishes bundles in its name."""

    session, speaks, let_in = SESSION, SPEAKS, "the broker let it in"

    def identity(self, reach: Reach) -> Identity:
        return reach.stranger(self.gateway_id)
