"""Verdicts: no defence is proven without a control."""

from dataclasses import replace
from typing import Any

import pytest

from attacks.attack import Landed, Outcome
from bench.rig.verdict import Terms, Verdict, decide


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
        (outcome(bounded=True), [outcome(achieved=2)], Verdict.TOLERATED),
        (outcome(bounded=True), [outcome(achieved=0)], Verdict.INCONCLUSIVE),
    ],
)
def test_decisions(subject: Outcome, controls: list[Outcome], verdict: Verdict) -> None:
    assert decide(subject, controls).verdict is verdict


def test_a_control_of_another_variant_proves_nothing() -> None:
    other = Outcome("something else", "mode5", 3, 3)
    assert decide(outcome(), [other]).verdict is Verdict.INCONCLUSIVE


def test_the_control_is_named_and_a_borrowed_one_is_called_so() -> None:
    borrowed = decide(outcome("mode7"), [outcome("none", achieved=2)])
    assert (borrowed.control, borrowed.borrowed) == ("borrowed: SUCCEEDED 2 of 3 on mode 0, defences off", True)
    own = decide(outcome(), [outcome("none", achieved=2), outcome(achieved=1)])
    assert (own.control, own.borrowed) == ("SUCCEEDED 1 of 3 with the defences off", False)


def tries(security: str, achieved: int, *, of: int = 6) -> Outcome:
    return outcome(security, reached=of, achieved=achieved, shots=(shot(),) * of)


def test_a_borrowed_control_is_the_one_with_the_largest_share() -> None:
    borrowed = decide(tries("mode7", 0), [tries("mode5", 1), tries("none", 6), tries("mode7", 0)])
    assert borrowed.control == "borrowed: SUCCEEDED 6 of 6 on mode 0, defences off"


def test_a_control_with_less_than_half_of_its_shots_is_named_weak_and_proves_nothing_by_itself() -> None:
    weak = decide(tries("mode5", 0), [tries("mode5", 1), tries("none", 6)])
    assert weak.control == "weak: SUCCEEDED 1 of 6 with the defences off"
    assert (weak.verdict, weak.clause) == (Verdict.INCONCLUSIVE, "control")
    assert "by chance alone 6 shots all fail in 33% of runs" in weak.why
    assert decide(tries("mode5", 0, of=60), [tries("mode5", 6, of=60)]).verdict is Verdict.PREVENTED
    refused = replace(tries("mode5", 0), shots=(shot("time off"),) * 6)
    assert decide(refused, [tries("mode5", 1)], terms=Terms(because=("time off",))).verdict is Verdict.PREVENTED
    occasions = outcome(reached=6, achieved=1)
    assert decide(outcome(reached=6), [occasions]).control == "SUCCEEDED 1 of 6 with the defences off"


def test_an_alarm_in_time_makes_it_detected() -> None:
    assert decide(outcome(achieved=1), [], detected=True).verdict is Verdict.DETECTED
    assert decide(outcome(), [outcome(achieved=1)], detected=True).verdict is Verdict.PREVENTED


def shot(*reasons: str) -> Landed:
    return Landed("QDS 1", 0, b"", b"", (("gw-0001", 1),), reasons, ())


@pytest.mark.parametrize(
    ("subject", "more", "clause"),
    [
        (outcome(reached=2), {}, "arrived"),
        (outcome(reached=2), {"terms": Terms(least=2)}, ""),
        (outcome(), {"misfit": "3 of 3: changed: contents"}, "variant"),
        (outcome(achieved=3), {"misfit": "3 of 3: changed: contents"}, "variant"),
        (outcome(), {"unheard": "1 of 3 telegrams"}, "heard"),
        (outcome(achieved=3), {"unheard": "1 of 3 telegrams"}, "heard"),
        (outcome(shots=(shot("profile"), shot("bad mac"))), {"terms": Terms(because=("profile",))}, "reason"),
        (outcome(shots=(shot("profile"), shot("bad mac"))), {"terms": Terms(because=("profile", "bad mac"))}, ""),
        (outcome(why="refused: Hostname mismatch"), {"terms": Terms(because=("has expired",))}, "reason"),
        (outcome(why="refused: has expired"), {"terms": Terms(because=("has expired",))}, ""),
        (outcome(why="refused: has expired"), {"terms": Terms(because=("has expire",))}, "reason"),
        (outcome(shots=(shot("replayed counter"),)), {"terms": Terms(because=("replayed",))}, "reason"),
    ],
)
def test_a_clause_that_does_not_hold_makes_it_inconclusive_and_is_named(
    subject: Outcome, more: dict[str, Any], clause: str
) -> None:
    decision = decide(subject, [outcome(achieved=3)], **more)
    assert (decision.verdict is Verdict.INCONCLUSIVE, decision.clause) == (bool(clause), clause)


def test_what_was_raised_stands_beside_a_quarantined_shot() -> None:
    subject = outcome(shots=(shot("quarantined"), shot("bad mac")))
    decision = decide(
        subject, [outcome(achieved=3)], terms=Terms(because=("time off",)), raised="ValueError: check 'soon': verdict"
    )
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert decision.why == "refused as bad mac, quarantined (ValueError: check 'soon': verdict), expected time off"
