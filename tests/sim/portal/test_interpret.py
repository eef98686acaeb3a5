"""Published telegrams of heat cost allocators, through the whole portal: what it stores is what was published."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from bed import Bed

from sim.portal import reasons
from sim.portal.meter_registry import MeterEntry
from sim.portal.portal_spec import PortalSpec
from wmbus.errors import BadTelegram
from wmbus.link import strip_crcs
from wmbus.telegram import parse

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "telegrams.jsonl"
SECURITY = {0: "none", 5: "mode5", 7: "mode7"}
NAMES = {
    "units": ("current_consumption_hca", "consumption_hca"),
    "set_date_units": ("consumption_at_set_date_hca", "target_hca"),
    "set_date": ("set_date", "target_date"),
    "meter_time": ("device_datetime", "meter_datetime"),
}
# Published with another meaning: no date at the set date's place on the wire, a year of three digits; a month end of a
# meter that sends no date.
OTHERWISE = {("VIP", "set_date", "2127-01-01"), ("SON", "set_date", "2127-07-01"), ("INE", "set_date_units", 273)}


def published() -> list[tuple[int, dict[str, Any], bytes]]:
    """Line, vector and bytes of those that a portal with the published key can read as standard records."""
    rows = []
    for number, line in enumerate(VECTORS.read_text().splitlines(), start=1):
        vector = json.loads(line)
        readable = vector["mode"] == 0 or (vector["mode"] in (5, 7) and vector["key"])
        told = any(vector["expected"].get(name) is not None for name in NAMES["units"])
        if not (vector["hca"] and readable and told):
            continue
        try:
            raw = strip_crcs(bytes.fromhex(vector["hex"]))
        except BadTelegram:
            continue
        rows.append((number, vector, raw))
    return rows


def stored(path: Path, vector: dict[str, Any], raw: bytes) -> Bed:
    address = parse(raw).address
    keys = {address: bytes.fromhex(vector["key"])} if vector["key"] else {}
    b = Bed(path, PortalSpec(checks=()), entries=[MeterEntry(address, SECURITY[vector["mode"]])], keys=keys)  # type: ignore[arg-type]
    b.hear(raw, 0.0)
    return b


@pytest.mark.parametrize(("line", "vector", "raw"), published(), ids=lambda x: str(x) if isinstance(x, int) else "")
def test_stored_as_published(tmp_path: Path, line: int, vector: dict[str, Any], raw: bytes) -> None:
    b = stored(tmp_path, vector, raw)
    rows = b.portal.store.readings()
    if not rows:
        # BFW's payload is its own although its header says records; one Q caloric keeps its values in a maker's record.
        assert (vector["manufacturer"], b.portal.store.refusals()[0].reason) in {
            ("BFW", reasons.BAD_RECORDS), ("QDS", reasons.NO_VALUE),
        }  # fmt: skip
        return
    for column, names in NAMES.items():
        for name in names:
            wanted = vector["expected"].get(name)
            if wanted is None or (vector["manufacturer"], column, wanted) in OTHERWISE:
                continue
            if column == "set_date":  # a first of a month is the day after the last that counts
                wanted = str(date.fromisoformat(wanted) - timedelta(days=wanted.endswith("-01")))
            got = getattr(rows[0], column)
            assert (got.replace("T", " ") if column == "meter_time" else got) == wanted, (line, name)
    assert rows[0].tamper == ("PERMANENT_ERROR" in (vector["expected"].get("status") or ""))


def test_a_month_end_is_not_taken_for_the_set_date(tmp_path: Path) -> None:
    """EURIS II: seventeen month ends from storage 1 on, and no date. A date in that storage would make it one."""
    [(vector, raw)] = [(vector, raw) for _, vector, raw in published() if vector["manufacturer"] == "INE"]
    [plain] = stored(tmp_path / "a", vector, raw).portal.store.readings()
    assert (plain.units, plain.set_date, plain.set_date_units) == (112_233, None, None)
    dated = bytes((raw[0] + 4,)) + raw[1:] + bytes.fromhex("426c5f2c")
    [reading] = stored(tmp_path / "b", vector, dated).portal.store.readings()
    assert (reading.units, reading.set_date, reading.set_date_units) == (112_233, "2018-12-31", 273)


def test_most_of_them_are_read() -> None:
    assert len(published()) >= 40
    assert len({vector["manufacturer"] for _, vector, _ in published()}) >= 8
