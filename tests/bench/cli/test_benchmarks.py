"""The table of goals: what is measured is judged, what is not says why, and the file holds what was printed."""

from __future__ import annotations

import json

import pytest

from bench.cli import benchmarks


def test_a_row_is_judged_by_its_goal():
    row = benchmarks.Row("a", "a", 10.0, "s", "at least")
    assert row.met is None
    assert benchmarks.Row("a", "a", 10.0, "s", "at least", 10.0).met
    assert not benchmarks.Row("a", "a", 10.0, "s", "at least", 9.9).met
    assert benchmarks.Row("a", "a", 10.0, "s", "at most", 9.9).met
    assert benchmarks.Row("a", "a", 10.0, "s", None, 9.9).met is None


def test_numbers_are_short():
    shown = [benchmarks.number(value) for value in (30e6, 28_912_345.0, 300, 0.9512)]
    assert shown == ["30 M", "28.9 M", "300", "0.951"]


def test_what_was_measured_stands_beside_its_goal_in_the_table_and_in_the_file(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path))

    def measured(quick, found, notes):
        """two rows"""
        found["radio"] = 31e6
        found["setup_s"] = 60.0
        notes["stored"] = "not measured: no reason"

    for step in ("_air", "_bytes", "_growth", "_start", "_city", "_path", "_month", "_desk", "_smgw"):
        monkeypatch.setattr(benchmarks, step, measured)
    assert benchmarks.main(quick=True, as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    judged = [line for line in lines if line.startswith(("radio only: 100", "set-up"))]
    assert [line.split()[-1] for line in judged] == ["reached", "missed"]
    assert any(line.endswith("-         not measured: no reason") for line in lines)
    assert sum("ask with --long" in line for line in lines) == 3
    body = json.loads((tmp_path / "bench" / "latest" / "bench.json").read_text())
    assert {row["key"]: row["met"] for row in body["rows"]} | {"radio": True, "setup_s": False, "stored": None} == {
        row["key"]: row["met"] for row in body["rows"]
    }


def test_every_goal_has_a_row_of_its_own():
    keys = [row.key for row in benchmarks.GOALS]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("there", [True, False])
def test_the_city_s_rows_are_taken_from_it_where_it_is(monkeypatch, there):
    import sys
    import types

    module = types.ModuleType("bench.perf.city")
    module.FIGURES = {"stored": lambda quick: 2e6, "million_s": lambda quick: float("nan")}
    monkeypatch.setitem(sys.modules, "bench.perf.city", module if there else None)
    found, notes = {}, {}
    benchmarks._city(True, found, notes)
    assert found == ({"stored": 2e6} if there else {})
    assert notes["million_s"].startswith("not measured")


def test_a_recorded_figure_says_so(monkeypatch):
    import sys
    import types

    module = types.ModuleType("bench.perf.city")
    module.FIGURES = {"country_gb": lambda quick: 3.0}
    module.NOTES = {"country_gb": "recorded on some machine"}
    monkeypatch.setitem(sys.modules, "bench.perf.city", module)
    found, notes = {}, {}
    benchmarks._city(True, found, notes)
    row = next(row for row in benchmarks.GOALS if row.key == "country_gb")
    made = benchmarks.Row(row.key, row.what, row.goal, row.unit, row.better, 3.0, notes["country_gb"])
    line = benchmarks.lines([made])[1]
    assert line.endswith("reached; recorded on some machine")
