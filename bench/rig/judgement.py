"""From outcomes to claims: each outcome of each attack, under each set of defences, next to its control and to what the
scenario expects of it. An outcome nobody expects is as wrong as an expected one that did not come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from attacks.attack import Outcome
from bench.rig.scenario import Stage
from bench.rig.verdict import Decision, Verdict, decide
from sim.core.vocabulary import SECURITIES

Key = tuple[str, str, str, str]  # attack, variant, defences, security mode


@dataclass(slots=True)
class Judgement:
    """`claims` as they stand in run.json; `problems` fail a scenario, `unproven` makes it inconclusive."""

    claims: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)


def judge(stages: Sequence[Stage]) -> Judgement:
    """`stages`: the runs of one scenario; the one named "off" is the control."""
    found = Judgement()
    outcomes = {stage.defences: stage.outcomes() for stage in stages if stage.staged}
    controls = outcomes.get("off", [])
    expected = _expected(stages[0]) if stages else {}
    threats = {(e.attack, e.variant): list(e.threats) for s in stages[:1] for e in s.expectations}
    met = set()
    for defences, rows in outcomes.items():
        for attack, outcome in rows:
            key = (attack.record.id, outcome.variant, defences, outcome.security)
            decision = decide(outcome, [o for a, o in controls if a.record.id == attack.record.id])
            claim = _claim(attack.record, outcome, defences, decision, expected.get(key))
            found.claims.append(claim | {"threats": threats.get(key[:2], [])})
            met.add(key)
            _compare(found, key, decision, expected)
    for key, verdict in expected.items():
        if verdict is not None and key not in met:
            _absent(found, key, verdict, outcomes)
    _sort(found.claims, list(expected), list(outcomes))
    return found


def _sort(claims: list[dict[str, Any]], expected: list[Key], runs: list[str]) -> None:
    """In the order in which the scenario speaks of variants; then by run, then by security mode."""
    spoken = list(dict.fromkeys((attack, variant) for attack, variant, _, _ in expected))

    def place(claim: dict[str, Any]) -> tuple[int, int, int]:
        variant = (claim["attack"], claim["variant"])
        security = claim["security"]
        return (
            spoken.index(variant) if variant in spoken else len(spoken),
            runs.index(claim["defences"]),
            SECURITIES.index(security) if security in SECURITIES else len(SECURITIES),
        )

    claims.sort(key=place)


def _expected(stage: Stage) -> dict[Key, Verdict | None]:
    return {
        (e.attack, e.variant, defences, security): verdict
        for e in stage.expectations
        for defences, verdicts in e.by_defences.items()
        for security, verdict in zip(SECURITIES, verdicts, strict=True)
    }


def _compare(found: Judgement, key: Key, decision: Decision, expected: dict[Key, Verdict | None]) -> None:
    if decision.verdict is Verdict.INCONCLUSIVE:
        found.unproven.append(f"{named(key)}: INCONCLUSIVE, {decision.why}")
    elif key not in expected:
        found.problems.append(f"{named(key)}: {decision.verdict}, and the scenario does not say what to expect")
    elif expected[key] is not decision.verdict:
        wanted = expected[key] or "no outcome"
        found.problems.append(f"{named(key)}: {decision.verdict}, expected {wanted} ({decision.why})")


def _absent(found: Judgement, key: Key, verdict: Verdict, outcomes: dict[str, list[tuple[Any, Outcome]]]) -> None:
    if key[2] not in outcomes:
        known = ", ".join(outcomes) or "none"
        found.problems.append(f"{named(key)}: {verdict} expected, but there is no such run (runs: {known})")
    else:
        found.problems.append(f"{named(key)}: {verdict} expected, but the attack reported no such outcome")


def _claim(
    record: Any, outcome: Outcome, defences: str, decision: Decision, expected: Verdict | None
) -> dict[str, Any]:
    return {
        "attack": record.id,
        "title": record.title,
        "variant": outcome.variant,
        "security": outcome.security,
        "defences": defences,
        "expected": str(expected) if expected is not None else "",
        "verdict": str(decision.verdict),
        "control": decision.control if defences != "off" else "this is the control",
        "why": decision.why,
        "evidence": {"reached": outcome.reached, "achieved": outcome.achieved, **outcome.evidence},
    }


def named(key: Key) -> str:
    attack, variant, defences, security = key
    return f"{attack} / {variant} / {security} / defences {defences}"
