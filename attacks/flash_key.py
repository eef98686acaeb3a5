"""Read a gateway's private key out of its flash memory."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, attack
from attacks.parts.identity_files import IdentityFiles
from attacks.reach import Reach

SESSION, SPEAKS = "a session with what the flash memory holds", "speaks with what the flash memory holds"


@attack(
    id="gateway.flash_key",
    title="Read a gateway's private key out of its flash memory",
    threats=["G07"],
    can=Can.FLASH,
    ics=["T0859", "T0887"],
    weakness={"gateway.private_key": "file"},
    seen_as="broker: unknown authority",
    needs={"tls", "acl"},
)
@dataclass
class FlashKey(IdentityFiles):
    """A gateway is taken from its wall for an hour and put back; its flash memory is read. Where the key lies in a
    file, whoever read it is that gateway from then on, anywhere. Where a secure element has it, the memory holds a
    certificate and no key; what is left is the name, under an authority of the attacker's own."""

    session, speaks = SESSION, SPEAKS

    def read(self, reach: Reach) -> dict[str, bytes]:
        return reach.flash(self.gateway)
