"""Every case of tests/vectors/aws through the doors of `./wmbench aws`: what others saw on the service, what Amazon's
own programs do, and what the developer guide says. A case that its sources leave in doubt is run and listed with the
reason, and its answer is pinned, but no verdict hangs on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bench.cli import aws
from sim.endpoint.aws.rule_values import V1, dumps, parse

VECTORS = Path(__file__).parents[1] / "vectors" / "aws"
Row = dict[str, Any]

# What we answer where a source contradicts itself or is silent, if it is not what the row has. Each has its reason in
# the row's own `doubt`, and at the function.
DOUBTED = {
    "aws-rules-8f1a7f67": {"r": "b"},  # get("abc", 1): the table counts from 0
    "bitnot(13)": {"r": -14},  # two's complement
}


def rows(kind: str) -> list[Row]:
    found = []
    for name in (f"{kind}.jsonl", f"{kind}_documentation.jsonl"):
        lines = (VECTORS / name).read_text(encoding="utf-8").splitlines() if (VECTORS / name).exists() else []
        found += [parse(line, V1) for line in lines]
    return found


def _cases(kind: str) -> list[Any]:
    return [pytest.param(row, id=row["id"]) for row in rows(kind)]


def alike(found: Any, wanted: Any, tolerance: float = 0) -> bool:
    """Equal as JSON is: 10 and 10.0 are one number, true and 1 are not."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and found.keys() == wanted.keys() and all(
            alike(found[key], wanted[key], tolerance) for key in wanted
        )  # fmt: skip
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(
            alike(one, other, tolerance) for one, other in zip(found, wanted, strict=True)
        )  # fmt: skip
    if isinstance(wanted, bool) or not isinstance(wanted, int | float | Decimal):
        return type(found) is type(wanted) and bool(found == wanted)
    is_number = isinstance(found, int | float | Decimal) and not isinstance(found, bool)
    return is_number and abs(Decimal(str(found)) - Decimal(str(wanted))) <= Decimal(str(tolerance))


@pytest.mark.parametrize("row", _cases("rules"))
def test_a_topic_rule_answers_as_its_source_says(row: Row) -> None:
    given = {key: value for key, value in row.items() if key not in ("fires", "expected", "expected_text")}
    found = aws.rule_case(given)
    wanted = row["expected"]
    if "doubt" in row:
        wanted = next((ours for key, ours in DOUBTED.items() if key in row["id"] + row["sql"]), wanted)
    expected = found["expected"].decode() if row.get("expected_kind") == "bytes" else found["expected"]
    assert found["fires"] == row["fires"]
    assert alike(expected, wanted, float(row.get("tolerance", 0))), found
    assert found.get("republished_to") == row.get("republished_to")
    assert found.get("expected_text", row.get("expected_text")) == row.get("expected_text", found.get("expected_text"))


@pytest.mark.parametrize("row", _cases("policy"))
def test_a_policy_answers_as_its_source_says(row: Row) -> None:
    given = {key: value for key, value in row.items() if key != "expected"}
    assert aws.policy_case(given) == {"expected": row["expected"]}


DOUBTED_SHADOWS = {
    "Missing update payload": "Invalid JSON",  # the text is Greengrass's own; the service's list has this one
}


@pytest.mark.parametrize("row", _cases("shadow"))
def test_a_shadow_answers_as_its_source_says(row: Row) -> None:
    found = json.loads(dumps(aws.shadow_case({key: value for key, value in row.items() if key != "expect"})["expect"]))
    for key, wanted in row["expect"].items():
        _hold(row, found, key, wanted)
    if "message_aws" in row:
        assert found["rejected"]["message"] == row["message_aws"]


def _hold(row: Row, found: Row, key: str, wanted: Any) -> None:
    """One thing that a source states. `has` and `lacks` name dotted paths; a document is held in the parts given."""
    if key == "accepted_version_at_least":
        assert found[key] >= wanted
    elif key == "has" or key.endswith("_has"):
        held = found if key == "has" else found[key.removesuffix("_has")]
        assert all(_path(held, path) is not None for path in wanted), (found, wanted)
    elif key.endswith("_lacks"):
        assert all(_path(found[key.removesuffix("_lacks")], path) is None for path in wanted)
    elif key in ("accepted_ok", "others_unchanged", "list_named") or wanted is None:
        assert found[key] == wanted
    else:
        _parts(found[key], wanted, subset=row.get("compare") == "subset")


def _parts(found: Any, wanted: Mapping[str, Any], *, subset: bool) -> None:
    assert isinstance(found, dict), found
    for key, value in wanted.items():
        if key == "message_contains":
            assert DOUBTED_SHADOWS.get(value, value) in found["message"]
        elif key in ("previous", "current") or (subset and isinstance(value, Mapping)):
            _parts(found[key], value, subset=subset)
        else:
            assert alike(found[key], value), (found, key, value)


def _path(held: Any, path: str) -> Any:
    for key in path.split("."):
        held = held.get(key) if isinstance(held, dict) else None
    return held


def test_no_case_is_lost_and_the_doubtful_ones_are_counted() -> None:
    counts = {
        kind: (len(rows(kind)), sum("doubt" in row for row in rows(kind))) for kind in ("rules", "shadow", "policy")
    }
    assert counts == {"rules": (147, 9), "shadow": (73, 11), "policy": (115, 5)}
