"""The clauses of a verdict that are read from bytes and from alarms: are the shots what the variant names, did the
attacker hear what it knows, did an alarm come that the clean twin has not, and in time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from attacks.attack import Can, Form, Landed, Outcome, Record, Watch
from bench.rig import classify
from bench.rig.verdict import Terms
from sim.core.clock import NS_PER_S, ns
from sim.core.events import AlarmRaised, AttackActed
from sim.truth.ground_truth import Truth, fingerprint

INTERVALS = 3
"""Of the meter's, before its silence is an alarm; what a telegram may be under way is added."""


# --- what was sent --------------------------------------------------------------------------------------------------


def misfit(record: Record, outcome: Outcome, truth: Truth) -> str:
    """In what shots that arrived are not the variant; "" where all are, or where the attack names no form for it."""
    form = record.forms.get(f"{outcome.variant} / {outcome.security}") or record.forms.get(outcome.variant)
    if form is None:
        return ""
    arrived = [shot for shot in outcome.shots if shot.arrived]
    wrong = Counter(said for shot in arrived if (said := _unlike(form, shot, truth)))
    if not wrong:
        return ""
    (most, _), *_ = wrong.most_common(1)
    return f"{sum(wrong.values())} of {len(arrived)}: {most}"


def unheard(record: Record, outcome: Outcome, truth: Truth) -> str:
    """How many genuine telegrams the attack knows that no receiver of an attacker got; "" when none. Asked of who hears
    by radio: it is not believed that it heard them."""
    if not record.can & Can.HEAR:
        return ""
    known = outcome.heard | {fingerprint(shot.original) for shot in outcome.shots if shot.original}
    missed = truth.not_overheard(known)
    return f"{len(missed)} of {len(known)} telegrams never reached a receiver of the attacker" if missed else ""


def _unlike(form: Form, shot: Landed, truth: Truth) -> str:
    lacking = form.shows - classify.shows(shot.sent, shot.original)
    if lacking:
        return f"its form shows {', '.join(sorted(lacking))}, and that is not seen in it"
    if form.changed is None and not shot.original:
        return ""
    mark = fingerprint(shot.original)
    sent = truth.known(mark)
    if sent is None and mark not in truth.foreign:
        return "not made from a telegram that a meter sent"
    if form.changed is not None:
        differs = classify.changed(shot.sent, shot.original)
        if differs != form.changed:
            wanted = ", ".join(sorted(form.changed)) or "nothing"
            return f"changed: {', '.join(sorted(differs)) or 'nothing'}; its form says: {wanted}"
    if sent is None:  # of a recording: it has no place in a meter's rhythm
        return ""
    age_s = (shot.at_ns - sent.start_ns) / NS_PER_S
    if not form.age_s[0] <= age_s <= form.age_s[1]:
        low_s, high_s = form.age_s
        return f"sent {age_s:.6g} s after the genuine one began; age_s of its form allows {low_s:g} to {high_s:g}"
    behind = truth.behind(sent, shot.at_ns)
    if not form.behind[0] <= behind <= form.behind[1]:
        least, most = form.behind
        allows = f"{least} or more" if most == Form().behind[1] else f"{least} to {most}"
        return f"sent {behind} telegrams after the genuine one; behind of its form allows {allows}"
    return ""


# --- alarms ---------------------------------------------------------------------------------------------------------


class Alarmed(NamedTuple):
    """`subjects` of `of` had an alarm in time that the clean twin has not; the slowest came after `latency_s`, of at
    most `limit_s`, made up as `limit_says`. `enough`: as many as the attack must be noticed at. `first`: of them the
    first. `shared`: whose act about the same subject came before it too, and may have raised it; "": nobody's."""

    subjects: int
    of: int
    latency_s: float | None
    limit_s: float
    enough: bool
    limit_says: str = ""
    first: AlarmRaised | None = None
    shared: str = ""

    def __str__(self) -> str:
        if self.latency_s is None:
            return f"no alarm within {self.limit_s:.0f} s that a clean world has not"
        after = f"after {self.latency_s:.0f} s" if self.latency_s else "at the instant of world time of its first act"
        shared = f"; shared: {self.shared}" if self.shared else ""
        return f"alarm for {self.subjects} of {self.of}, the last {after} (limit {self.limit_s:.0f} s){shared}"


def alarmed(watch: Watch, terms: Terms, truth: Truth, clean: Iterable[AlarmRaised], attack: str = "") -> Alarmed:
    """`clean`: the alarms of the same world without the attacker. `attack`: whose."""
    raised: dict[str, list[AlarmRaised]] = {}
    for alarm in truth.alarms(watch.kinds, since_ns=watch.start_ns):
        raised.setdefault(alarm.subject, []).append(alarm)
    anyway = [(alarm.kind, alarm.subject, alarm.time_ns) for alarm in clean]
    latencies, limits, heard = [], [], []
    for subject in watch.subjects:
        limit_ns = ns(terms.within_s or limit_s(truth, subject))
        until_ns = watch.start_ns + limit_ns
        limits.append(limit_ns / NS_PER_S)
        false = {kind for kind, whom, at_ns in anyway if whom == subject and at_ns <= until_ns}
        due = [a for a in raised.get(subject, ()) if a.time_ns <= until_ns and a.kind not in false]
        if due:
            heard.append(min(due, key=lambda alarm: alarm.time_ns))
            latencies.append((heard[-1].time_ns - watch.start_ns) / NS_PER_S)
    enough = bool(latencies) and len(latencies) >= watch.share * len(watch.subjects)
    first = min(heard, key=lambda alarm: alarm.time_ns, default=None)
    most_s = max(limits, default=0.0)
    says = "set by the scenario" if terms.within_s else limit_says(truth, most_s)
    shared = "" if first is None else _shared(watch, first, truth, attack)
    latest_s = max(latencies, default=None)
    return Alarmed(len(latencies), len(watch.subjects), latest_s, most_s, enough, says, first, shared)


def _shared(watch: Watch, alarm: AlarmRaised, truth: Truth, attack: str) -> str:
    """Who else acted about the alarm's subject before it was raised; "": nobody, or this attack is no episode."""
    if watch.places is None:
        return ""
    begun, over = watch.places
    history = truth.world.history
    raised = next((place for place, one in history.placed(AlarmRaised) if one is alarm), 0)
    if raised < begun:
        return f"{attack} had raised it before, in another variant"
    for place, act in history.placed(AttackActed):
        if act.time_ns < watch.start_ns or place >= raised or act.detail.endswith(": over"):
            continue
        if alarm.subject in act.detail if act.attack != attack else not begun <= place < over:
            return f"{act.attack} acted before it came: {act.action}, {act.detail}"
    return ""


def limit_says(truth: Truth, all_s: float) -> str:
    """What a limit is made of, in words."""
    under_way_s, window_s = truth.tolerance_ns / NS_PER_S, truth.world.spec.window_s
    interval_s = (all_s - under_way_s - window_s) / INTERVALS
    return (
        f"{INTERVALS} intervals of {interval_s:.0f} s, {under_way_s:.0f} s that a telegram may be under way, a window "
        f"of {window_s:.0f} s"
    )


def limit_s(truth: Truth, subject: str) -> float:
    """How soon an alarm about a meter must come: three of its intervals, what its telegrams may be under way, and a
    window, since a portal looks for silent meters at the end of each. A gateway's, the longest of all meters'."""
    intervals = {entry.name: entry.interval_s for entry in truth.world.system.registry}
    interval_s = intervals.get(subject) or max(intervals.values(), default=0.0)
    return INTERVALS * interval_s + truth.tolerance_ns / NS_PER_S + truth.world.spec.window_s
