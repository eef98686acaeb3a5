"""The verdicts of runs, one a system, as rows: topic by topic, or variant by variant of the scenarios that
all ran.

A row's verdict is read from the claims of run.json and from nothing else. What a topic needs and no run holds is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from bench.compare.compared import KEYLESS, SYSTEMS, Look, Looker, Measured, NoSurface, NotYet, Side, Topic
from bench.rig.verdict import Verdict

NOT_YET: Final = "NOT YET MEASURED"
NO_SURFACE: Final = "NO SUCH SURFACE"
HOLDS, FAILS, NOT_RUN = "HOLDS", "FAILS", "NOT RUN"
_WORST: Final = (Verdict.SUCCEEDED, Verdict.DETECTED, Verdict.TOLERATED, Verdict.PREVENTED, Verdict.INCONCLUSIVE)

Run = Mapping[str, Any]
"""run.json."""


def of_system(run: Run, system: str) -> dict[str, Any]:
    """The scenarios of a run that played this system; what was left out played none, and stays."""

    def played(scenario: Any) -> bool:
        return all(world.get("system", KEYLESS) == system for world in scenario["worlds"])

    return {"scenarios": [one for one in run["scenarios"] if played(one)]}


def endpoints(runs: Mapping[str, Run]) -> set[str]:
    """The kinds that these worlds had."""
    return {str(world.get("endpoint", "")) for run in runs.values() for one in run["scenarios"]
            for world in one["worlds"]}  # fmt: skip


def rows(
    topics: Sequence[Topic], runs: Mapping[str, Run], systems: Sequence[str] = SYSTEMS
) -> list[dict[str, Any]]:  # fmt: skip
    """A row a topic: {"id", "title", "systems": {system: {"verdict", "reason", "cells"}}}. `cells`: the single verdicts
    of variants and security modes, each with its control."""
    return [
        {"id": one.id, "title": one.title, "systems": {name: _side(one.side(name), runs.get(name)) for name in
        systems}} for one in topics
    ]


def _side(side: Side, run: Run | None) -> dict[str, Any]:
    if isinstance(side, NoSurface):
        return _answer(NO_SURFACE, side.why)
    if isinstance(side, NotYet):
        return _answer(NOT_YET, side.missing)
    scenarios = [one for one in (run or {}).get("scenarios", []) if one["id"].startswith(side.scenario + "::")]
    if not scenarios:
        return _answer(NOT_RUN, f"{side.scenario} is not in this run")
    if isinstance(side, Measured) and all(one["outcome"] == "skipped" for one in scenarios):
        return _answer(NOT_RUN, f"left out: {scenarios[0]['message'].partition(chr(10))[0]}", scenario=side.scenario)
    if isinstance(side, Measured):
        bad = [one for one in scenarios if one["outcome"] != "passed"]
        said = bad[0]["message"].splitlines()[0] if bad and bad[0]["message"] else side.says
        return _answer(FAILS if bad else HOLDS, said, scenario=side.scenario)
    return _looked(side, scenarios)


def _looked(side: Look, scenarios: list[Any]) -> dict[str, Any]:
    claims = [
        claim for one in scenarios for claim in one["claims"]
        if claim["variant"] in side.variants and claim["defences"] == side.defences
        and (not side.securities or claim["security"] in side.securities)
    ]  # fmt: skip
    if not claims:
        first = scenarios[0]
        why = first["message"].splitlines()[0] if first["message"] else f"no claim of {', '.join(side.variants)}"
        return _answer(NOT_RUN, f"{first['outcome']}: {why}", scenario=side.scenario)
    by_mode: dict[str, list[Any]] = {}
    for claim in claims:
        by_mode.setdefault(claim["security"], []).append(claim)
    worst = {mode: min((one["verdict"] for one in found), key=_rank) for mode, found in by_mode.items()}
    verdicts = dict.fromkeys(worst.values())
    telling = min(claims, key=lambda one: _rank(one["verdict"]))
    missing = [name for name in side.variants if all(claim["variant"] != name for claim in claims)]
    return {
        "verdict": " / ".join(f"{mode} {verdict}" for mode, verdict in worst.items())
        if len(verdicts) > 1 else next(iter(verdicts)),
        "by_security": worst,
        "reason": telling["why"] + (f" (no outcome: {', '.join(missing)})" if missing else ""),
        "scenario": side.scenario,
        "defences": side.defences,
        "cells": [
            {key: claim[key] for key in ("variant", "security", "verdict", "why", "control", "evidence")}
            for claim in claims
        ],
    }  # fmt: skip


def _answer(verdict: str, reason: str, *, scenario: str = "") -> dict[str, Any]:
    return {"verdict": verdict, "by_security": {}, "reason": reason, "scenario": scenario, "defences": "", "cells": []}


def _rank(verdict: str) -> int:
    return _WORST.index(Verdict(verdict))


def joined(runs: Mapping[str, Run], systems: Sequence[str] = SYSTEMS) -> list[dict[str, Any]]:
    """Rows of whatever scenarios ran, variant by variant: what one system leaves out says why."""
    topics: dict[tuple[str, str], Topic] = {}
    for run in runs.values():
        for one in run["scenarios"]:
            file = one["id"].partition("::")[0]
            for claim in one["claims"]:
                look = Look(file, (claim["variant"],))
                key = one["id"], claim["variant"]
                topics[key] = Topic(one["id"], f"{one['title']}: {claim['variant']}", dict.fromkeys(systems, look))
            if not one["claims"] and one["outcome"] == "passed":
                side = Measured(file, one["title"])
                topics.setdefault((one["id"], ""), Topic(one["id"], one["title"], dict.fromkeys(systems, side)))
    return rows(list(topics.values()), runs, systems)


def at_home(lookers: Sequence[Looker], runs: Mapping[str, Run]) -> list[dict[str, Any]]:
    """Who might see that somebody is at home, each with the area under his curve and its points: {"party", "system",
    "area", "points", "why"}; without an area where no run has him."""
    out = []
    for one in lookers:
        look = one.look
        found = [
            claim for scenario in runs.get(one.system, {}).get("scenarios", [])
            if scenario["id"].startswith(look.scenario + "::") for claim in scenario["claims"]
            if claim["variant"] in look.variants and claim["defences"] == look.defences and claim.get("curve")
            and (not look.securities or claim["security"] in look.securities)
        ]  # fmt: skip
        made: dict[str, Any] = {"party": one.party, "system": one.system, "area": None, "points": [], "why": ""}
        if found:
            claim = found[0]
            made |= {"area": claim["evidence"].get("area under the curve"), "points": claim["curve"]["points"],
                     "why": claim["why"]}  # fmt: skip
        else:
            made["why"] = f"no run that is compared has {look.scenario}"
        out.append(made)
    return out


def sights(runs: Mapping[str, Run]) -> dict[str, list[Any]]:
    """System -> who saw what, of the world with the most meters and hours that ran undefeated."""
    return {name: _fullest(run)["sights"] for name, run in runs.items() if _fullest(run)}


def costs(runs: Mapping[str, Run]) -> dict[str, list[Any]]:
    """System -> what the same world cost."""
    return {name: _fullest(run)["costs"] for name, run in runs.items() if _fullest(run)}


def measured_in(runs: Mapping[str, Run]) -> dict[str, str]:
    """System -> which world those figures are of."""
    return {name: f"{w['world']}, {w['duration_ns'] / 3.6e12:g} h" for name, run in runs.items() if (w :=
    _fullest(run))}


def _fullest(run: Run) -> dict[str, Any]:
    worlds = [one for one in _worlds(run) if one["variant"] == "on"]
    return max(worlds, key=lambda one: (one["meters"], one["duration_ns"]), default={})


def _worlds(run: Run) -> Iterator[dict[str, Any]]:
    found: Iterable[Any] = run.get("scenarios", [])
    for scenario in found:
        yield from scenario["worlds"]
