"""Take a gateway's client id with another certificate."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.at_the_broker import in_each_mode
from attacks.parts.contended_sessions import Instants, sessions_within, thrown_off
from attacks.reach import Reach
from sim.truth.ground_truth import Truth

DISPLACED = "throws a gateway off its session"
OWN_NAME = "the broker took the name from the certificate"


@attack(
    id="wan.borrowed_name",
    title="Take a gateway's client id with another certificate",
    threats=["W08"],
    can=Can.CERTIFICATE,
    ics=["T0859", "T0814"],
    weakness={"endpoint.bind_client_id": False},
    seen_as="broker: a session ended because its client id came again",
    refused_as=(OWN_NAME,),
    needs={"tls", "bind", "takeover"},
)
@dataclass
class BorrowedName:
    """With the certificate of a gateway in stock and the client id of one at work: a broker that believes the client id
    ends the session of its owner. One login in each window; counted is how often the owner lost its session."""

    name: str = "spare-1"
    gateway: int = 0
    from_s: float = 310.0
    every_s: float = 300.0
    logins: int = 3
    opened: int = 0
    victim: str = ""
    spans: list[Instants] = field(default_factory=list)  # of each login

    def run(self, reach: Reach) -> Steps:
        self.victim = reach.name_of(self.gateway)
        yield reach.wait_until(self.from_s)
        for _ in range(self.logins):
            begun_ns = reach.wall_ns
            session = reach.connect(replace(reach.spare(self.name), client_id=self.victim))
            self.opened += session.connects > 0
            session.close()
            reach.come_to_rest(self.gateway)
            self.spans.append((begun_ns, reach.wall_ns))
            yield reach.wait(self.every_s)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        if not self.victim:
            return []
        sessions = sessions_within(truth, self.victim, self.spans)
        lost = len(thrown_off(sessions))
        found = in_each_mode(
            truth, DISPLACED, reached=self.logins, achieved=lost, attacked=frozenset((self.victim,)),
            why="its owner lost it" if lost else OWN_NAME,
            evidence={"sessions opened": self.opened, "owner thrown off": lost},
        )  # fmt: skip
        return [replace(one, sessions=sessions) for one in found]
