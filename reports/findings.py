"""From verdicts to findings: what a run says of one threat in one security mode, for the documents that others read.

Only the whole defence speaks (defences "on"); a control or a single defence is an observation. A finding is satisfied
when no attack SUCCEEDED (reports.wording.MEANINGS) and each one did on its control in the same run. It is not satisfied
when one SUCCEEDED. Everything else is open: it has observations and no finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from reports.run_model import Claim, Run, Scenario
from reports.wording import OFF, ON

SATISFIED: Final = "satisfied"
NOT_SATISFIED: Final = "not-satisfied"
OPEN: Final = "open"
BOUNDED: Final = ("PREVENTED", "DETECTED", "TOLERATED")


class Observation(NamedTuple):
    """One claim of one scenario; `number` as on the page."""

    number: int
    scenario: Scenario
    claim: Claim

    @property
    def threats(self) -> list[str]:
        return self.claim.threats or self.scenario.threats

    @property
    def speaks(self) -> bool:
        """It is about the system as it is, not about a weakened one."""
        return self.claim.defences in ON

    @property
    def controls(self) -> set[str]:
        """Security modes in which the same attack succeeded on its control, in this run."""
        same = (self.claim.attack, self.claim.variant)
        return {c.security for c in self.scenario.claims
                if c.defences in OFF and c.verdict == "SUCCEEDED" and (c.attack, c.variant) == same}  # fmt: skip

    @property
    def borrowed(self) -> bool:
        """The control that counts was of another security mode."""
        return self.claim.borrowed or (bool(self.controls) and self.claim.security not in self.controls)


class Finding(NamedTuple):
    threat: str
    security: str
    state: str
    observations: tuple[Observation, ...]

    @property
    def noticed(self) -> bool:
        """Satisfied, and one of its attacks reached its aim with an alarm: what it did was done."""
        return self.state == SATISFIED and any(one.claim.verdict == "DETECTED" for one in self.observations)

    @property
    def weak(self) -> bool:
        """It rests on a control that succeeded with less than half of its shots."""
        return any("weak: " in one.claim.control for one in self.observations)


def observations(run: Run) -> list[Observation]:
    return [Observation(number, *both) for number, both in enumerate(run.claims, 1)]


def findings(run: Run) -> list[Finding]:
    """One a threat and security mode, in the order in which the run speaks of them."""
    groups: dict[tuple[str, str], list[Observation]] = {}
    for one in observations(run):
        for threat in one.threats if one.speaks else ():
            groups.setdefault((threat, one.claim.security), []).append(one)
    return [Finding(threat, security, _state(group), tuple(group)) for (threat, security), group in groups.items()]


def _state(group: list[Observation]) -> str:
    if any(one.claim.verdict == "SUCCEEDED" for one in group):
        return NOT_SATISFIED
    proven = all(one.claim.verdict in BOUNDED and one.controls for one in group)
    whole = all(one.scenario.outcome in ("passed", "failed") for one in group)
    return SATISFIED if proven and whole else OPEN


def named_threats(run: Run) -> Iterator[str]:
    """Each threat that a scenario of the run names, once."""
    yield from dict.fromkeys(threat for scenario in run.scenarios for threat in scenario.threats)
