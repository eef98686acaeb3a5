"""Old telegrams for a portal that was restored from a backup."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack, form
from attacks.parts.sent_frames import Shot, outcomes_of
from attacks.parts.survey import Survey
from attacks.reach import Reach
from sim.core.settings import without
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth, fingerprint

BEFORE = "recorded before the backup"
SINCE = "recorded since the backup"


@attack(
    id="radio.restored",
    title="Replay to a portal that was restored from a backup",
    threats=["L22"],
    can=Can.HEAR | Can.SPEAK,
    ics=["T0856", "T0860"],
    weakness={"portal.backup": "readings", "portal.checks": without("ts", "age")},
    seen_as="refused: replayed access number or counter; time off, too old",
    forms={BEFORE: form(), SINCE: form()},
)
@dataclass
class Restored:
    """The portal's disk is lost and a backup put in its place; who reads of the outage sends what was recorded at once
    when it is back, before the meters themselves speak. "before the backup": the portal had it, and only what it
    remembers of counters says so. "since the backup": neither the reading nor the counter is in the backup, so to the
    portal it is new; only its age speaks against it. Each variant has meters of its own.
    """

    backup_s: float
    restored_s: float
    each: int = 4
    makers: tuple[str, ...] = ("QDS",)
    survey: Survey = field(default_factory=Survey)
    shots: list[Shot] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        reach.listen(self.survey.note)
        yield reach.wait_until(self.restored_s + 1.0)
        for security in SECURITIES:
            loudest = self.survey.loudest(security, makers=self.makers, least=2)[: 2 * self.each]
            for place, known in enumerate(loudest):
                variant = (BEFORE, SINCE)[place % 2]
                limit_ns = self.backup_s * 1e9
                early = [one for one in known.recordings if one.received_ns < limit_ns]
                late = [one for one in known.recordings if one.received_ns > limit_ns + 60e9]
                chosen = early[-1:] if variant == BEFORE else late[:1]
                for heard in chosen:
                    reach.note("speak", f"{variant}: {known.address}, telegram {fingerprint(heard.telegram)}")
                    self.shots.append(
                        Shot(variant, security, known.address, reach.speak(heard.telegram), heard.telegram)
                    )
                    yield reach.wait(0.05)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        return outcomes_of(self.shots, truth)
