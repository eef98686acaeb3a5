"""What a program that decodes told, against what the meter sent: by name and unit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.desk import inventory
from sim.meters.expected_records import stated
from sim.meters.meter_type import kinds
from sim.readers.message_content import Content, ContentSpec
from sim.readers.value_names import TABLES, compared
from wmbus.as_json import json_value

_FILE = Path(__file__).parents[2] / "vectors" / "telegrams.jsonl"
PUBLISHED = {line["hex"].lower(): line for line in map(json.loads, _FILE.read_text(encoding="utf-8").splitlines())}
EVERY_YEAR = "2127"  # no date that our table gives


def told_and_true(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The published telegram of a meter type: what wmbusmeters is asserted to say, and what the meter sent."""
    example = kinds()[name].examples[0]
    told = dict(PUBLISHED[example.telegram.lower()]["expected"])
    told = {field: value for field, value in told.items() if not str(value).startswith(EVERY_YEAR)}
    true = [
        {"name": one.slot.label, "unit": one.chain.unit, "value": json_value(value)}
        for one, value in stated(kinds()[name], example.expected)
    ]
    return told, true


@pytest.mark.parametrize("name", sorted(TABLES["wmbusmeters"]))
def test_published_values_agree_and_each_that_is_changed_is_named(name: str) -> None:
    told, true = told_and_true(name)
    read = inventory.find("wmbusmeters", None).read[1]
    assert isinstance(read, ContentSpec)
    (row,) = Content(read).rows("wmbusmeters/x", json.dumps(told).encode(), 0)
    assert row.values is not None
    right = compared(row.values, true, name, read.names)
    assert len(right.agree) >= 3 and not right.differ and not right.invented, right
    for field in right.agree:
        value = told.get(field)
        if value is None:
            continue  # told under a newer driver's name
        wrong = value + 1 if isinstance(value, int | float) else "2001-01-01 00:00"
        seen = compared({**told, field: wrong}, true, name, read.names)
        assert [one.name for one in seen.differ] == [field]
        assert "the meter sent" in str(seen.differ[0])
        left = compared({other: told[other] for other in told if other != field}, true, name, read.names)
        assert field in left.absent


def test_names_and_units_of_an_inventory_come_first() -> None:
    true = [
        {"name": "volume_l", "unit": "m3", "value": 1.5}, {"name": "energy_wh", "unit": "Wh", "value": 2_500},
        {"name": "room_cc", "unit": "°C", "value": None}, {"name": "set_date", "unit": "", "value": "2025-12-31"},
    ]  # fmt: skip
    means = {"V": "volume_l l", "E": "energy_wh kwh", "t": "room_cc c", "due": "set_date"}
    told: dict[str, object] = {"V": "1500", "E": 2.5, "t": None, "due": "2025-12-31T00:00:00Z"}
    right = compared(told, true, "of-no-table", means=means)
    assert right.agree == ("V", "E", "due") and not right.absent
    wrong = compared({"V": 1.5, "E": 2500, "t": 21.5, "due": "2026-12-31"}, true, "of-no-table", means=means)
    assert [one.name for one in wrong.differ] == ["V", "E", "due"] and wrong.invented == ("t",)


@pytest.mark.parametrize("told", ["x", "", True, [1], "1e999999", 10**400, float("nan")])
def test_what_is_no_number_differs(told: object) -> None:
    true = [{"name": "volume_l", "unit": "m3", "value": 1}]
    wrong = compared({"V": told}, true, "x", means={"V": "volume_l m3"})
    assert [one.name for one in wrong.differ] == ["V"]
