"""Hold-back: jam a telegram at the gateway while recording it, deliver it later, in order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import median

from attacks.attack import Can, Outcome, Steps, attack, form
from attacks.parts.jam_and_capture import InBetween
from attacks.parts.sent_frames import Shot, outcomes_of
from attacks.parts.survey import Known
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.clock import NS_PER_S
from sim.core.settings import without
from sim.truth.ground_truth import Truth, fingerprint

TIMED = "in order, an hour late"
TIMELESS = "no time inside: in order, an hour late"
BELOW = "in order, below the limits"
TIMELESS_BELOW = "no time inside: in order, below the limits"


@attack(
    id="radio.holdback",
    title="Hold telegrams back and deliver them later",
    threats=["L10", "L11"],
    can=Can.HEAR | Can.SPEAK | Can.SHAPE,
    ics=["T0804", "T0814", "T0856"],
    weakness={"portal.checks": without("ts", "age")},
    seen_as="refused: late, or time off; an alarm for a gap of an hour",
    forms={
        TIMED: form(age_s=(3_500, 3_700)), TIMELESS: form(age_s=(3_500, 3_700)),
        BELOW: form(age_s=(240, 300)), TIMELESS_BELOW: form(age_s=(2_600, 2_800)),
    },
)
@dataclass
class Holdback(InBetween):
    """Jam the chosen meters at the gateway, record them beside the meters, and deliver each telegram `delay_s` later,
    in order: nothing in it was ever seen, so every counter and every access number is new, only old.

    "in order" meters whose telegrams carry the date and time; "no time inside" meters of a type that sends none
    (`timeless`). `below`: whoever knows the portal's limits delivers before them, `timeless_delay_s` late where no time
    is inside. Counted are portal records made of telegrams that old; the evidence says how old.
    """

    delay_s: float = 3_600.0
    timeless_delay_s: float = 3_600.0
    below: bool = False
    until_s: float = 5_400.0
    timeless: tuple[str, ...] = ("TCH",)
    shots: list[tuple[Shot, int]] = field(default_factory=list)  # and when it was heard

    def deliver(self, reach: Reach, known: Known, heard: Heard) -> Steps:
        timeless = known.maker in self.timeless
        variants = (BELOW, TIMELESS_BELOW) if self.below else (TIMED, TIMELESS)
        variant = variants[timeless]
        yield reach.wait(self.timeless_delay_s if timeless else self.delay_s)
        spoken = self.shadow.speak(reach, heard.telegram)
        reach.note("speak", f"{variant}: telegram {fingerprint(heard.telegram)}")
        shot = Shot(variant, known.security, known.address, spoken, heard.telegram)
        self.shots.append((shot, heard.received_ns))

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        """What a gateway received in spite of the noise was not held back: its copy is a replay, and does not count."""
        held = [shot for shot, _ in self.shots if not truth.was_received(fingerprint(shot.of), shot.spoken.start_ns)]
        heard_ns = {shot.spoken.telegram: received_ns for shot, received_ns in self.shots}
        found = []
        for outcome in outcomes_of(held, truth):
            ages_s = [
                (row.stored_ns - heard_ns[one.sent]) / NS_PER_S for one in outcome.shots for row in one.rows
            ]
            if ages_s:
                outcome.evidence.update({
                    "median age when stored, s": round(median(ages_s)), "greatest, s": round(max(ages_s)),
                    "greatest age when taken, intervals": self._oldest(truth, outcome),
                })  # fmt: skip
                outcome = replace(outcome, why=f"stored as news, {median(ages_s) / 60:.0f} minutes old")
            found.append(outcome)
        return found

    @staticmethod
    def _oldest(truth: Truth, outcome: Outcome) -> float:
        """How old what became a reading was when it was sent, in intervals of its meter."""
        period_ns = truth.world.fleet.population.period_ns
        ages = []
        for shot in outcome.shots:
            genuine = truth.known(fingerprint(shot.original)) if shot.rows else None
            if genuine is not None:
                ages.append((shot.at_ns - genuine.start_ns) / float(period_ns[genuine.meter]))
        return round(max(ages), 3)
