"""Coming to the broker as a gateway: with the files of its identity, or with nothing but its name. No attack by itself.

An attack says with what it comes; what follows is the same. With the private key among the files it is the gateway,
anywhere; without one what is left is the name, under an authority of the attacker's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from attacks.attack import Outcome, Steps
from attacks.parts.at_the_broker import empty_bundle, given_to_portal, in_each_mode, tries
from attacks.reach import Reach
from sim.core.bundle import UP
from sim.endpoint.port import Identity
from sim.truth.ground_truth import Truth

TRIES = 3


@dataclass
class InItsName(ABC):
    """Opens sessions at `at_s` and sends bundles in the gateway's name. `session` and `speaks`: the names of these two
    variants. `let_in`: why the first one worked."""

    session: ClassVar[str]
    speaks: ClassVar[str]
    let_in: ClassVar[str]

    gateway: int = 0
    at_s: float = 60.0
    opened: int = 0
    refusal: str = ""
    said: list[bytes] = field(default_factory=list)
    gateway_id: str = ""

    @abstractmethod
    def identity(self, reach: Reach) -> Identity:
        """With what it comes to the broker."""

    def run(self, reach: Reach) -> Steps:
        self.gateway_id = reach.name_of(self.gateway)
        yield reach.wait_until(self.at_s)
        identity = self.identity(reach)
        self.opened, self.refusal = tries(reach, identity, TRIES)
        self.said = [empty_bundle(self.gateway_id, number, reach.now_ns) for number in range(TRIES)]
        reach.leave(identity, UP.format(gateway=self.gateway_id), self.said)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        given, victim = given_to_portal(truth, self.said), frozenset((self.gateway_id,))
        return [
            *in_each_mode(truth, self.session, reached=TRIES, achieved=self.opened, attacked=victim,
                          why=self.refusal or self.let_in, evidence=self.found | {"sessions opened": self.opened}),
            *in_each_mode(truth, self.speaks, reached=len(self.said), achieved=given, attacked=victim,
                          why="the portal took it for the gateway" if given else self.refusal,
                          evidence={"published": len(self.said), "given to the portal": given}),
        ]  # fmt: skip

    @property
    def found(self) -> dict[str, int]:
        """What it had to come with, as evidence."""
        return {}


@dataclass
class IdentityFiles(InItsName):
    """With files that it reads at `at_s`."""

    let_in = "the broker took it for the gateway"
    found_key: bool = False

    @abstractmethod
    def read(self, reach: Reach) -> dict[str, bytes]:
        """The files, by name."""

    def identity(self, reach: Reach) -> Identity:
        files = self.read(reach)
        self.found_key = any(b"PRIVATE KEY" in one for one in files.values())
        return reach.with_key(self.gateway_id, files)

    @property
    def found(self) -> dict[str, int]:
        return {"private key found": int(self.found_key)}
