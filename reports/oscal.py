"""OSCAL 1.1.3 from a run: oscal-catalog.json, our threats as controls, and oscal-results.json, what the run found.

The catalogue is our own: one control a threat, named by the threat's id, with properties that lead to the controls of
the BSI's Stand-der-Technik-Bibliothek and to other lists. The results hold an observation for each claim, linked to the
files that show it and their SHA-256, and a finding for each threat and security mode that the run decides (see
reports.findings). Nothing in them is a statement of conformity.

Equal runs give equal documents: UUIDs are version 5, times are the run's.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from reports.findings import NOT_SATISFIED, OPEN, Finding, Observation, findings, named_threats, observations
from reports.run_model import Run, World, read_run
from reports.shots import CAPTURE, LISTED, ShotView, all_views, inside
from reports.threat_list import Threat, threats
from reports.wording import ALARM_RULES, MEANINGS, NOTICED_IS, claim_text, mode_text, plain

OSCAL: Final = "1.1.3"
NS: Final = "https://wmbench.example/ns/oscal"
BSI: Final = "BSI Stand-der-Technik-Bibliothek, OSCAL 1.1.3, 2026-07-30"
CATALOG_FILE: Final = "oscal-catalog.json"
RESULTS_FILE: Final = "oscal-results.json"
CATALOG_VERSION: Final = "2"
CATALOG_DATE: Final = "2026-11-28T00:00:00+00:00"
EVIDENCE: Final = ("events.jsonl", CAPTURE, "portal/portal.sqlite.gz")
TWIN: Final = "clean twin"
_MEDIA: Final = {
    ".json": "application/json", ".jsonl": "application/json", ".pcapng": "application/x-pcapng",
    ".gz": "application/gzip",
}  # fmt: skip
_ROOT: Final = uuid.uuid5(uuid.NAMESPACE_URL, NS)
Json = dict[str, Any]


def write_oscal(
    run_directory: Path, run: Run | None = None, sent: Mapping[int, Sequence[ShotView]] | None = None
) -> list[Path]:
    """Both documents. `run`, `sent`: what is in the directory, and `shots.all_views` of it, where they are at hand.
    Raises RunError and OSError."""
    paths = [run_directory / CATALOG_FILE, run_directory / RESULTS_FILE]
    for path, body in zip(paths, (catalog(), results(run or read_run(run_directory), sent)), strict=True):
        path.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    return paths


# --- the catalogue ---------------------------------------------------------------------------------------------


def catalog() -> Json:
    groups: dict[str, list[Json]] = {}
    for threat in threats().values():
        groups.setdefault(threat.area, []).append(_control(threat))
    return {
        "catalog": {
            "uuid": _id("catalog", CATALOG_VERSION),
            "metadata": {
                "title": "Threats to remote metering over wireless M-Bus",
                "last-modified": CATALOG_DATE,
                "version": CATALOG_VERSION,
                "oscal-version": OSCAL,
                "remarks": f"bsi-control names controls of: {BSI}. A pointer, not a statement of conformity.",
            },
            "groups": [{"id": area, "title": area, "controls": rows} for area, rows in groups.items()],
        }
    }


def _control(threat: Threat) -> Json:
    named = (("stride", threat.stride), ("attack-ics", threat.ics), ("cwe", threat.cwe), ("owasp-istg", threat.istg),
             ("bsi-control", threat.bsi_controls), ("answered-by", threat.answered_by))  # fmt: skip
    control: Json = {
        "id": threat.id,
        "title": threat.title,
        "props": [_prop(name, value) for name, values in named for value in values],
        "parts": [
            {
                "id": f"{threat.id}_smt",
                "name": "statement",
                "prose": f"{threat.remedy} Stopped by: {threat.stopped_by}.",
            },
            {
                "id": objective(threat.id),
                "name": "assessment-objective",
                "prose": "No attack of this kind SUCCEEDED, while each one did on a configuration that is weakened on "
                f"purpose. SUCCEEDED: {MEANINGS['SUCCEEDED']} {NOTICED_IS}",
            },
        ],
    }
    return control if control["props"] else {k: v for k, v in control.items() if k != "props"}


def objective(threat: str) -> str:
    return f"{threat}_obj"


# --- the results -----------------------------------------------------------------------------------------------


def results(run: Run, sent: Mapping[int, Sequence[ShotView]] | None = None) -> Json:
    start = _time(run.started)
    end = start + timedelta(seconds=max(0.0, run.duration_s))
    evidence = _Evidence(run, all_views(run) if sent is None else sent)
    observed = [_observation(run, one, start, evidence) for one in observations(run)]
    decided = [_finding(run, finding) for finding in findings(run) if finding.state != OPEN]
    reviewed = [threat for threat in named_threats(run) if threat in threats()]
    result: Json = {
        "uuid": _id("result", run.started, run.name),
        "title": _words(run.title or run.name, "a run"),
        "description": _words(f"Outcome: {run.outcome}. {len(decided)} findings, {len(observed)} observations."),
        "start": start.isoformat(),
        "end": end.isoformat(),
        "props": _props([("seed", run.seed), ("commit", run.commit), ("wmbench", run.wmbench),
                         ("endpoint", run.endpoint), *((f"version-{k}", v) for k, v in run.versions.items())]),
        "reviewed-controls": {"control-selections": [_selection(reviewed)]},
    }  # fmt: skip
    if observed:
        result["observations"] = observed
    if decided:
        result["findings"] = decided
    if run.left_out or run.notes:
        result["remarks"] = _words("Left out: " + "; ".join([*run.left_out, *run.notes]))
    plan = _id("plan", run.started, run.name)
    return {
        "assessment-results": {
            "uuid": _id("results", run.started, run.name),
            "metadata": {
                "title": _words(f"wmbench: {run.title or run.name}"),
                "last-modified": end.isoformat(),
                "version": _words(run.started, "unknown"),
                "oscal-version": OSCAL,
                "remarks": "Findings are those of a simulation and no statement of conformity to any standard.",
            },
            "import-ap": {"href": f"#{plan}"},
            "results": [result],
            "back-matter": {"resources": [_plan(run, plan), *evidence.resources.values()]},
        }
    }


def _selection(reviewed: list[str]) -> Json:
    return {"include-controls": [{"control-id": threat} for threat in reviewed]} if reviewed else {"include-all": {}}


def _plan(run: Run, id_: str) -> Json:
    links: list[Json] = [{"href": CATALOG_FILE, "media-type": "application/oscal.catalog+json"}]
    path = run.directory / "run.json"
    if path.is_file():
        links.insert(0, _link("run.json", path))
    return {
        "uuid": id_,
        "title": "The run's command and its result, in place of a plan",
        "description": _words("There is no assessment plan of its own: the scenarios that the command names, with "
                              "their worlds, are what was planned, and run.json is what came of them. The command: "
                              f"{run.command}"),
        "rlinks": links,
    }


class _Evidence:
    """The files that show what was observed, each hashed once."""

    def __init__(self, run: Run, sent: Mapping[int, Sequence[ShotView]]) -> None:
        self._run = run
        self.resources: dict[str, Json] = {}
        self._shots = sent

    def of(self, one: Observation) -> list[Json]:
        rows: list[Json] = []
        twins = [w for w in one.scenario.worlds if w.role == TWIN]
        worlds = [w for w in one.scenario.worlds if w.variant == one.claim.defences] or one.scenario.worlds
        for world in [*worlds, *(twin for twin in twins if twin not in worlds)]:
            rows += [row for name in EVIDENCE if (row := self._file(world, name)) is not None]
        shots = self._shots.get(id(one.claim), [])
        rows += [{"description": _shot_words(view)} for view in shots[:LISTED]]
        if len(shots) > LISTED:
            text = f"and {len(shots) - LISTED} more shots, in run.json under scenarios, claims, shots"
            rows.append({"description": _words(text)})
        return rows

    def _file(self, world: World, name: str) -> Json | None:
        path = inside(self._run.directory, world, name)
        if path is None or not path.is_file():
            return None
        where = f"{world.directory}/{name}"
        if where not in self.resources:
            self.resources[where] = {
                "uuid": _id("file", self._run.started, where),
                "title": _words(where),
                "rlinks": [_link(where, path)],
            }
        of_what = _words(f"{name} of the {world.role} {where}")
        return {"href": f"#{self.resources[where]['uuid']}", "description": of_what}


def _shot_words(view: ShotView) -> str:
    shot = view.shot
    parts = [f"shot {view.number} at t = {shot.time_ns} ns, {len(view.sent)} bytes, SHA-256 "
             f"{hashlib.sha256(view.sent).hexdigest()}"]  # fmt: skip
    for said, received in (("received in packets", True), ("not received, in packets", False)):
        numbers = [str(seen.number) for seen in view.frames if seen.received is received]
        parts += [f"{said} {', '.join(numbers)} of {CAPTURE}"] if numbers else []
    brought = [str(seen.number) for seen in view.messages]
    parts += [f"brought to the portal in packets {', '.join(brought)} of {CAPTURE}"] if brought else []
    parts += [f"{shot.rows} readings"] if shot.rows else []
    parts += [f"refused: {', '.join(shot.reasons)}"] if shot.reasons else []
    return _words("; ".join(parts))


def _observation(run: Run, one: Observation, start: datetime, evidence: _Evidence) -> Json:
    claim = one.claim
    props = [("verdict", claim.verdict), ("expected", claim.expected), ("security", claim.security),
             ("defences", claim.defences), ("seed", one.scenario.seed), ("false-alarms", claim.false_alarms),
             ("borrowed-control", "yes" if one.borrowed else "")]  # fmt: skip
    named = ", ".join(part for part in (claim.title or claim.attack, claim.variant, mode_text(claim.security)) if part)
    alarm_rule = "" if claim.alarm_counts is None else ALARM_RULES[claim.alarm_counts]
    body: Json = {
        "uuid": _observed(run, one),
        "title": _words(named),
        "description": _words(f"{claim_text(claim)} {alarm_rule}"),
        "props": _props([*props, *(("threat", threat) for threat in one.threats)]),
        "methods": ["TEST"],
        "types": ["control-objective" if one.speaks else "mitigation"],
        "collected": start.isoformat(),
    }
    shown = evidence.of(one)
    if shown:
        body["relevant-evidence"] = shown
    unmet = [f"{clause.name}: {clause.detail}" for clause in claim.clauses if not clause.ok]
    if unmet or claim.because:
        body["remarks"] = _words("; ".join([claim.because, *unmet] if claim.because else unmet))
    return body


def _finding(run: Run, finding: Finding) -> Json:
    threat = threats().get(finding.threat)
    title = threat.title if threat else "not in the threat list"
    props = [("security", finding.security), *(("bsi-control", c) for c in (threat.bsi_controls if threat else ()))]
    borrowed = any(one.borrowed for one in finding.observations)
    noticed = ("noticed-not-prevented", "yes" if finding.noticed else "")
    return {
        "uuid": _id("finding", run.started, finding.threat, finding.security),
        "title": _words(f"{finding.threat}, {mode_text(finding.security)}: {title}"),
        "description": _words("; ".join(claim_text(one.claim) for one in finding.observations)),
        "props": _props([*props, ("borrowed-control", "yes" if borrowed else ""), noticed]),
        "target": {
            "type": "objective-id",
            "target-id": objective(finding.threat),
            "status": {"state": finding.state, "reason": "fail" if finding.state == NOT_SATISFIED else "pass"},
        },
        "related-observations": [{"observation-uuid": _observed(run, one)} for one in finding.observations],
    }


# --- small parts -----------------------------------------------------------------------------------------------


def _observed(run: Run, one: Observation) -> str:
    claim = one.claim
    named = (claim.attack, claim.variant, claim.security, claim.defences)
    return _id("observation", run.started, one.scenario.id, str(one.scenario.seed), *named)


def _id(*parts: str) -> str:
    return str(uuid.uuid5(_ROOT, json.dumps(parts)))


def _link(href: str, path: Path) -> Json:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    kind = _MEDIA.get(path.suffix, "application/octet-stream")
    return {"href": href, "media-type": kind, "hashes": [{"algorithm": "SHA-256", "value": digest}]}


def _props(pairs: Iterable[tuple[str, object]]) -> list[Json]:
    return [_prop(name, value) for name, value in pairs if str(value).strip()]


def _prop(name: str, value: object) -> Json:
    token = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    return {"name": token, "ns": NS, "value": _words(str(value))}


def _words(text: str, otherwise: str = "none") -> str:
    """One line without control characters at the ends of which nothing is blank: what OSCAL takes as a string."""
    return " ".join(plain(text).split()) or otherwise


def _time(text: str) -> datetime:
    """Of a run's start; the first instant of Unix time where that cannot be read."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
