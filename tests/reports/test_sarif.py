"""SARIF of an attack on a broker is what the published schema asks for, as a library reads it that we did not write;
and its answers and places are those of the run."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.broker import config_place
from reports import sarif

SCHEMA = Path(__file__).parents[1] / "vectors" / "sarif" / "sarif-schema-2.1.0.json"
HOSTILE = "<script>\x1b[2J\u202e\x00 {0} [x](javascript:1)"
ANSWERS = ("PASS", "FAIL", "INCONCLUSIVE", "NOT APPLICABLE")


def body(config: str = "") -> dict[str, Any]:
    rows = [
        {"row": f"row-{at}", "title": f"Title {at}", "doc": "What it tries.\nAnd how.", "threats": ["W06", "L06"],
         "answer": answer, "message": "It lets everybody in", "remedy": "allow_anonymous false" * (answer == "FAIL"),
         "help": "allow_anonymous false", "line": 7, "seen": {"opened": [1, "x"], "none": None}}
        for at, answer in enumerate(ANSWERS)
    ]  # fmt: skip
    return {"wmbench": "0.1.0", "command": "./wmbench attack broker localhost:8883", "outcome": "failed",
            "scenarios": rows, "check": {"broker": "127.0.0.1:8883", "config": config}}  # fmt: skip


def hostile(run: dict[str, Any]) -> None:
    run.update(command=HOSTILE)
    run["check"].update(broker=HOSTILE, config=f"/tmp/ü {HOSTILE}".replace("\0", ""))
    for row in run["scenarios"]:
        row.update(message=HOSTILE, title=HOSTILE, help=HOSTILE, doc=HOSTILE, line=0, seen={HOSTILE: HOSTILE})


def empty(run: dict[str, Any]) -> None:
    run.update(scenarios=[], outcome="interrupted")


def relative(run: dict[str, Any]) -> None:
    run["check"].update(config="etc/my mosquitto.conf")


@pytest.mark.parametrize(
    "edit", [lambda run: None, hostile, empty, relative], ids=["whole", "hostile", "empty", "file"]
)
def test_the_published_schema_takes_it(edit: Callable[[dict[str, Any]], None]) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="allowed: the extra 'oscal' has it")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())
    run = body()
    edit(run)
    made = sarif.document(run)
    assert list(validator.iter_errors(json.loads(json.dumps(made)))) == []
    for path in (("runs", 0, "tool", "driver", "name"), ("version",), ("runs", 0, "tool")):
        broken = copy.deepcopy(made)
        place: Any = broken
        for step in path[:-1]:
            place = place[step]
        place.pop(path[-1])
        assert list(validator.iter_errors(broken)), f"the schema lacks nothing without {path}"


def test_each_answer_has_its_kind_and_only_a_failure_a_level() -> None:
    results = sarif.document(body())["runs"][0]["results"]
    assert [(one["kind"], one["level"]) for one in results] == [
        ("pass", "none"), ("fail", "error"), ("open", "none"), ("notApplicable", "none"),
    ]  # fmt: skip
    assert "Remedy: allow_anonymous false." in results[1]["message"]["text"]
    rules = sarif.document(body())["runs"][0]["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in results] == [one["ruleId"] for one in results]
    assert rules[0]["properties"]["tags"] == ["security", "W06", "L06", "CWE-798"]
    assert "W06: An anonymous listener" in rules[0]["fullDescription"]["text"]


def test_a_place_in_a_file_only_where_a_file_was_given() -> None:
    (logical,) = sarif.document(body())["runs"][0]["results"][1]["locations"]
    assert "physicalLocation" not in logical
    (place,) = sarif.document(body("conf/a b.conf"))["runs"][0]["results"][1]["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "conf/a%20b.conf"
    assert place["physicalLocation"]["region"]["startLine"] == 7


def test_a_finding_is_about_the_last_line_that_sets_its_setting(tmp_path: Path) -> None:
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        "# acl_file x\nlistener 1883\nacl_file a\n\n  acl_file b\nallow_anonymous true\n", encoding="ascii"
    )
    known = config_place.settings(config)
    assert config_place.line_of(known, ("acl_file", "listener")) == 5
    assert config_place.line_of(known, ("crlfile", "listener")) == 2
    assert config_place.line_of(known, ("crlfile",)) == 1
