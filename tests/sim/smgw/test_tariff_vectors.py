"""Rule sets and readings of the public bill checker TRuDI and of a real gateway, with the registers that TRuDI's own
tests expect."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sim.smgw.tariff_rows import answer

FILE = Path(__file__).parents[2] / "vectors" / "smgw_taf.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line, parse_float=Decimal) for line in FILE.read_text().splitlines()]
BESIDE_THE_RULE = {
    "trudi-TestSingleDayMaxTariffChangeWithGapOnTariffChange": "zones change every 15 min; TRuDI gives the gap's first "
    "quarter, before which its last valid reading stands, to the zone after it",
    "trudi-Test3DayData2DayTariffFileGap5": "a gap from 23:30 over midnight to 06:00 within one zone; TRuDI works day "
    "by day and gives what crosses midnight and ends on a switch to the error register",
    "trudi-TestSingleMonth3HourPeriodWithManyGaps": "long gaps over midnights, again day by day",
}
"""Rows that the one rule does not reproduce, and why."""


def registers(row: dict[str, Any]) -> dict[str, Any]:
    return json.loads(answer({name: value for name, value in row.items() if not name.startswith("expect")}))


@pytest.mark.parametrize("row", [row for row in ROWS if row["id"] not in BESIDE_THE_RULE], ids=lambda row: row["id"])
def test_registers_are_as_published(row: dict[str, Any]) -> None:
    got = registers(row)["registers"]
    named = [{name: one[name] for name in row["expect"][0]} for one in got]
    if "expect_by" in row:  # a real month: of the registers that were worked out
        named = [one for one in named if one["tariff"] in {want["tariff"] for want in row["expect"]}]
    assert named == row["expect"]


@pytest.mark.parametrize("row", [row for row in ROWS if row["id"] in BESIDE_THE_RULE], ids=lambda row: row["id"])
def test_what_is_beside_the_rule_loses_nothing(row: dict[str, Any]) -> None:
    got = {one["tariff"]: one["amount"] for one in registers(row)["registers"]}
    want = {one["tariff"]: one["amount"] for one in row["expect"]}
    assert got != want  # else it belongs to the others
    assert sum(got.values()) == sum(want.values())


def test_all_rows_are_looked_at() -> None:
    assert len(ROWS) == 43
    assert set(BESIDE_THE_RULE) < {row["id"] for row in ROWS}
