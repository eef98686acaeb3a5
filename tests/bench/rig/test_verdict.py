"""Verdicts: no defence is proven without a control."""

import pytest

from attacks.attack import Outcome
from bench.rig.verdict import Verdict, decide


def outcome(security="mode5", *, reached=3, achieved=0, **more) -> Outcome:
    return Outcome("again", security, reached, achieved, **more)


@pytest.mark.parametrize(
    ("subject", "controls", "verdict"),
    [
        (outcome(), [outcome(achieved=2)], Verdict.PREVENTED),
        (outcome(), [outcome("none", achieved=2)], Verdict.PREVENTED),
        (outcome(), [], Verdict.INCONCLUSIVE),
        (outcome(), [outcome(achieved=0)], Verdict.INCONCLUSIVE),
        (outcome(reached=0), [outcome(achieved=2)], Verdict.INCONCLUSIVE),
        (outcome(achieved=1), [outcome(achieved=2)], Verdict.SUCCEEDED),
        (outcome(achieved=1, detected=True), [outcome(achieved=2)], Verdict.DETECTED),
        (outcome(bounded=True), [outcome(achieved=2)], Verdict.TOLERATED),
        (outcome(bounded=True), [outcome(achieved=0)], Verdict.INCONCLUSIVE),
    ],
)
def test_decisions(subject: Outcome, controls: list[Outcome], verdict: Verdict) -> None:
    assert decide(subject, controls).verdict is verdict


def test_a_control_of_another_variant_proves_nothing() -> None:
    other = Outcome("something else", "mode5", 3, 3)
    assert decide(outcome(), [other]).verdict is Verdict.INCONCLUSIVE


def test_the_control_is_named() -> None:
    assert decide(outcome("mode7"), [outcome("none", achieved=2)]).control == "SUCCEEDED 2 of 3 on mode 0, defences off"
