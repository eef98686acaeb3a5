"""From outcomes to verdicts. A defence is only proven when the same attack succeeds without it.

achieved, and an alarm in time  DETECTED
achieved                        SUCCEEDED
had an effect, missed its aim   TOLERATED   } only when the control succeeded
reached, achieved nothing       PREVENTED   }  and, of what was refused, for a reason that was expected
anything else                   INCONCLUSIVE, with the clause that does not hold
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from attacks.attack import Outcome
from bench.rig.whole_reasons import stands_in
from reports.wording import mode_text
from sim.portal.reasons import QUARANTINED


class Verdict(StrEnum):
    PREVENTED = "PREVENTED"
    DETECTED = "DETECTED"
    TOLERATED = "TOLERATED"
    SUCCEEDED = "SUCCEEDED"
    INCONCLUSIVE = "INCONCLUSIVE"


class Terms(NamedTuple):
    """What a cell needs to hold. `least`: shots that arrived; `because`: reasons for a refusal, one of which must stand
    in each that was given (none: any); `within_s`: how soon an alarm must come (0: as clauses.limit_s says)."""

    least: int = 3
    because: tuple[str, ...] = ()
    within_s: float = 0.0


PLAIN: Final = Terms()


CLAUSES: Final = ("arrived", "variant", "heard", "control", "reason")
"""In the order in which they are looked at."""


class Clause(NamedTuple):
    """One condition of a verdict, and whether it was met."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """`clause` names what does not hold where it is INCONCLUSIVE. `borrowed`: the control is of another security
    mode."""

    verdict: Verdict
    control: str  # what the control showed, for people
    why: str
    clause: str = ""
    borrowed: bool = False

    @property
    def clauses(self) -> list[Clause]:
        """Those that were looked at: what succeeded needs no control and no reason."""
        if self.clause:
            at = CLAUSES.index(self.clause)
            return [*(Clause(name, True, "") for name in CLAUSES[:at]), Clause(self.clause, False, self.why)]
        succeeded = self.verdict in (Verdict.SUCCEEDED, Verdict.DETECTED)
        return [Clause(name, True, "") for name in (CLAUSES[:3] if succeeded else CLAUSES)]


WEAK_BELOW: Final = 0.5
"""Share of a control's shots that succeeded, below which it is named weak."""
BY_CHANCE_MOST: Final = 0.05
"""How likely as many shots may all fail by themselves, at the control's share, before they prove nothing."""


class Control(NamedTuple):
    """What the control shows. `share`: of its shots those that succeeded; 1 where it counts no shots, since what it
    counts then are occasions and not tries."""

    text: str
    worked: bool
    borrowed: bool
    share: float = 1.0

    def failing_by_chance(self, shots: int) -> float:
        """How likely it is that so many shots all fail although nothing stops them."""
        return float((1.0 - self.share) ** shots)


def decide(
    subject: Outcome,
    controls: Iterable[Outcome],
    *,
    terms: Terms = PLAIN,
    misfit: str = "",
    unheard: str = "",
    detected: bool = False,
    raised: str = "",
) -> Decision:
    """`controls`: outcomes in the run with the defences off, of any variant. The control for "mode 7 refuses it" may be
    "mode 0 takes it", which proves that the attack itself works; it is called borrowed, and is the one with the largest
    share of successes. `misfit`: in what the bytes
    that arrived are not the variant. `unheard`: what it knows and did not hear.
    `raised`: by what the portal came to put a telegram into quarantine."""
    control = _control(subject, [one for one in controls if one.variant == subject.variant])

    def decided(verdict: Verdict, why: str = subject.why, clause: str = "") -> Decision:
        return Decision(verdict, control.text, why, clause, control.borrowed)

    if subject.reached <= 0:
        return decided(Verdict.INCONCLUSIVE, "the attack never reached its target", "arrived")
    if subject.reached < terms.least:
        return decided(
            Verdict.INCONCLUSIVE, f"{subject.reached} of at least {terms.least} shots reached the target", "arrived"
        )
    if misfit:
        return decided(Verdict.INCONCLUSIVE, f"what was sent is not this variant: {misfit}", "variant")
    if unheard:
        return decided(Verdict.INCONCLUSIVE, f"it was told and did not hear: {unheard}", "heard")
    if subject.achieved > 0:
        return decided(Verdict.DETECTED if detected else Verdict.SUCCEEDED)
    if not control.worked:
        return decided(Verdict.INCONCLUSIVE, "its control did not succeed, so nothing is proven", "control")
    if subject.bounded:
        return decided(Verdict.TOLERATED)
    other = _other_reasons(subject, terms.because)
    if other:
        wanted = " or ".join(terms.because)
        said = ", ".join(f"{one} ({raised})" if raised and one == QUARANTINED else one for one in other)
        return decided(Verdict.INCONCLUSIVE, f"refused as {said}, expected {wanted}", "reason")
    chance = control.failing_by_chance(subject.reached)
    if not terms.because and chance > BY_CHANCE_MOST:
        return decided(
            Verdict.INCONCLUSIVE,
            f"its control is weak: by chance alone {subject.reached} shots all fail in {chance:.0%} of runs; send "
            "more, or say because of which refusal",
            "control",
        )
    return decided(Verdict.PREVENTED)


def _control(subject: Outcome, same: list[Outcome]) -> Control:
    worked = [one for one in same if one.achieved > 0]
    own = next((one for one in worked if one.security == subject.security), None)
    if own is not None:
        said = f"{own.achieved} of {own.reached} with the defences off"
        return Control(f"{_weak(own)}SUCCEEDED {said}", True, False, _share(own))
    if worked:
        best = _best(worked)
        said = f"{best.achieved} of {best.reached} on {mode_text(best.security)}, defences off"
        return Control(f"borrowed: {_weak(best)}SUCCEEDED {said}", True, True, _share(best))
    return Control("did not succeed" if same else "was not run", False, False)


def _best(worked: list[Outcome]) -> Outcome:
    return max(worked, key=lambda one: one.achieved / one.reached)


def _share(control: Outcome) -> float:
    return min(1.0, control.achieved / control.reached) if control.shots else 1.0


def _weak(control: Outcome) -> str:
    return "weak: " if _share(control) < WEAK_BELOW else ""


def _other_reasons(subject: Outcome, because: tuple[str, ...]) -> list[str]:
    """Reasons that were given and not expected; of what is no shot the outcome says why in words."""
    if not because:
        return []
    given = {reason for shot in subject.shots if shot.arrived for reason in shot.reasons}
    if given:
        return sorted(given.difference(because))
    return [] if any(stands_in(one, subject.why) for one in because) else [f'"{subject.why}"']
