"""Pages that are written by hand: the lists and tables in them name every part of the code, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import get_args

import pytest

from bench.run_directory import ROOT
from sim.endpoint.registry import ENDPOINTS
from sim.faults.port import FAULTS
from sim.gateway.port import GatewayFeature
from sim.gateway.registry import GATEWAYS
from sim.meters.meter_type import kinds
from sim.portal.alarm import alarms_in_order
from sim.portal.check import in_order

ENDPOINT_HEADS = "| kind | what it is | features |"
GATEWAY_HEADS = "| kind | what it is | features it lacks |"
METER_HEADS = "| id | maker, version, type | header | records | sends | published telegram it is proven on |"
CHECKS = ", ".join(f"`{one.id}`" for one in in_order())


def page(path: str, section: str = "") -> str:
    text = (ROOT / "docs" / path).read_text(encoding="utf-8")
    return text.partition(f"\n## {section}\n")[2].partition("\n## ")[0] if section else text


def rows(text: str, heads: str) -> dict[str, list[str]]:
    """Of the table with this first line: first cell, without backticks -> the other cells."""
    lines = text.partition(f"{heads}\n")[2].split("\n\n")[0].splitlines()[1:]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {first.strip("`"): others for first, *others in cells}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("reference/glossary.md", f"that refuses a telegram that is not new or not in its place: {CHECKS} |\n"),
        ("models/city.md", f"\n| new | {CHECKS} with their windows as arrays; "),
    ],
)  # fmt: skip
def test_the_checks_are_listed_in_their_order(path: str, line: str) -> None:
    assert line in page(path), "paste the line that the checks give"


def test_the_portals_page_has_each_check_with_its_reasons() -> None:
    said = rows(page("models/portal.md"), "| step | refuses as | off by | what then gets in |")
    checks = {id_: cells for id_, cells in said.items() if cells[1] == "`checks`"}
    assert list(checks) == [one.id for one in in_order()]
    assert {id_: _without_late(cells[0]) for id_, cells in checks.items()} == {
        one.id: set(one.reasons) for one in in_order()
    }


def _without_late(reasons: str) -> set[str]:
    return set(reasons.split(", ")) - {"late"}  # which any check may say


def test_the_portals_page_says_what_each_alarm_is() -> None:
    text = page("models/portal.md", "Alarms")
    assert [one.id for one in alarms_in_order() if not re.search(rf"\b{one.id}: ", text)] == []


@pytest.mark.parametrize(
    ("path", "heads", "ids"),
    [
        ("models/endpoint.md", ENDPOINT_HEADS, ENDPOINTS.parts()),
        ("models/gateway.md", GATEWAY_HEADS, GATEWAYS.parts()),
        ("models/faults.md", "| fault | what it does | how it ends | by what it is seen | needs |", FAULTS.parts()),
        ("models/meters.md", METER_HEADS, kinds()),
    ],
)
def test_a_table_of_parts_has_a_row_for_each(path: str, heads: str, ids: Iterable[str]) -> None:
    assert set(rows(page(path), heads)) == set(ids)


def test_the_pages_of_endpoints_and_gateways_say_their_features() -> None:
    has = rows(page("models/endpoint.md"), ENDPOINT_HEADS)
    for id_, one in ENDPOINTS.parts().items():
        assert has[id_][-1] == ", ".join(sorted(one.features))
    lacks = rows(page("models/gateway.md"), GATEWAY_HEADS)
    for id_, kind in GATEWAYS.parts().items():
        assert lacks[id_][-1] == (", ".join(sorted(set(get_args(GatewayFeature)) - kind.features)) or "nothing")
