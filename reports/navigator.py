"""An ATT&CK Navigator layer (domain ics-attack) from the verdicts of a run: navigator.json.

A technique's score is the share of its findings that are satisfied, in percent; techniques of which a run has only open
findings stand in it without a score. The comment names the scenarios.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from reports.findings import OPEN, SATISFIED, Finding, findings
from reports.run_model import Run, caveats, read_run
from reports.threat_list import threats
from reports.wording import MEANINGS, NOTICED_IS, mode_text, plain

ATTACK_VERSION: Final = "18"
FILE: Final = "navigator.json"


def write_navigator(run_directory: Path, run: Run | None = None) -> Path:
    """`run`: what is in the directory, where it was read already. Raises RunError and OSError."""
    path = run_directory / FILE
    path.write_text(json.dumps(layer(run or read_run(run_directory)), indent=1) + "\n", encoding="utf-8")
    return path


def layer(run: Run) -> dict[str, Any]:
    by_technique: dict[str, list[Finding]] = {}
    for finding in findings(run):
        threat = threats().get(finding.threat)
        for technique in threat.ics if threat else ():
            by_technique.setdefault(technique, []).append(finding)
    return {
        "name": plain(f"wmbench: {run.title or run.name}"),
        "versions": {"attack": ATTACK_VERSION, "navigator": "5.1.0", "layer": "4.5"},
        "domain": "ics-attack",
        "description": plain(f"Run {run.name} of {run.started}, commit {run.commit}. Score: findings satisfied, in %. "
            f"SUCCEEDED: {MEANINGS['SUCCEEDED']} {NOTICED_IS}{''.join(f' {one}' for one in caveats(run.endpoints))}"),
        "sorting": 3,
        "hideDisabled": False,
        "techniques": [_technique(id_, rows) for id_, rows in sorted(by_technique.items())],
        "gradient": {"colors": ["#b3321f", "#e3b341", "#187a54"], "minValue": 0, "maxValue": 100},
        "legendItems": [
            {"label": "an attack SUCCEEDED", "color": "#b3321f"},
            {"label": "none did (some may be DETECTED), and each did on its control", "color": "#187a54"},
        ],
    }


def _technique(technique: str, rows: list[Finding]) -> dict[str, Any]:
    decided = [row for row in rows if row.state != OPEN]
    scenarios = dict.fromkeys(one.scenario.id for row in rows for one in row.observations)
    entry: dict[str, Any] = {
        "techniqueID": technique,
        "enabled": True,
        "comment": plain("; ".join(scenarios)),
        "metadata": [
            {"name": f"{row.threat}, {mode_text(row.security)}", "value": plain(row.state)} for row in rows
        ],
    }
    if decided:
        entry["score"] = round(100 * sum(row.state == SATISFIED for row in decided) / len(decided))
    return entry


