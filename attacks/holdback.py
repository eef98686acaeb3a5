"""Hold-back: jam a telegram at the gateway while recording it, deliver it later, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.jam_and_capture import Shadow
from attacks.parts.survey import Known
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.clock import NS_PER_S
from sim.core.settings import without
from sim.truth.ground_truth import Spoken, Truth, fingerprint

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
)
@dataclass
class Holdback:
    """Jam the chosen meters at the gateway, record them beside the meters, and deliver each telegram `delay_s` later,
    in order: nothing in it was ever seen, so every counter and every access number is new, only old.

    "in order" meters whose telegrams carry the date and time; "no time inside" meters of a type that sends none
    (`timeless`). Counted are portal records made of telegrams that old; the evidence says how old.
    """

    learn_s: float = 600.0
    delay_s: float = 3_600.0
    until_s: float = 5_400.0
    targets_each: int = 2
    makers: tuple[str, ...] = ("QDS",)
    timeless: tuple[str, ...] = ("TCH",)
    shots: list[tuple[str, str, Heard, Spoken]] = field(default_factory=list)
    _shadow: Shadow = field(init=False)

    def run(self, reach: Reach) -> Steps:
        self._shadow = shadow = Shadow(lambda known, heard: self._hold(reach, known, heard))
        shadow.listen(reach)
        yield reach.wait_until(self.learn_s)
        shadow.begin(reach, each=self.targets_each, makers=self.makers + self.timeless)
        yield reach.wait_until(self.until_s)
        shadow.end()

    def _hold(self, reach: Reach, known: Known, heard: Heard) -> None:
        variant = TIMELESS if known.maker in self.timeless else TIMED
        reach.go(self._deliver(reach, variant, known.security, heard))

    def _deliver(self, reach: Reach, variant: str, security: str, heard: Heard) -> Generator[Any, Any, None]:
        yield reach.wait(self.delay_s)
        spoken = self._shadow.speak(reach, heard.telegram)
        reach.note("speak", f"{variant}: telegram {fingerprint(heard.telegram)}")
        self.shots.append((variant, security, heard, spoken))

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        groups: dict[tuple[str, str], list[tuple[Heard, Spoken]]] = defaultdict(list)
        for variant, security, heard, spoken in self.shots:
            groups[variant, security].append((heard, spoken))
        found = []
        for (variant, security), rows in groups.items():
            ages_s = [
                (row.stored_ns - heard.received_ns) / NS_PER_S
                for heard, spoken in rows
                for row in truth.rows_of(spoken)
            ]
            judged = sum(bool(truth.rows_of(s) or truth.refused(s.telegram)) for _, s in rows)
            reasons = sorted({reason for _, s in rows if not truth.rows_of(s) for reason in truth.refused(s.telegram)})
            evidence: dict[str, int | float | str] = {"held back and delivered": len(rows), "stored": len(ages_s)}
            if ages_s:
                evidence |= {"median age when stored, s": round(median(ages_s)), "greatest, s": round(max(ages_s))}
            if reasons:
                evidence["refused as"] = ", ".join(reasons)
            found.append(
                Outcome(
                    variant,
                    security,
                    reached=judged,
                    achieved=len(ages_s),
                    why=f"stored as news, {median(ages_s) / 60:.0f} minutes old"
                    if ages_s
                    else f"refused: {', '.join(reasons) or 'nothing was stored'}",
                    evidence=evidence,
                )
            )
        return found
