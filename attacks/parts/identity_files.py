"""The files of a gateway's identity in an attacker's hands: is its private key among them, and what does it open? No
attack by itself.

An attack says where it reads the files; what follows is the same. With the key it is the gateway, anywhere; without
one what is left is the name, under an authority of the attacker's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from attacks.attack import Outcome, Steps
from attacks.parts.at_the_broker import empty_bundle, given_to_portal, in_each_mode, tries
from attacks.reach import Reach
from sim.core.bundle import UP
from sim.truth.ground_truth import Truth

TRIES = 3


@dataclass
class IdentityFiles:
    """Reads the files at `at_s`, opens sessions with what they hold and sends bundles in the gateway's name. `session`
    and `speaks`: the names of these two variants."""

    session: ClassVar[str]
    speaks: ClassVar[str]

    gateway: int = 0
    at_s: float = 60.0
    found_key: bool = False
    opened: int = 0
    refusal: str = ""
    said: list[bytes] = field(default_factory=list)
    gateway_id: str = ""

    def read(self, reach: Reach) -> dict[str, bytes]:
        """The files, by name."""
        raise NotImplementedError

    def run(self, reach: Reach) -> Steps:
        self.gateway_id = reach.name_of(self.gateway)
        yield reach.wait_until(self.at_s)
        files = self.read(reach)
        self.found_key = any(b"PRIVATE KEY" in one for one in files.values())
        identity = reach.with_key(self.gateway_id, files)
        self.opened, self.refusal = tries(reach, identity, TRIES)
        self.said = [empty_bundle(self.gateway_id, number, reach.now_ns) for number in range(TRIES)]
        reach.leave(identity, UP.format(gateway=self.gateway_id), self.said)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        given, victim = given_to_portal(truth, self.said), frozenset((self.gateway_id,))
        evidence = {"private key found": int(self.found_key), "sessions opened": self.opened}
        return [
            *in_each_mode(truth, self.session, reached=TRIES, achieved=self.opened, attacked=victim,
                          why=self.refusal or "the broker took it for the gateway", evidence=evidence),
            *in_each_mode(truth, self.speaks, reached=len(self.said), achieved=given, attacked=victim,
                          why="the portal took it for the gateway" if given else self.refusal,
                          evidence={"published": len(self.said), "given to the portal": given}),
        ]  # fmt: skip
