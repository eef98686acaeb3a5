"""What the talk claims, against what runs have shown: `./wmbench threats --claims`, and the head of a report.

threats.toml says of each claim which thresholds it has and in which figures of runs they are read. Each is looked at in
every security mode by itself, with all defences on, since that is the condition that decides most of them:

    held              every figure is within its threshold, and each one's control succeeded
    refuted           one is not; the smallest counterexample is the one that took the attacker the fewest tries
    INCONCLUSIVE      nothing is beyond a threshold, and something was not proven (or its scenario did not finish)
    NOT YET MEASURED  nothing is beyond a threshold, and a part has no figure in any run

Nothing here is read from a text: where a run has no figure, the claim has none either.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

from reports import rates
from reports.run_model import Claim, Scenario, from_json
from reports.threat_list import THREATS
from reports.wording import ON, mode_text, number_text, plain
from sim.core.vocabulary import SECURITIES

GOALS: Final = ("integrity", "availability", "confidentiality", "authenticity")
"""The talk's protection goals, in its order."""
HELD, REFUTED, INCONCLUSIVE, UNMEASURED = "held", "refuted", "INCONCLUSIVE", "NOT YET MEASURED"
_WORST_FIRST: Final = (REFUTED, INCONCLUSIVE, UNMEASURED, HELD)
_UNPROVEN: Final = ("inconclusive", "error", "interrupted", "skipped")
COUNTED: Final = ("achieved", "records changed", "stored again")
"""Figures of what was tried: nothing tried is no figure."""
SHOWN: Final = 3
"""Figures of a claim that are named where they decide nothing."""
NO_NUMBER: Final = "its run has no number"
_NO_CONTROL: Final = ("did not succeed", "was not run")


@dataclass(frozen=True, slots=True)
class Part:
    """One threshold; see threats.toml."""

    says: str
    threats: tuple[str, ...]
    of: str
    made_by: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    named: str = ""
    at_most: float | None = None
    at_least: float | None = None
    at_most_of: str = ""
    low: str = ""
    high: str = ""
    events: str = ""
    over: str = ""
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class Stated:
    """A claim as the list has it."""

    title: str
    goal: tuple[str, ...]
    threshold: str
    false_where: str
    threats: tuple[str, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """What one verdict or measure says of a part. `tries`: what it took the attacker; `within`: None where it has no
    number, or the threshold lies in its interval. `open`: why it decides nothing, "" when it does."""

    part: str
    security: str
    value: float | None
    limit: float | None
    within: bool | None
    open: str
    tries: int
    what: str
    scenario: str
    world: str
    replay: str

    def __str__(self) -> str:
        value = "no figure" if self.value is None else number_text(self.value)
        limit = "" if self.limit is None else f" (threshold {number_text(self.limit)})"
        tries = f" after {self.tries} tries" if self.tries else ""
        return f"{mode_text(self.security)}, {self.what}: {value}{limit}{tries}"


@dataclass(slots=True)
class Told:
    """A claim as runs have it. `by_mode`: security mode -> state; `missing`: parts without a figure, and why."""

    stated: Stated
    state: str
    by_mode: dict[str, str]
    counterexample: Figure | None
    figures: list[Figure] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def lacks(self, part: Part) -> bool:
        """Whether a run can measure this part and none has."""
        return not part.lacking and all(figure.part != part.says for figure in self.figures)

    @property
    def undecided(self) -> list[Figure]:
        """Figures that decide nothing, each once, in the modes that are INCONCLUSIVE."""
        return [
            figure
            for figure in self.figures
            if figure.open and any(
                state == INCONCLUSIVE and figure.security in (mode, "") for mode, state in self.by_mode.items()
            )
        ]  # fmt: skip

    @property
    def conditions(self) -> list[str]:
        """The worlds in which it was measured."""
        return sorted({figure.world for figure in self.figures if figure.world})

    def as_json(self) -> dict[str, Any]:
        from dataclasses import asdict

        return {**asdict(self), "conditions": self.conditions}


@cache
def stated(path: Path = THREATS) -> tuple[Stated, ...]:
    """The [[claim]] tables. Raises ValueError for a part that has no threshold and does not say what is lacking."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(_stated(one) for one in table["claim"])


def _stated(row: Mapping[str, Any]) -> Stated:
    parts = tuple(_part(part) for part in row.get("part", ()))
    for part in parts:
        bounds = (part.at_most, part.at_least, part.at_most_of or None)
        if not part.lacking and all(bound is None for bound in bounds):
            raise ValueError(f"claim {row['title']!r}, part {part.says!r}: no threshold and nothing lacking")
    if not parts or not set(row["goal"]) <= set(GOALS):
        raise ValueError(f"claim {row['title']!r} has no part, or a goal that is none of {', '.join(GOALS)}")
    return Stated(row["title"], tuple(row["goal"]), row["threshold"], row["false_where"], tuple(row["threats"]), parts)


def _part(row: Mapping[str, Any]) -> Part:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Part(**fields)


# --- from runs ------------------------------------------------------------------------------------------------------


def newest(runs: Iterable[Mapping[str, Any]], declared: Mapping[str, Sequence[str]] | None = None) -> list[Scenario]:
    """Of each scenario what the newest run says of the world as its file has it, with each of its seeds."""
    found: dict[str, list[Scenario]] = {}
    for body in sorted(runs, key=lambda body: str(body.get("started", ""))):
        what_if = {str(entry.get("id")) for entry in body.get("scenarios", []) if entry.get("what_if")}
        here: dict[str, list[Scenario]] = {}
        for scenario in from_json(dict(body)).scenarios:
            if scenario.id not in what_if and (declared is None or scenario.id in declared):
                here.setdefault(scenario.id, []).append(scenario)
        found |= here
    return [scenario for scenarios in found.values() for scenario in scenarios]


def judge(scenarios: Sequence[Scenario], claims: Sequence[Stated] | None = None) -> list[Told]:
    """Each claim of the list, by its first goal."""
    told = [_judge(one, scenarios) for one in (stated() if claims is None else claims)]
    return sorted(told, key=lambda one: GOALS.index(one.stated.goal[0]))


def _judge(claim: Stated, scenarios: Sequence[Scenario]) -> Told:
    figures, missing = [], []
    for part in claim.parts:
        found = [] if part.lacking else list(_figures(part, scenarios))
        if not found:
            missing.append(f"{part.says}: {part.lacking or f'no run has it; {command(part.made_by)} makes one'}")
        figures += found
    modes = [mode for mode in SECURITIES if any(figure.security == mode for figure in figures)] or list(SECURITIES)
    by_mode: dict[str, str] = {}
    for mode in modes:
        by_mode[mode] = _state([figure for figure in figures if figure.security in (mode, "")], missing)
    state = next(one for one in _WORST_FIRST if one in by_mode.values())
    beyond = [figure for figure in figures if figure.within is False]
    smallest = min(beyond, key=lambda one: (one.tries, one.what, one.security), default=None)
    return Told(claim, state, by_mode, smallest, figures, missing)


def command(files: Iterable[str]) -> str:
    """What runs the scenarios of these files; all of them where none is named."""
    return f"./wmbench run {' '.join(dict.fromkeys(files)) or 'all'}"


def missing_run(told: Sequence[Told]) -> str:
    """The one command that measures every part which no run has; "" where none is missing."""
    lacking = [part for one in told for part in one.stated.parts if one.lacks(part)]
    return command(file for part in lacking for file in part.made_by) if lacking else ""


def _state(figures: Sequence[Figure], missing: Sequence[str]) -> str:
    if any(figure.within is False for figure in figures):
        return REFUTED
    if any(figure.open for figure in figures):
        return INCONCLUSIVE
    return UNMEASURED if missing or not figures else HELD


def _figures(part: Part, scenarios: Sequence[Scenario]) -> Iterable[Figure]:
    if part.events:
        yield from _pooled(part, scenarios)
        return
    for scenario in scenarios:
        if not set(part.threats) & set(scenario.threats):
            continue
        ended, common = _ended(scenario), _common(scenario)
        if part.of == "measure":
            ends = {one.name: one.value for one in scenario.measures}
            for measure in scenario.measures:
                if part.named in measure.name:
                    decided = _decided(part, measure.value, {}, ends)
                    yield _figure(part, "", measure.value, decided, ended, what=measure.name, common=common)
            continue
        for claim in scenario.claims:
            if _speaks(part, claim, scenario):
                value = _value(part, claim)
                decided = _decided(part, value, claim.evidence, claim.evidence)
                unproven = "its verdict is INCONCLUSIVE" if claim.verdict == "INCONCLUSIVE" else ""
                unproven = unproven or (f"its control {claim.control}" if claim.control in _NO_CONTROL else "")
                yield _figure(
                    part, claim.security, value, decided, unproven or ended, common=common,
                    what=", ".join(filter(None, (claim.attack, claim.variant))),
                    tries=_whole(claim.evidence.get("reached")),
                )  # fmt: skip


def _pooled(part: Part, scenarios: Sequence[Scenario]) -> Iterable[Figure]:
    """One figure of all seeds, whose interval is the narrower the more there are."""
    seen = [
        (one, {measure.name: measure.value for measure in one.measures})
        for one in scenarios
        if set(part.threats) & set(one.threats)
    ]
    seen = [(one, values) for one, values in seen if values.get(part.over)]
    if not seen:
        return
    events = sum(int(values.get(part.events) or 0) for _, values in seen)
    over = sum(float(values[part.over] or 0) for _, values in seen)
    ends = {"low": rates.lower(events) / over, "high": rates.upper(events) / over}
    ended = next((_ended(one) for one, _ in seen if _ended(one)), "")
    named = f"{part.named}, {events} in {number_text(over)} of {len(seen)} seeds"
    decided = _decided(replace(part, low="low", high="high"), events / over, {}, ends)
    yield _figure(part, "", events / over, decided, ended, what=named, common=_common(seen[0][0]))


def _ended(scenario: Scenario) -> str:
    """Why nothing that it says is proven; "" where it came to its end."""
    return "" if scenario.outcome not in _UNPROVEN else f"its scenario is {scenario.outcome}"


def _common(scenario: Scenario) -> dict[str, str]:
    world = scenario.worlds[0].world if scenario.worlds else ""
    return {"scenario": scenario.id, "world": world, "replay": scenario.replay}


def _figure(
    part: Part, security: str, value: float | None, decided: tuple[float | None, bool | None, str], unproven: str,
    *, what: str, common: Mapping[str, str], tries: int = 0,
) -> Figure:  # fmt: skip
    limit, within, undecided = decided
    return Figure(part.says, security, value, limit, within, unproven or undecided, tries, what, **common)


def _decided(
    part: Part, value: float | None, evidence: Mapping[str, Any], ends: Mapping[str, Any]
) -> tuple[float | None, bool | None, str]:
    """(the threshold, whether the value is within it, why that is not decided)."""
    limit, within = _held_against(part, value, evidence)
    if _undecided(part, ends, limit):
        low, high = number_text(ends[part.low]), number_text(ends[part.high])
        return limit, None, f"its interval reaches from {low} to {high}, and the threshold lies in it"
    return limit, within, "" if within is not None else NO_NUMBER


def _undecided(part: Part, ends: Mapping[str, Any], limit: float | None) -> bool:
    """Does the threshold lie between the ends that a figure's interval has?"""
    low, high = ends.get(part.low), ends.get(part.high)
    return limit is not None and low is not None and high is not None and low <= limit <= high


def _speaks(part: Part, claim: Claim, scenario: Scenario) -> bool:
    if claim.defences not in ON or not set(part.threats) & set(claim.threats or scenario.threats):
        return False
    return not part.variants or any(word in claim.variant for word in part.variants)


def _value(part: Part, claim: Claim) -> float | None:
    """None where the run has no number: an attack that never reached its target got nothing, and proves nothing."""
    value = claim.evidence.get(part.of)
    if part.of in COUNTED and not _whole(claim.evidence.get("reached")):
        return None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _held_against(part: Part, value: float | None, evidence: Mapping[str, Any]) -> tuple[float | None, bool | None]:
    """(the threshold, whether the value is within it)."""
    if part.at_most_of:
        other = evidence.get(part.at_most_of)
        most = float(other) if isinstance(other, int | float) else None
    else:
        most = part.at_most
    limit = part.at_least if most is None else most
    if value is None or limit is None:
        return limit, None
    return limit, value <= limit if most is not None else value >= limit


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


# --- for people -----------------------------------------------------------------------------------------------------


def print_claims(told: Sequence[Told], *, file: IO[str] | None = None) -> None:
    """A claim a paragraph, under the protection goals."""
    file = file or sys.stdout
    goal = ""
    for one in told:
        if one.stated.goal[0] != goal:
            goal = one.stated.goal[0]
            print(f"{goal.upper()}", file=file)
        modes = ", ".join(f"{mode_text(mode)} {state}" for mode, state in one.by_mode.items())
        print(plain(f"  {one.state:<16} {one.stated.title}"), file=file)
        print(plain(f"    threshold: {one.stated.threshold}"), file=file)
        if one.figures:
            print(plain(f"    with all defences on: {modes}; worlds: {', '.join(one.conditions)}"), file=file)
        if one.counterexample is not None:
            print(plain(f"    smallest counterexample: {one.counterexample}"), file=file)
            print(plain(f"      {one.counterexample.part}; again: {one.counterexample.replay}"), file=file)
        for figure in one.undecided[:SHOWN]:
            print(plain(f"    not decided: {figure.part}: {figure}: {figure.open}; again: {figure.replay}"), file=file)
        if (more := len(one.undecided) - SHOWN) > 0:
            print(f"    not decided: {more} more", file=file)
        for text in one.missing:
            print(plain(f"    not yet measured: {text}"), file=file)
    if everything := missing_run(told):
        print(plain(f"what is not yet measured, at once: {everything}"), file=file)
