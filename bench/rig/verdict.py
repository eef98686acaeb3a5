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
from reports.wording import mode_text


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


class Control(NamedTuple):
    """What the control shows: `own` and `other` are the same variant in the same and in another security mode."""

    text: str
    worked: bool
    borrowed: bool


def decide(
    subject: Outcome,
    controls: Iterable[Outcome],
    *,
    terms: Terms = PLAIN,
    misfit: str = "",
    unheard: str = "",
    detected: bool = False,
) -> Decision:
    """`controls`: outcomes in the run with the defences off, of any variant. The control for "mode 7 refuses it" may be
    "mode 0 takes it", which proves that the attack itself works; it is called borrowed. `misfit`: in what the bytes
    that arrived are not the variant. `unheard`: what it knows and did not hear."""
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
        return decided(Verdict.INCONCLUSIVE, f"refused as {', '.join(other)}, expected {wanted}", "reason")
    return decided(Verdict.PREVENTED)


def _control(subject: Outcome, same: list[Outcome]) -> Control:
    worked = [one for one in same if one.achieved > 0]
    own = next((one for one in worked if one.security == subject.security), None)
    if own is not None:
        return Control(f"SUCCEEDED {own.achieved} of {own.reached} with the defences off", True, False)
    if worked:
        other = worked[0]
        said = f"{other.achieved} of {other.reached} on {mode_text(other.security)}, defences off"
        return Control(f"borrowed: SUCCEEDED {said}", True, True)
    return Control("did not succeed" if same else "was not run", False, False)


def _other_reasons(subject: Outcome, because: tuple[str, ...]) -> list[str]:
    """Reasons that were given and not expected; of what is no shot the outcome says why in words."""
    if not because:
        return []
    given = {reason for shot in subject.shots if shot.arrived for reason in shot.reasons} or {subject.why}
    return sorted(reason for reason in given if not any(one in reason for one in because))
