"""docs/reference/: the pages that are made from the code, so that they cannot say something else.

    python -m tests.tools.reference      write them; tests/test_reference_pages.py holds them against the code

What a key, a method or a table means is said once, in the docstring beside it.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sqlite3
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from attacks import reach
from attacks.attack import CAPABILITIES, Can, attack, form
from bench import exit_codes as codes_of
from bench.cli import play
from bench.fuzz import fuzz_run
from bench.rig import measure, verdict
from bench.rig.scenario import Stage, scenario
from bench.run_directory import ROOT
from reports import threat_list
from sim.core import bundle
from sim.core.vocabulary import SECURITIES
from sim.portal import reasons
from sim.portal.alarm import alarms_in_order
from sim.portal.check import in_order
from sim.portal.store import _sql
from sim.truth.ground_truth import Truth
from sim.world_spec import WorldSpec
from tests.tools.reference_text import MADE, cell, members, said, signature, table
from tests.tools.reference_words import attack_parts, forms_page, meter_words, reasons_page

PLACE: Final = ROOT / "docs" / "reference"


# --- settings -----------------------------------------------------------------------------------------------------


def keys(cls: type, known: frozenset[str] = frozenset()) -> Iterator[str]:
    """A row for each key of a table: its type, its default, what is allowed. `known`: keys said elsewhere."""
    hints = typing.get_type_hints(cls)
    for one in dataclasses.fields(cls):
        if one.name in known or (one.name == "kind" and "one name" not in one.metadata) or "classes" in one.metadata:
            continue
        if dataclasses.is_dataclass(hints[one.name]) or dataclasses.is_dataclass(_item(hints[one.name])):
            continue
        cells = (f"`{one.name}`", _type(hints[one.name]), _default(one), _allowed(one, hints))
        yield f"| {' | '.join(map(cell, cells))} |"


def _item(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None


def _type(hint: Any) -> str:
    origin = typing.get_origin(hint)
    if origin is Literal:
        return "text"
    if origin is tuple:
        return f"list of {_type(typing.get_args(hint)[0])}"
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_type(one) for one in typing.get_args(hint) if one is not type(None))
    names = {str: "text", bool: "true or false", int: "whole number", float: "number", Mapping: "table of texts"}
    return names.get(origin or hint, getattr(hint, "__name__", str(hint)))


def _default(one: dataclasses.Field[Any]) -> str:
    if one.default_factory is not dataclasses.MISSING:
        return "all" if "known" in one.metadata else f"`{toml(one.default_factory())}`"
    if one.default is dataclasses.MISSING:
        return "needed"
    return "none" if one.default is None else f"`{toml(one.default)}`"


def toml(value: Any) -> str:
    """A value as a world file has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(list(value) if isinstance(value, (tuple, set, frozenset)) else value)


def _allowed(one: dataclasses.Field[Any], hints: dict[str, Any]) -> str:
    hint = hints[one.name]
    choices = hint if typing.get_origin(hint) is Literal else _item(hint)
    if typing.get_origin(choices) is Literal:
        return ", ".join(f"`{toml(value)}`" for value in typing.get_args(choices))
    if "known" in one.metadata:
        return ", ".join(f"`{name}`" for name in one.metadata["known"]())
    if one.name == "kind" and "one name" in one.metadata:
        return ", ".join(f'`"{name}"`' for name in one.metadata["one name"]())
    low, high = one.metadata.get("low"), one.metadata.get("high")
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at least {low}" if low is not None else ""


SETTINGS_HEADS: Final = "key | type | default | allowed"


def settings(title: str, cls: type, known: frozenset[str] = frozenset()) -> str:
    """A section for one table and those inside it."""
    rows = list(keys(cls, known))
    out = f"\n## {title}\n{said(cls)}\n\n" if said(cls) else f"\n## {title}\n\n"
    out += table(SETTINGS_HEADS, rows) if rows else "No keys.\n"
    hints = typing.get_type_hints(cls)
    for one in dataclasses.fields(cls):
        inside = hints[one.name] if dataclasses.is_dataclass(hints[one.name]) else _item(hints[one.name])
        head = title if title.startswith("[") else ""
        many = _item(hints[one.name]) is not None
        name = f"[[{one.name}]]" if many else f"[{one.name}]"
        if head:
            name = f"{head} {one.name}"
        if "classes" in one.metadata:
            kinds = one.metadata["classes"]()
            shared = (
                frozenset(f.name for f in dataclasses.fields(inside))
                if dataclasses.is_dataclass(inside)
                else frozenset()
            )
            default = f"; without `kind`: `{one.metadata['kind']}`" if one.metadata["kind"] else ""
            out += f"\n## {name}\n{said(inside)} `kind` is one of {', '.join(f'`{k}`' for k in kinds)}{default}.\n"
            common = list(keys(inside)) if dataclasses.is_dataclass(inside) else []
            if common:
                out += f"\nKeys of every kind:\n\n{table(SETTINGS_HEADS, common)}"
            for kind, table_class in kinds.items():
                own = list(keys(table_class, shared))
                text = said(table_class) if said(table_class) != said(inside) else ""
                out += f'\n### kind = "{kind}"\n{text}\n' if text else f'\n### kind = "{kind}"\n'
                out += f"\n{table(SETTINGS_HEADS, own)}" if own else "\nNo keys of its own.\n"
        elif dataclasses.is_dataclass(inside):
            out += settings(name, typing.cast(type, inside))
    return out


# --- the pages ------------------------------------------------------------------------------------------------------


def world_file() -> str:
    return f"""# World file
{MADE}
A world is a TOML file in `worlds/`. Times are world time, every unit stands in the key's name; a key that is unknown,
missing or out of range is refused with file, line and what is allowed. On the command line a key is dotted:
`--set portal.age_max_s=600`, `--set fleet.interval_s=60` (every group), `--set fleet.fast.interval_s=60` (the group of
this name). A list of names is shortened by `without:NAME`, as in `--set portal.checks=without:bind`. `name` is the
file's own unless it is given; `fleet.type` is one of `list meters`.
{settings("The file's own keys", WorldSpec)}"""


def scenario_page() -> str:
    names = ", ".join(one.name for one in verdict.Verdict)
    return f"""# Scenario and its handle
{MADE}
A scenario is a test function of pytest, marked with `@scenario`, whose argument `world` is the handle below; other
arguments are fixtures and parameters of pytest's.

```python
@scenario{signature(scenario)}
```

{said(scenario)}

## The handle `world`
{said(Stage)}

{table("member | what", members(Stage))}
## A measure
`world.measure(...)` returns one; a limit that is missed fails the scenario.

{table("member | what", members(measure.Measure))}
## Verdicts
In run.json: {names}. What makes each:

```text
{inspect.getdoc(verdict)}
```

In tuples `X` is prevented, `D` detected, `T` tolerated, `S` succeeded, `N` not applicable; their order is that of the
security modes: none, mode 5, mode 7. What each means: [glossary](glossary.md). What `because` may name:
[reasons](reasons.md).
"""


def reach_page() -> str:
    out = f"""# Reach: what an attacker can do
{MADE}
An attack declares what its owner can do (`can=Can.HEAR | Can.SPEAK`) and is given a handle with the methods of these,
and no others. The record:

```python
@attack{signature(attack)}
```

{said(attack)} `forms` are made by `form{signature(form)}`: {said(form)} All words: [forms](forms.md).
What attacks share: [parts](attack-parts.md).

## Whoever it is
{table("method | what", members(reach._Base))}"""
    everyone = set(vars(reach._Base))
    for can, cls in reach.parts_of(~Can(0)):
        rows = [row for row in members(cls) if re.split(r"[(`]", row[3:])[0] not in everyone]
        out += f"\n## `Can.{can.name}`: {CAPABILITIES[can]}\n" + (f"{said(cls)}\n\n" if said(cls) else "\n")
        out += table("method | what", rows)
    return out


def truth_page() -> str:
    return f"""# Truth
{MADE}
`world.truth` in a scenario: what meters and attackers really sent, held against every row that the portal stored. It
never asks the portal for its opinion.

{table("member | what", members(Truth))}"""


def portal_tables() -> str:
    out = f"""# Portal tables
{MADE}
What the portal stores, in SQLite (`portal.sqlite` in a run's world, packed as `.gz` at its end) and in PostgreSQL
alike. Times are world nanoseconds, levels dBm. How Parquet names the same: [columns.md](columns.md).
"""
    rows_of = {name: cls for name, (cls, _) in _sql._ROWS.items()}
    for name, columns in _tables().items():
        text = said(rows_of[name]) if name in rows_of else ""
        out += f"\n## {name}\n" + (f"{text}\n\n" if text and "Alias for" not in text else "\n")
        out += table("column | type", [f"| `{column}` | {kind} |" for column, kind in columns])
    out += "\nThe view `billing` is readings and late telegrams together, one row an instant of a meter.\n"
    out += "\n## Reasons of refusals\nIn the column `reason`; the first that applies.\n\n"
    source = inspect.getsource(reasons)
    comments = dict(re.findall(r'^\w+: Final = "([^"]+)"(?:  # (.*))?$', source, re.M))
    out += table("reason | what", [f"| {reason} | {cell(what)} |" for reason, what in comments.items()])
    out += "\n" + table("check | refuses as", [f"| `{one.id}` | {', '.join(one.reasons)} |" for one in in_order()])
    out += f"\nAlarms, by their `kind`: {', '.join(f'`{one.id}`' for one in alarms_in_order())}.\n"
    return out


def _tables() -> dict[str, list[tuple[str, str]]]:
    """Table -> (column, type) of each, as a database says that was made with the portal's own statements."""
    with closing(sqlite3.connect(":memory:")) as made:
        made.executescript(
            _sql.SCHEMA.format(rowid="", bytes="BLOB", by_key="WITHOUT ROWID", view="CREATE VIEW IF NOT EXISTS")
        )
        names = [name for (name,) in made.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: [(column, kind.lower() + (", never empty" if needed or key else ""))
                   for _, column, kind, needed, _, key in made.execute(f"PRAGMA table_info({name})")]
            for name in names
        }  # fmt: skip


def bundle_page() -> str:
    out = f"# Bundle format\n{MADE}\n{said(bundle)}\n"
    topics = (("bundles up", bundle.UP), ("acknowledgements down", bundle.ACK), ("births up", bundle.BIRTH))
    out += "\n" + table("what | topic", [f"| {what} | `{topic}` |" for what, topic in topics])
    for one in (bundle.Heard, bundle.Bundle, bundle.Taken, bundle.Ack, bundle.Birth):
        names = ", ".join(f"`{name}`" for name in typing.get_type_hints(one) if not name.startswith("_"))
        out += f"\n## {one.__name__}\n{said(one)}\n\nFields: {names}.\n"
    heard = bundle.Heard(bytes.fromhex("2e4493157856341233037a"), 1_768_204_800_000_000_000, -71.5)
    example = bundle.Bundle("gw-0001", 17, 1_768_204_860_000_000_000, (heard,)).encode().decode()
    out += f"\n## A bundle as it travels\n\n```json\n{example}\n```\n"
    return out + "\nA row of `telegrams`: end of reception, level, bytes.\n"


def exit_codes() -> str:
    codes = {
        int(pytest.ExitCode.OK): "everything held",
        int(pytest.ExitCode.TESTS_FAILED): "something does not hold: a verdict, a measure, an invariant, an "
        "expectation of a sweep, a stored reading that was altered, a fuzz finding, histories that differ; or an error "
        "in a scenario",
        codes_of.USAGE_EXIT: "the command cannot be carried out, or a scenario's file cannot be read: one line says "
        "why",
        int(pytest.ExitCode.INTERNAL_ERROR): "pytest itself failed",
        int(pytest.ExitCode.USAGE_ERROR): "pytest does not understand its words, as an expression behind -k",
        int(pytest.ExitCode.NO_TESTS_COLLECTED): "no scenario fits -k, -m or --lf",
        codes_of.INCONCLUSIVE_EXIT: "nothing failed and nothing is proven either way: an attack or its control "
        "did not come through, every scenario was left out, an endpoint elsewhere, or an account, was out of reach, "
        "let a client down or was not named, a file of the endpoint's settings cannot be followed, or a case of "
        "`aws ... --jsonl` cannot be judged",
        codes_of.INTERRUPTED_EXIT: "interrupted; what was finished is kept",
    }  # fmt: skip
    assert play.PLAYED_EXIT == fuzz_run.KEPT_EXIT == 0 and codes_of.USAGE_EXIT == play.BAD_FILE_EXIT
    rows = [f"| {code} | {text} |" for code, text in sorted(codes.items())]
    return f"# Exit codes\n{MADE}\n{table('code | what', rows)}\n`run` and plain pytest have the same ones.\n"


def aws_doubts() -> str:
    rows = []
    for file in sorted((ROOT / "tests" / "vectors" / "aws").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            if "doubt" in case:
                kind = file.stem.removesuffix("_documentation")
                rows.append(f"| `{case['id']}` | {kind} | {case['basis']} | {case['doubt'].replace('|', '/')} |")
    return f"""# AWS: cases whose sources are in doubt
{MADE}
Of the cases in `tests/vectors/aws` these have a source that contradicts itself or is silent. They are run and their
answer is pinned (`tests/bench/test_aws_vectors.py`); no verdict hangs on them. What is answered where it matters is in
[aws.md](aws.md). An id names the case in its file, with its text, source and licence.

{table('case | of | basis | why it is in doubt', rows)}
"""


def threat_list_page() -> str:
    rows = []
    for one in threat_list.threats().values():
        letters = [" or ".join(one.hypothesis.get(mode, "-" if one.hypothesis else "")) for mode in SECURITIES]
        rows.append(f"| {one.id} | {' | '.join(map(cell, (one.title, *letters, one.stopped_by, one.differs)))} |")
    return f"""# The threat list
{MADE}
What was expected of each threat before anything was run, with what stops it on: S the attack succeeds, X it is
prevented, D it is detected, T it is bounded, "-" it does not apply; nothing where no expectation was written down. The
list is a hypothesis and the run is the fact: `./wmbench threats` has the verdicts of the latest runs, and says where
they are unlike. Why they are, so far as is known, stands in the last column. `reports/threats.toml` has the list as
data, with remedies and what other lists call each threat.

{table("id | threat | mode 0 | mode 5 | mode 7 | what stops it | where runs find something else, why", rows)}"""


PAGES: Final[dict[str, Callable[[], str]]] = {
    "reasons.md": reasons_page,
    "forms.md": forms_page,
    "attack-parts.md": attack_parts,
    "meter-words.md": meter_words,
    "world-file.md": world_file,
    "scenario.md": scenario_page,
    "reach.md": reach_page,
    "truth.md": truth_page,
    "portal-tables.md": portal_tables,
    "bundle.md": bundle_page,
    "exit-codes.md": exit_codes,
    "aws-doubtful-cases.md": aws_doubts,
    "threat-list.md": threat_list_page,
}


def write(place: Path = PLACE) -> None:
    """All pages."""
    for name, page in PAGES.items():
        (place / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
    print(f"{len(PAGES)} pages in {PLACE}", file=sys.stderr)
