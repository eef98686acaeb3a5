"""A cloned gateway that takes the owner's session again and again: how long is the owner up?"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from statistics import mean, median, stdev
from typing import Final, NamedTuple

from attacks.attack import Can, Curve, Outcome, Steps, Watch, attack
from attacks.parts.at_the_broker import in_each_mode
from attacks.parts.contended_sessions import sessions_within
from attacks.reach import Reach
from sim.core.clock import NS_PER_S, stamp_of
from sim.endpoint.session_state import SessionState
from sim.truth.ground_truth import Truth

UPTIME = "takes the session back at once: owner's uptime"
RESTING = "takes the session back after a rest: owner's uptime"
WANTED: Final = 0.99
STUDENT: Final = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365}
"""Half the width of a 95 % interval of a mean, in standard errors, by how many figures there are."""


class Span(NamedTuple):
    """Wall nanoseconds in which the clone was at it, and its logins."""

    begin_ns: int
    end_ns: int
    logins: int


@attack(
    id="gateway.standing_clone",
    title="Hold a gateway's session with its stolen certificate",
    threats=["G01"],
    can=Can.CERTIFICATE,
    ics=["T0859", "T0814"],
    weakness={"portal.alarms": []},
    seen_as="alarm: twin gateway",
    needs={"sockets", "takeover"},
)
@dataclass
class StandingClone:
    """Two devices under one client id displace each other for as long as both want. The clone logs in, is displaced by
    the owner's next login, and logs in again: at once, or after a rest. What the owner has is a share of time, so it is
    taken in wall time on real sockets, while the world stands still: `spans` of `span_s` wall seconds each, and of each
    the share in which the owner's session stood. The machine's load moves both parties and the figure with them;
    the interval is that of the spans."""

    gateway: int = 0
    at_s: float = 610.0
    spans: int = 5
    span_s: float = 2.0
    rest_s: float = 1.0
    taken: dict[str, list[Span]] = field(default_factory=dict)
    gateway_id: str = ""
    began_ns: int = 0
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        identity = reach.steal(self.gateway)
        self.gateway_id = identity.client_id
        yield reach.wait_until(self.at_s)
        self.began_ns = reach.now_ns
        for variant, rest_s in ((UPTIME, 0.0), (RESTING, self.rest_s)):
            place = reach.place
            reach.note("connect", f"{variant}: begun")
            self.taken[variant] = [Span(*reach.hold(identity, self.span_s, rest_s)) for _ in range(self.spans)]
            self.places[variant] = place, reach.place
            reach.note("connect", f"{variant}: over")

    def outcomes(self, truth: Truth) -> list[Outcome]:
        session = truth.world.gateways[self.gateway].session
        assert isinstance(session, SessionState), "what an endpoint with sockets opens"
        found = []
        for variant, spans in self.taken.items():
            shares = [session.up_share(one.begin_ns, one.end_ns) for one in spans]
            logins, low = sum(one.logins for one in spans), [share for share in shares if share < WANTED]
            half = STUDENT[len(shares)] * stdev(shares) / math.sqrt(len(shares))
            downs_s = [span / NS_PER_S for one in spans for span in session.downs_ns(one.begin_ns, one.end_ns)]
            down_s = median(downs_s) if downs_s else 0.0
            evidence: dict[str, int | float | str] = {
                "logins": logins, "owner's uptime, share": round(mean(shares), 4),
                "lower end (95 %)": round(max(0.0, mean(shares) - half), 4),
                "upper end (95 %)": round(min(1.0, mean(shares) + half), 4),
                "owner down after a login, s": round(down_s, 3),
                "seconds between logins that leave the owner 99 %": round(down_s / (1 - WANTED), 1),
            }  # fmt: skip
            curve = Curve(
                "seconds of contention", "share of them in which the owner was up",
                tuple((round(self.span_s * place, 1), round(share, 4)) for place, share in enumerate(shares, start=1)),
            )  # fmt: skip
            one_mode = in_each_mode(
                truth, variant, reached=len(spans) if logins else 0, achieved=len(low),
                evidence=evidence, curve=curve,
                watch=Watch(("twin",), (self.gateway_id,), self.began_ns, places=self.places[variant]),
                why=f"in {len(low)} of {len(spans)} spans the owner was up for less than 99 % of the time",
            )  # fmt: skip
            instants = [(stamp_of(one.begin_ns), stamp_of(one.end_ns)) for one in spans]
            sessions = sessions_within(truth, self.gateway_id, instants)
            found += [replace(one, evidence=dict(evidence), sessions=sessions) for one in one_mode]
        return found
