"""SARIF 2.1.0 of an attack on a broker: a rule for each row, a result for each answer, for CI that shows such files.

A result has a place in a file only where the broker's configuration was given: the line of the setting that it is
about, or line 1 where that setting is missing. Otherwise it has the broker's address as a logical location. FAIL is a
result of kind `fail`; what passed, does not apply or stays open is in the file too, so that a reader can tell a clean
broker from an untried one. Clause numbers are those of the OASIS standard (sarif-v2.1.0).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from reports.threat_list import threats
from reports.wording import plain

FILE: Final = "findings.sarif"
VERSION: Final = "2.1.0"
SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
KINDS: Final = {"PASS": "pass", "FAIL": "fail", "INCONCLUSIVE": "open", "NOT APPLICABLE": "notApplicable"}
Json = dict[str, Any]


def write(directory: Path, run: Mapping[str, Any]) -> Path:
    """Into the run directory. Raises OSError."""
    path = directory / FILE
    path.write_text(json.dumps(document(run), indent=1) + "\n", encoding="utf-8")
    return path


def document(run: Mapping[str, Any]) -> Json:
    """The log file with one run (3.13)."""
    rows = run["scenarios"]
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "wmbench",
                        "semanticVersion": str(run["wmbench"]),
                        "rules": [_rule(row) for row in rows],
                    }
                },
                "invocations": [
                    {
                        "commandLine": plain(run["command"]),
                        "executionSuccessful": run["outcome"] in ("passed", "failed"),
                    }
                ],
                "automationDetails": {"id": f"wmbench/broker/{plain(run['check']['broker'])}/"},
                "results": [_result(at, row, run["check"]) for at, row in enumerate(rows)],
                "columnKind": "unicodeCodePoints",
            }
        ],
    }


def _rule(row: Mapping[str, Any]) -> Json:
    """3.49."""
    known = threats()
    named = [known[id_] for id_ in row["threats"] if id_ in known]
    why = "; ".join(f"{one.id}: {one.title}" for one in named)
    return {
        "id": row["row"],
        "shortDescription": {"text": plain(row["title"])},
        "fullDescription": {"text": f"{' '.join(plain(row['doc']).split())} Threats: {why}."},
        "help": {"text": plain(row["help"])},
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "tags": ["security", *row["threats"], *(cwe for one in named for cwe in one.cwe)],
        },
    }


def _result(at: int, row: Mapping[str, Any], check: Mapping[str, Any]) -> Json:
    """3.27. A result of another kind than `fail` has the level `none` (3.27.10)."""
    text = plain(row["message"]) + (f" Remedy: {plain(row['remedy'])}." if row["remedy"] else "")
    return {
        "ruleId": row["row"],
        "ruleIndex": at,
        "kind": KINDS[row["answer"]],
        "level": "error" if row["answer"] == "FAIL" else "none",
        "message": {"text": text},
        "locations": [_location(row, check)],
        "partialFingerprints": {"wmbenchRow/v1": f"{plain(check['broker'])}/{row['row']}"},
        "properties": {"evidence": row["seen"], "threats": list(row["threats"])},
    }


def _location(row: Mapping[str, Any], check: Mapping[str, Any]) -> Json:
    """3.28."""
    found: Json = {"logicalLocations": [{"fullyQualifiedName": plain(check["broker"]), "kind": "resource"}]}
    if check["config"]:
        found["physicalLocation"] = {
            "artifactLocation": {"uri": _uri(check["config"])},
            "region": {"startLine": max(1, int(row["line"]))},
        }
    return found


def _uri(path: str) -> str:
    """An absolute path as a file URI, a relative one as it stands (3.4.4)."""
    return Path(path).as_uri() if Path(path).is_absolute() else quote(Path(path).as_posix())
