"""A cloned gateway that is quiet: one login, one bundle, away."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from attacks.attack import Can, Outcome, Steps, Watch, attack, form
from attacks.parts import forgery
from attacks.parts.sent_frames import Shot, outcomes_of, published
from attacks.parts.survey import Survey
from attacks.reach import Reach
from sim.core.bundle import UP, Bundle, Heard
from sim.core.settings import without
from sim.truth.ground_truth import Truth

ONE_SESSION = "forged in one session, then away"
UNITS = 4_711


@attack(
    id="gateway.quiet_clone",
    title="Clone a gateway, once",
    threats=["G01", "G03"],
    can=Can.HEAR | Can.CERTIFICATE,
    ics=["T0859", "T0856"],
    weakness={"portal.alarms": without("twin")},
    seen_as="alarm: twin gateway",
    forms={ONE_SESSION: form("mode 0", "units in clear")},
)
@dataclass
class QuietClone:
    """With a gateway's certificate and a receiver near it: change the units of clear telegrams as they come, publish
    them in one bundle before the gateway closes its own, and never come back. The owner is thrown off its session once,
    which looks like a shaky network; what gives it away is the number of its bundle."""

    gateway: int = 0
    act_at_s: float = 1_200.0
    count: int = 3
    sequence: int = 900_000_000
    survey: Survey = field(default_factory=Survey)
    forged: list[Heard] = field(default_factory=list)
    shots: list[Shot] = field(default_factory=list)
    _of: list[tuple[str, bytes]] = field(default_factory=list)
    published_ns: int = 0
    gateway_id: str = ""

    def run(self, reach: Reach) -> Steps:
        identity = reach.steal(self.gateway)
        self.gateway_id = identity.client_id
        reach.listen(lambda heard: self._heard(reach, heard))
        yield reach.wait_until(self.act_at_s)
        while len(self.forged) < self.count:
            yield reach.wait(1.0)
        bundle = Bundle(self.gateway_id, self.sequence, reach.now_ns, tuple(self.forged))
        telegrams = [one.telegram for one in self.forged]
        if reach.publish(identity, UP.format(gateway=self.gateway_id), bundle.encode(), telegrams):
            self.published_ns = reach.now_ns
            self.shots = [
                Shot(ONE_SESSION, "none", address, published(raw, self.gateway_id, reach.now_ns), of)
                for (address, of), raw in zip(self._of, telegrams, strict=True)
            ]

    def _heard(self, reach: Reach, heard: Heard) -> None:
        known = self.survey.note(heard)
        waits = reach.now_ns >= self.act_at_s * 1e9 and len(self.forged) < self.count
        if waits and known is not None and known.security == "none":
            raw = forgery.with_units(heard.telegram, UNITS, known.maker)
            self.forged.append(Heard(raw, heard.received_ns, -61.0))
            self._of.append((known.address, heard.telegram))

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        watch = Watch(("twin",), (self.gateway_id,), self.published_ns)
        return [replace(one, watch=watch) for one in outcomes_of(self.shots, truth)]
