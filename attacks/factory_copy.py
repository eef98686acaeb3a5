"""Keep copies of the private keys at the factory."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, attack
from attacks.parts.identity_files import IdentityFiles
from attacks.reach import Reach

SESSION, SPEAKS = "a session with the factory's copy", "speaks with the factory's copy"


@attack(
    id="gateway.factory_copy",
    title="Keep copies of the private keys at the factory",
    threats=["G08"],
    can=Can.FACTORY,
    ics=["T0859", "T0887"],
    weakness={"gateway.key_made": "factory"},
    seen_as="broker: unknown authority",
    needs={"tls", "acl"},
)
@dataclass
class FactoryCopy(IdentityFiles):
    """The factory makes each gateway's key, has AWS issue the certificate, puts both into the gateway and deletes its
    key: nobody can check the last step. Here it kept one. Where the gateway makes the key and only the request leaves
    it, the factory has a certificate and no key."""

    session, speaks = SESSION, SPEAKS

    def read(self, reach: Reach) -> dict[str, bytes]:
        return reach.factory_files(self.gateway)
