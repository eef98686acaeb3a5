"""Read a gateway's private key out of its flash memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.at_the_broker import empty_bundle, given_to_portal, in_each_mode, tries
from attacks.reach import Reach
from sim.core.bundle import UP
from sim.truth.ground_truth import Truth

SESSION, SPEAKS = "a session with what the flash memory holds", "speaks with what the flash memory holds"
TRIES = 3


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
class FlashKey:
    """A gateway is taken from its wall for an hour and put back; its flash memory is read. Where the key lies in a
    file, whoever read it is that gateway from then on, anywhere. Where a secure element has it, the memory holds a
    certificate and no key; what is left is the name, under an authority of the attacker's own."""

    gateway: int = 0
    at_s: float = 60.0
    found_key: bool = False
    opened: int = 0
    refusal: str = ""
    said: list[bytes] = field(default_factory=list)
    gateway_id: str = ""

    def run(self, reach: Reach) -> Steps:
        self.gateway_id = reach.name_of(self.gateway)
        yield reach.wait_until(self.at_s)
        files = reach.flash(self.gateway)
        self.found_key = any(b"PRIVATE KEY" in one for one in files.values())
        identity = reach.with_key(self.gateway_id, files)
        self.opened, self.refusal = tries(reach, identity, TRIES)
        self.said = [empty_bundle(self.gateway_id, number, reach.now_ns) for number in range(TRIES)]
        reach.leave(identity, UP.format(gateway=self.gateway_id), self.said)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        given, victim = given_to_portal(truth, self.said), frozenset((self.gateway_id,))
        evidence = {"private key found": int(self.found_key), "sessions opened": self.opened}
        return [
            *in_each_mode(truth, SESSION, reached=TRIES, achieved=self.opened, attacked=victim,
                          why=self.refusal or "the broker took it for the gateway", evidence=evidence),
            *in_each_mode(truth, SPEAKS, reached=len(self.said), achieved=given, attacked=victim,
                          why="the portal took it for the gateway" if given else self.refusal,
                          evidence={"published": len(self.said), "given to the portal": given}),
        ]  # fmt: skip
