"""From outcomes to verdicts. A defence is only proven when the same attack succeeds without it.

achieved and noticed            DETECTED
achieved                        SUCCEEDED
had an effect, missed its aim   TOLERATED   } only when the control succeeded
reached, achieved nothing       PREVENTED   }
never reached, or no control    INCONCLUSIVE
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from attacks.attack import Outcome
from reports.wording import mode_text


class Verdict(StrEnum):
    PREVENTED = "PREVENTED"
    DETECTED = "DETECTED"
    TOLERATED = "TOLERATED"
    SUCCEEDED = "SUCCEEDED"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True)
class Decision:
    verdict: Verdict
    control: str  # what the control showed, for people
    why: str


def decide(subject: Outcome, controls: Iterable[Outcome]) -> Decision:
    """`controls`: outcomes of the same variant in the run with the defences off, any security mode. The control for
    "mode7 refuses it" may be "mode0 takes it": what it proves is that the attack itself works."""
    same = [c for c in controls if c.variant == subject.variant]
    worked = [c for c in same if c.achieved > 0]
    own = next((c for c in worked if c.security == subject.security), None)
    if own is not None:
        control = f"SUCCEEDED {own.achieved} of {own.reached} with the defences off"
    elif worked:
        other = worked[0]
        control = f"SUCCEEDED {other.achieved} of {other.reached} on {mode_text(other.security)}, defences off"
    else:
        control = "did not succeed" if same else "was not run"
    if subject.reached <= 0:
        return Decision(Verdict.INCONCLUSIVE, control, "the attack never reached its target")
    if subject.achieved > 0:
        verdict = Verdict.DETECTED if subject.detected else Verdict.SUCCEEDED
        return Decision(verdict, control, subject.why)
    if not worked:
        return Decision(Verdict.INCONCLUSIVE, control, "its control did not succeed, so nothing is proven")
    return Decision(Verdict.TOLERATED if subject.bounded else Verdict.PREVENTED, control, subject.why)
