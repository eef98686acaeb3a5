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


@attack(
    id="radio.holdback",
    title="Hold telegrams back and deliver them later",
    threats=["L10", "L11"],
    can=Can.HEAR | Can.SPEAK | Can.SHAPE,
    ics=["T0804", "T0814", "T0856"],
    weakness={"portal.checks": without("ts", "age")},
    seen_as="refused: late, or time off; an alarm for a gap of an hour",
    forms={TIMED: form(age_s=(3_500, 3_700)), TIMELESS: form(age_s=(3_500, 3_700))},
)
@dataclass
class Holdback(InBetween):
    """Jam the chosen meters at the gateway, record them beside the meters, and deliver each telegram `delay_s` later,
    in order: nothing in it was ever seen, so every counter and every access number is new, only old.

    "in order" meters whose telegrams carry the date and time; "no time inside" meters of a type that sends none
    (`timeless`). Counted are portal records made of telegrams that old; the evidence says how old.
    """

    delay_s: float = 3_600.0
    until_s: float = 5_400.0
    timeless: tuple[str, ...] = ("TCH",)
    shots: list[tuple[Shot, int]] = field(default_factory=list)  # and when it was heard

    def deliver(self, reach: Reach, known: Known, heard: Heard) -> Steps:
        variant = TIMELESS if known.maker in self.timeless else TIMED
        yield reach.wait(self.delay_s)
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
                outcome.evidence.update({"median age when stored, s": round(median(ages_s)),
                                         "greatest, s": round(max(ages_s))})  # fmt: skip
                outcome = replace(outcome, why=f"stored as news, {median(ages_s) / 60:.0f} minutes old")
            found.append(outcome)
        return found
