"""The row types are the one table of stored columns: what is written elsewhere in other forms follows from them."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from bench.run_directory import ROOT
from sim.portal.intake import Rows
from sim.portal.reading_columns import LATE, OURS, SAID, VALUES, as_array, held
from sim.portal.store_port import Reading, Refusal
from sim.portal.stored_columns import StoredColumns

OTHERWISE = {"rssi_dbm": "rssi_cdbm"}  # in Parquet
NOT_IN_PARQUET = {"fingerprint", "detail"}


def in_parquet(row: type) -> list[str]:
    return [OTHERWISE.get(name, name) for name in held(row) if name not in NOT_IN_PARQUET]


def test_each_column_is_ours_or_the_meters() -> None:
    assert OURS | set(SAID) == set(Reading._fields)
    assert set(VALUES) < set(SAID)
    assert set(LATE) <= {*SAID, *VALUES} == set(SAID)
    assert {as_array(name) for name in SAID} == {one.name for one in dataclasses.fields(StoredColumns)}
    assert all(held(Refusal)[name] == (held(Reading)[name][0], True) for name in LATE)


def test_parquet_has_the_columns_of_the_rows() -> None:
    pa = pytest.importorskip("pyarrow")  # of the extras, which ./wmbench test sets up
    from sim.portal.store import parquet

    none, real = np.zeros(0, dtype=np.int64), np.zeros(0)
    rows = Rows(**{
        one.name: real if held(Reading).get(one.name, (int,))[0] is float else none for one in dataclasses.fields(Rows)
    })  # fmt: skip
    files = parquet.Columns.__new__(parquet.Columns)
    files._gateways, files._securities = pa.array(["gw"], pa.string()), ["none"]
    readings = parquet._without_nulls(files._readings(rows, 1))
    assert sorted(readings.schema.names) == sorted(in_parquet(Reading))
    assert {field.name for field in readings.schema if field.nullable} == {
        name for name, (_, empty) in held(Reading).items() if empty and name != "rssi_dbm"
    }
    refusals = files._refusals(rows, 1, [])  # type: ignore[arg-type]  # no row, no bytes
    assert sorted(refusals.schema.names) == sorted(in_parquet(Refusal))
    assert {*parquet._DIFFERENCES, *parquet._DICTIONARY} <= {*readings.schema.names, *refusals.schema.names}


def test_the_page_of_columns_names_each() -> None:
    page = (ROOT / "docs" / "reference" / "columns.md").read_text(encoding="utf-8")
    table = page.partition("\n## Columns\n")[2].partition("\n\nRefusals have")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert named == {*in_parquet(Reading), *in_parquet(Refusal)}
