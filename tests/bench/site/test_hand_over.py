"""A sized site handed on: page, CSV, GeoJSON and costs, and what each says where something is missing."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.cli.main import main
from bench.site import hand_over
from bench.site.houses import EARTH_RADIUS_M
from bench.site.site_text import text
from sim.radio.site_file import Gateway, House, Meters, SiteFile

HOUSES = (House("<b>A</b>", 0, 0, floors=3), House("=B", 90, 0, floors=3))
METERS = tuple(Meters(house.name, "qundis-q-water", floor, "l", 3) for house in HOUSES for floor in range(3))
SITE = SiteFile("A & B", HOUSES, METERS, (), (51.0, 7.0))
PRICES = Path(__file__).parents[3] / "scenarios/plans/flats-377.toml"


def test_a_plan_is_handed_on_as_page_csv_and_geojson(tmp_path: Path, capsys) -> None:
    site = tmp_path / "site.toml"
    site.write_text(text(SITE, "a test"))
    files = {kind: tmp_path / f"plan.{kind}" for kind in ("page", "csv", "geojson")}
    words = ["size", str(site), "--model", "multi-wall", "--draws", "8", "--prices", str(PRICES), "--json"]
    assert main([*words, *(word for kind, path in files.items() for word in (f"--{kind}", str(path)))]) == 0
    told = json.loads(capsys.readouterr().out)
    page = files["page"].read_text()
    assert "&lt;b&gt;A&lt;/b&gt;" in page and "<b>A</b>" not in page
    assert f"{told['gateways']} gateways" in page and "a meter and year" in page and "<script" not in page
    rows = list(csv.DictReader(files["csv"].open()))
    assert [row["floor"] for row in rows] == [str(one["floor"]) for one in told["places"]]
    assert [row["number"] for row in rows] == [str(at) for at in range(1, len(rows) + 1)] and ">1. " in page
    assert all(not cell.startswith("=") for row in rows for cell in row.values())  # no formula in a spreadsheet
    points = json.loads(files["geojson"].read_text())["features"]
    assert len(points) == len(HOUSES) + told["gateways"]
    lon, lat = next(p["geometry"]["coordinates"] for p in points if p["properties"]["name"] == "=B")
    assert lat == 51.0
    east_m = math.radians(lon - 7.0) * EARTH_RADIUS_M * math.cos(math.radians(51.0))
    assert east_m == pytest.approx(90.0, abs=0.05)
    assert sum(one["best_for_meters"] for one in told["places"]) == told["meters"] == 18
    assert told["worst"] == sorted(told["worst"], key=lambda one: one["served"])


def test_margins_and_the_worst_meters_are_those_of_the_arrays() -> None:
    places = [Gateway("a", HOUSES[0].name, 1), Gateway("b", HOUSES[1].name, 1)]
    margin = np.arange(36.0).reshape(18, 2)
    margin[:9, 0] += 50
    rows = hand_over.gateways(SITE, places, [0, 1], margin)
    assert [row["best_for_meters"] for row in rows] == [9, 9]
    assert [row["weakest_margin_db"] for row in rows] == [50.0, 19.0]
    chance = np.full((18, 2), 0.5)
    chance[4] = (0.1, 0.2)
    least = hand_over.worst(SITE, places, [0, 1], chance, margin)[0]
    assert (least["served"], least["floor"], least["best_margin_db"]) == (0.28, 1, 58.0)
    alone = hand_over.gateways(SITE, places, [1, 0], np.zeros((18, 2)))
    assert [row["weakest_margin_db"] for row in alone] == [0.0, None]  # nobody's best


def test_a_site_in_metres_has_no_geojson_and_a_folder_is_no_file(tmp_path: Path, capsys) -> None:
    site = tmp_path / "site.toml"
    site.write_text(text(replace(SITE, origin=()), "a test"))
    words = ["size", str(site), "--draws", "0"]
    assert main([*words, "--geojson", str(tmp_path / "x.geojson")]) == 2
    assert "GeoJSON needs degrees" in capsys.readouterr().err
    assert main([*words, "--csv", str(tmp_path)]) == 2
    assert "name a file that can be written" in capsys.readouterr().err
