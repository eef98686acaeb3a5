"""From outcomes to claims: each outcome of each attack, under each set of defences, next to its control and to what the
scenario expects of it. An outcome nobody expects is as wrong as an expected one that did not come.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from attacks.attack import Landed, Outcome, Record
from bench.rig.clauses import Alarmed, alarmed, misfit, unheard
from bench.rig.contended import broker_lines, session_rows
from bench.rig.scenario import CLEAN, Expectation, Stage
from bench.rig.twin import Twin, unwanted
from bench.rig.verdict import Decision, Terms, Verdict, decide
from sim.core.clock import NS_PER_S
from sim.core.events import AlarmRaised
from sim.core.meant import did_you_mean
from sim.core.vocabulary import SECURITIES
from sim.portal.reasons import QUARANTINED
from sim.truth.ground_truth import fingerprint

Key = tuple[str, str, str, str]  # attack, variant, defences, security mode


@dataclass(slots=True)
class Judgement:
    """`claims` as they stand in run.json; `problems` fail a scenario, `unproven` makes it inconclusive."""

    claims: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)


def judge(stages: Sequence[Stage], twin: Twin | None = None) -> Judgement:
    """`stages`: the runs of one scenario; the one named "off" is the control. `twin`: the same world without the
    attackers; none where they only listen."""
    found = Judgement()
    outcomes = {stage: stage.outcomes() for stage in stages if stage.staged and stage.defences != CLEAN}
    runs = {stage.defences: rows for stage, rows in outcomes.items()}
    expected = _expected(stages[0]) if stages else {}
    attached = {stage.defences: stage.spec.system.securities for stage in stages}
    # A run of that name that there is not is complained of below.
    expected = {key: verdict for key, verdict in expected.items() if key[3] in attached.get(key[2], SECURITIES)}
    spoken = {(e.attack, e.variant): e for s in stages[:1] for e in s.expectations}
    misspelt = _misspelt(spoken, stages, outcomes.values())
    found.problems += misspelt.values()
    expected = {key: verdict for key, verdict in expected.items() if key[:2] not in misspelt}
    met = set()
    unspoken: dict[tuple[str, str], list[Verdict]] = {}
    for stage, rows in outcomes.items():
        silent = [one.attack.record.id for one in stage.staged if all(a is not one.attack for a, _ in rows)]
        found.unproven += [f"{id_} (defences {stage.defences}) found no target" for id_ in silent]
        found.problems += [f"{text} (defences {stage.defences})" for text in unwanted(stage, rows, twin)]
        for attack, outcome in rows:
            if outcome.security in SECURITIES and outcome.security not in stage.spec.system.securities:
                continue  # such meters are no part of this system
            key = (attack.record.id, outcome.variant, stage.defences, outcome.security)
            said = spoken.get(key[:2])
            controls = [o for a, o in runs.get("off", []) if a.record.id == attack.record.id]
            cell = _cell(stage, attack.record, outcome, controls, said, twin)
            threats = list(said.threats) if said else []
            shots = _shots(outcome.variant, outcome.shots, stage, twin)
            found.claims.append(_claim(attack.record, outcome, stage, cell, expected.get(key), threats, shots))
            met.add(key)
            if said is None:
                unspoken.setdefault(key[:2], []).append(cell.decision.verdict)
            else:
                _compare(found, key, cell.decision, expected)
    for (id_, variant), verdicts in unspoken.items():
        said_of_it = ", ".join(dict.fromkeys(verdicts))
        found.problems.append(f"{id_} / {variant}: {said_of_it}, and the scenario does not say what to expect")
    for key, verdict in expected.items():
        if verdict is not None and key not in met:
            _absent(found, key, verdict, runs)
    _sort(found.claims, list(expected), list(runs))
    return found


def _misspelt(
    spoken: Collection[tuple[str, str]], stages: Sequence[Stage], outcomes: Iterable[list[tuple[Any, Outcome]]]
) -> dict[tuple[str, str], str]:
    """(attack, variant) of which a scenario speaks and which the attack has not -> that in words. A variant that an
    attack reported in no run is one of its own all the same where it has a form for it, or reported no other beside."""
    reported: dict[str, dict[str, None]] = {}
    for attack, outcome in (row for rows in outcomes for row in rows):
        reported.setdefault(attack.record.id, {})[outcome.variant] = None
    forms = {staged.attack.record.id: staged.attack.record.forms for stage in stages[:1] for staged in stage.staged}
    said = {}
    for id_, variant in spoken:
        its = [*reported.get(id_, ()), *(form.partition(" / ")[0] for form in forms.get(id_, ()))]
        beside = [one for one in reported.get(id_, ()) if (id_, one) not in spoken]
        if beside and variant not in its:
            every = ", ".join(f"'{one}'" for one in dict.fromkeys(its))
            said[id_, variant] = f"{id_} has no variant '{variant}'{did_you_mean(variant, its) or ';'} it has {every}"
    return said


class Cell(NamedTuple):
    """One outcome, judged."""

    decision: Decision
    alarmed: Alarmed | None
    false_alarms: int | None  # of the watched kinds, in the clean twin


def _cell(
    stage: Stage, record: Record, outcome: Outcome, controls: list[Outcome], said: Expectation | None, twin: Twin | None
) -> Cell:
    terms = Terms()
    if said is not None and outcome.security in SECURITIES:
        terms = said.terms[SECURITIES.index(outcome.security)]
    seen, false = None, None
    if outcome.watch is not None:
        clean = twin.alarms if twin else ()
        seen = alarmed(outcome.watch, terms, stage.truth, clean, record.id)
        false = sum(alarm.kind in outcome.watch.kinds for alarm in clean) if twin else None
    quarantined = any(QUARANTINED in shot.reasons for shot in outcome.shots)
    decision = decide(
        outcome,
        controls,
        terms=terms,
        misfit=misfit(record, outcome, stage.truth),
        unheard=unheard(record, outcome, stage.truth),
        detected=bool(seen and seen.enough),
        raised=stage.truth.raised() if quarantined else "",
    )
    return Cell(decision, seen, false)


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


def _absent(found: Judgement, key: Key, verdict: Verdict, runs: Mapping[str, object]) -> None:
    if key[2] not in runs:
        known = ", ".join(runs) or "none"
        found.problems.append(f"{named(key)}: {verdict} expected, but there is no such run (runs: {known})")
    else:
        found.unproven.append(f"{named(key)}: {verdict} expected, but the attack reported no such outcome")


def _claim(
    record: Record,
    outcome: Outcome,
    stage: Stage,
    cell: Cell,
    expected: Verdict | None,
    threats: list[str],
    shots: list[dict[str, Any]],
) -> dict[str, Any]:
    decision, seen, defences = cell.decision, cell.alarmed, stage.defences
    why = decision.why if seen is None or not outcome.achieved else f"{decision.why}; {seen}"
    if seen is not None and outcome.achieved and not stage.spec.portal.alarms:
        why += ": this world's portal raises none at all"
    evidence: dict[str, Any] = {"reached": outcome.reached, "achieved": outcome.achieved, **outcome.evidence}
    if seen is not None:
        evidence |= {
            "subjects alarmed": f"{seen.subjects} of {seen.of}",
            "alarm latency, s": "none" if seen.latency_s is None else round(seen.latency_s),
            "alarm limit, s": round(seen.limit_s),
            "alarm limit, made of": seen.limit_says,
            "false alarms in the clean twin": "no twin" if cell.false_alarms is None else cell.false_alarms,
        }
    return {
        "attack": record.id,
        "title": record.title,
        "variant": outcome.variant,
        "security": outcome.security,
        "defences": defences,
        "expected": str(expected) if expected is not None else "",
        "verdict": str(decision.verdict),
        "control": decision.control if defences != "off" else "this is the control",
        "borrowed": decision.borrowed and defences != "off",
        "because": decision.clause,
        "clauses": [one._asdict() for one in decision.clauses],
        "false_alarms": cell.false_alarms or 0,
        "why": why,
        "evidence": evidence,
        "threats": threats,
        "shots": shots,
        "alarm_counts": outcome.watch is not None,
        "alarm": None if seen is None or seen.first is None else _first([seen.first], outcome.watch.start_ns),  # type: ignore[union-attr]
        "sessions": session_rows(outcome),
        "broker_lines": broker_lines(outcome, stage.inner.directory),
        "curve": None if outcome.curve is None else outcome.curve._asdict(),
    }


def _shots(variant: str, shots: Sequence[Landed], stage: Stage, twin: Twin | None) -> list[dict[str, Any]]:
    """As they stand in run.json, bytes in hex; each with the first alarm about its meter that the clean twin lacks."""
    anyway = {(alarm.kind, alarm.subject) for alarm in (twin.alarms if twin else ())}
    alarms: dict[str, list[AlarmRaised]] = {}
    for alarm in stage.history.of(AlarmRaised):
        if (alarm.kind, alarm.subject) not in anyway:
            alarms.setdefault(alarm.subject, []).append(alarm)
    return [
        {
            "variant": variant,
            "sent_hex": shot.sent.hex(),
            "original_hex": shot.original.hex(),
            "time_ns": shot.at_ns,
            "source": shot.source,
            "k": shot.k,
            "taken": [list(one) for one in shot.taken],
            "reasons": list(shot.reasons),
            "rows": len(shot.rows),
            "age_s": _age_s(shot, stage),
            "before": _units_before(shot, stage),
            "after": shot.rows[0].units if shot.rows else None,
            "alarm": _first(alarms.get(shot.address, ()), shot.at_ns),
            "original_received": _original_received(shot, stage),
        }
        for shot in shots
    ]


def _age_s(shot: Landed, stage: Stage) -> float | None:
    """How long before the shot the telegram was begun that it was made from; None where it was made from none."""
    sent = stage.truth.known(fingerprint(shot.original)) if shot.original else None
    return None if sent is None else (shot.at_ns - sent.start_ns) / NS_PER_S


def _original_received(shot: Landed, stage: Stage) -> bool | None:
    """Whether a gateway received the genuine telegram before the shot; None where it was made from none."""
    return stage.truth.was_received(fingerprint(shot.original), shot.at_ns) if shot.original else None


def _units_before(shot: Landed, stage: Stage) -> int | None:
    """Units that the genuine telegram says which the shot was made from; None where it is of no meter of the fleet."""
    with contextlib.suppress(LookupError):
        return stage.truth.units_in(fingerprint(shot.original)) if shot.original else None
    return None


def _first(alarms: Sequence[AlarmRaised], since_ns: int) -> dict[str, Any] | None:
    for alarm in alarms:
        if alarm.time_ns >= since_ns:
            latency_s = (alarm.time_ns - since_ns) / NS_PER_S
            return {"kind": alarm.kind, "subject": alarm.subject, "time_ns": alarm.time_ns, "latency_s": latency_s}
    return None


def named(key: Key) -> str:
    attack, variant, defences, security = key
    return f"{attack} / {variant} / {security} / defences {defences}"
