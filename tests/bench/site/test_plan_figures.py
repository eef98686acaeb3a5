"""What goes upstream of a sized site, what changes with interval, bundling and thinning, and what if: against sums by
hand, and the engine's rows against the commands that repeat them."""

from __future__ import annotations

import dataclasses
import json
import math
import shlex
from pathlib import Path

import numpy as np
import pytest

from bench.cli.main import main
from bench.site import engine_world, figures, risks, unknowns, upstream, what_if
from bench.site.budget import Prices, candidates, paths
from bench.site.service import Service, Traffic, asked, chances, days
from bench.site.site_text import text
from sim.core.bundle import TELEGRAM_OVERHEAD_BYTES, envelope_bytes_max
from sim.core.settings import SpecError
from sim.network.backhaul import backhaul
from sim.radio import site_file
from sim.radio.models.port import MODELS
from sim.radio.site_file import Gateway, House, Meters, SiteFile

HOUSES = tuple(House(f"H{at}", 60.0 * at, 0.0, floors=3, outer_wall_db=10.0) for at in range(3))
METERS = tuple(Meters(house.name, "vipa-c10", floor, count=4) for house in HOUSES for floor in range(3))
SITE = SiteFile("row", HOUSES, METERS)
PATH = backhaul("lte-m")


def test_a_gateway_s_day_is_that_of_its_bundles() -> None:
    arrive = np.full(100, 0.5)
    one = upstream.of_gateway(arrive, Traffic(900.0, 900.0), 40.0, PATH)
    assert one.telegrams == 100 * 0.5 * 96
    assert one.messages == 96  # one for each quarter of an hour
    row = 2 * 40 + TELEGRAM_OVERHEAD_BYTES
    assert one.payload_bytes == pytest.approx(envelope_bytes_max("gw-0001") + 50 * row)
    ping = (1440 - 96) * PATH.keepalive().bytes
    assert one.wire_bytes == 96 * PATH.message(round(one.payload_bytes), 13).bytes + ping
    full = upstream.of_gateway(np.full(1_000, 1.0), Traffic(900.0, 900.0), 40.0, PATH)
    assert full.messages == 96 * 3  # 400 telegrams are a bundle
    thin = upstream.of_gateway(arrive, Traffic(900.0, 900.0, 21_600.0), 40.0, PATH)
    assert thin.telegrams == pytest.approx(100 * 4, abs=1e-3)  # each, four times a day
    assert upstream.of_gateway(np.zeros(3), Traffic(900.0, 900.0), 40.0, PATH).messages == 0


def test_after_an_outage_the_backlog_goes_while_new_ones_come() -> None:
    one = upstream.of_gateway(np.full(400, 1.0), Traffic(900.0, 900.0), 40.0, PATH)
    late = upstream.after(one, 7 * 86_400.0, PATH)
    assert late.messages == pytest.approx(7 * one.messages)
    assert late.bytes == pytest.approx(7 * one.messages * one.payload_bytes)
    inflow = one.messages * one.payload_bytes / 86_400
    assert late.recovers_s == pytest.approx(PATH.connects_s() + late.bytes / (PATH.carries_bytes_s() - inflow))
    slow = dataclasses.replace(PATH, up_bit_s=400.0)
    assert math.isinf(upstream.after(one, 3_600.0, slow).recovers_s)


def test_the_sentence_has_clauses_and_the_time_that_counts_is_shorter_by_bundles_and_thinning() -> None:
    clauses = asked(0.995, 24.0, 5.0)
    service = Service(clauses, 7 * 86_400.0, Traffic(900.0, 900.0), 3.0, 4.0, 7.0, 5e-3, range(0))
    assert service.sentence == (
        "99.5 % of meters have a reading younger than 24 h, and all have the value of the set date by day 5, also when "
        "any one gateway is dead for 7 days"
    )
    assert service.traffic.frames(86_400.0) == 95
    assert service.traffic._replace(thin_s=43_200.0).frames(86_400.0) == 47
    assert (days(86_400.0), days(3_600.0), days(172_800.0)) == ("a day", "1 h", "2 days")
    young, set_date = chances(paths(SITE, candidates(SITE)), MODELS.find("p1238"), -95.0, service)[0]
    assert set_date.wanted == 1 - 0.5 / 36 and young.wanted == 0.995
    assert young.late is not None and not young.late.any()  # a week is longer than either
    short = service._replace(dead_s=86_400.0)
    young, set_date = chances(paths(SITE, candidates(SITE)), MODELS.find("p1238"), -95.0, short)[0]
    assert not young.late.any() and set_date.late.any()  # four days are left for the set date's value
    assert (set_date.late <= set_date.chance).all()


def test_roofs_have_no_wall_before_them_and_given_places_their_own_price() -> None:
    roofs = candidates(SITE, "roofs")
    assert [one.roof for one in roofs] == [True] * 3
    model = MODELS.find("p1238")
    top = [Gateway(f"{one.house} top", one.house, 2) for one in roofs]
    assert SiteFile("x", HOUSES, METERS, tuple(roofs)).gateway_places()[0, 2] > 3 * 2.8
    walls = paths(SITE, top).walls_db - paths(SITE, roofs).walls_db
    apart = SITE.meter_places()[1][:, None] != np.arange(3)
    assert walls == pytest.approx(np.where(apart, 10.0, 0.0))
    assert paths(SITE, roofs).losses_db(model)[0, 1] < paths(SITE, top).losses_db(model)[0, 1]
    assert len(candidates(SITE, "both")) == 9 and len(candidates(SITE)) == 6
    given = dataclasses.replace(SITE, candidate=(Gateway("mast", "H1", roof=True, price=90.0), Gateway("cellar", "H0")))
    assert [one.name for one in candidates(given)] == ["mast", "cellar"]
    prices = Prices(stairwell=50.0, roof=200.0)
    assert [prices.of(one) for one in given.candidate] == [90.0, 50.0] and Prices().of(given.candidate[1]) is None
    with pytest.raises(SpecError, match=r"'row' has no .*candidate.* entry; give some, or --places"):
        candidates(SITE, "given")


def test_the_engine_s_losses_come_near_the_model_s() -> None:
    places = [Gateway("a", "H0", 1), Gateway("b", "H2", 1)]
    bare = dataclasses.replace(SITE, house=tuple(dataclasses.replace(one, outer_wall_db=0.0) for one in HOUSES))
    air = engine_world.air_of(paths(bare, places), MODELS.find("p1238"), -95.0, 7.0)
    assert (air.exponent, air.floor_loss_db) == pytest.approx((2.8, 4.0), abs=0.05)  # its own form
    assert air.rms_db < 0.1
    walled = engine_world.air_of(paths(SITE, places), MODELS.find("p1238"), -95.0, 7.0)
    assert walled.exponent > 3.2


def test_what_if_is_a_table_of_runs_that_can_be_asked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what_if, "DAYS", 3)  # of 21 runs; each is set up and told as one of eight days
    monkeypatch.setattr(what_if, "DEAD_DAYS", 2)
    site, folder = tmp_path / "site.toml", tmp_path / "asked"
    site.write_text(text(SITE, "a test"))
    words = ["size", str(site), "--sensitivity-dbm", "-72", "--interval-s", "7200", "--draws", "8", "--what-if",
             str(folder), "--json"]  # fmt: skip
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    rows = told["what_if"]["rows"]
    begun = [row["asks"].split(" ")[0] for row in rows if not row["asks"].startswith("gateways ")]
    assert begun == ["as", "another", "gateway", "a", "twice", "every", "a"]
    by_word = {row["asks"]: row for row in rows}
    assert by_word["twice the meters in the same flats"]["meters"] == 2 * told["meters"]
    assert by_word["every meter sends each 120 s"]["load_erlang"] > 20 * rows[0]["load_erlang"]
    dead = next(row for row in rows if row["asks"].startswith("gateway "))
    assert dead["delivery_ratio"] < rows[0]["delivery_ratio"]
    assert told["what_if"]["broker"]["backlog_messages"] > 0 and told["what_if"]["broker"]["lost"] == 0
    for row in rows:
        kind, harsh = row["drawn"]["kind"], row["drawn"]["harsh"]
        assert kind["delivery_ratio"] > harsh["delivery_ratio"] and kind["never"] <= harsh["never"]
    harsh = rows[0]["drawn"]["harsh"]
    assert main([*shlex.split(harsh["command"])[1:], "--json", "--runs", str(tmp_path / "runs")]) == 0
    assert round(json.loads(capsys.readouterr().out)["delivery_ratio"], 6) == harsh["delivery_ratio"]
    again = [*shlex.split(dead["command"])[1:], "--json", "--runs", str(tmp_path / "runs")]
    assert main(again) == 0
    result = json.loads(capsys.readouterr().out)
    assert round(result["delivery_ratio"], 6) == dead["delivery_ratio"]
    assert max(result["missed"]["without_a_reading"].values()) == dead["without_a_reading_worst_day"]
    assert site_file.load(folder / "plan-site-doubled.toml").meter == (*SITE.meter, *SITE.meter)


def test_every_figure_has_an_interval_and_one_search_gives_every_number_of_gateways(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site, page = tmp_path / "site.toml", tmp_path / "plan.html"
    site.write_text(text(SITE, "a test"), encoding="ascii")
    words = ["size", str(site), "--model", "p1238", "--sensitivity-dbm", "-72", "--one-dead", "--draws", "8",
             "--prices", "scenarios/plans/flats-377.toml"]  # fmt: skip
    assert main([*words, "--page", str(page), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["by_model"][told["model"]] == told["gateways"]
    now = {"interval_s": 900.0, "bundle_s": 900.0, "thin_s": 0.0}
    as_now = [row["gateways"] for row in told["variations"] if row["value_s"] == now[row["what"]]]
    assert as_now == [told["gateways"]] * 3
    for row in told["variations"]:
        kind, harsh = row["drawn"]["kind"], row["drawn"]["harsh"]
        assert kind["load_erlang"] >= harsh["load_erlang"] and row["value_s"] == kind["value_s"] == harsh["value_s"]
        counts = [math.inf if one["gateways"] is None else one["gateways"] for one in (kind, harsh)]
        assert counts == sorted(counts)
    spread, up = told["unsure"]["figures"], told["upstream"]
    assert set(spread) == set(figures.WORDS)
    for one in spread.values():
        ends = [math.inf if value is None else value for value in (one["low"], one["middle"], one["high"])]
        assert ends == sorted(ends)
    assert spread["wire_bytes_a_s"]["low"] < spread["wire_bytes_a_s"]["high"]
    planned = {name: one["planned"] for name, one in spread.items()}
    assert planned["messages_a_s"] == pytest.approx(up["messages_a_s"], rel=1e-4)
    assert planned["wire_bytes_a_s"] == pytest.approx(up["wire_bytes_a_s"], rel=1e-4)
    assert planned["busiest_bytes_a_day"] == pytest.approx(up["busiest"]["wire_bytes_a_day"], rel=1e-4)
    assert planned["backlog_bytes"] == pytest.approx(up["outage"]["backlog_bytes"], rel=1e-4)
    assert planned["recovers_s"] == pytest.approx(up["outage"]["recovers_s"], rel=1e-3)
    assert planned["a_meter_and_year"] == pytest.approx(float(told["cost"]["a_meter_and_year"]), abs=6e-4)
    html = page.read_text(encoding="utf-8")
    assert all(row[0] in html for row in figures.table(spread))
    assert html.count("in a kind world") == html.count("in a harsh world") == len(told["variations"])
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert shown.count("      kind ") == shown.count("      harsh ") == len(told["variations"])
    assert all(row[0] in shown for row in figures.table(spread)) and "in 80 of 100 worlds drawn" in shown


def test_the_planned_world_is_the_middle_of_what_is_not_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each number in the middle of its range, so that half of the worlds drawn are kinder and half are harsher."""
    planned, other = unknowns.middle(), {one.name: one for one in unknowns.UNKNOWNS}
    assert (planned.power, planned.floor_db) == pytest.approx((37.0, 11.15))
    wall = other["outer_wall_db"]
    assert planned.outer_wall_db == pytest.approx((wall.low + wall.high) / 2, abs=0.01)
    row = tuple(House(f"H{at}", 25.0 * at, 0.0, floors=3, outer_wall_db=6.0) for at in range(6))
    site = tmp_path / "site.toml"
    meters = tuple(Meters(house.name, "vipa-c10", floor, count=4) for house in row for floor in range(3))
    site.write_text(text(SiteFile("row", row, meters), "a test"), encoding="ascii")
    counts = {}
    for model in ([], ["--model", "p1238"]):
        assert main(["size", str(site), "--json", "--draws", "16", "--sensitivity-dbm", "-95", *model]) == 0
        told = json.loads(capsys.readouterr().out)
        counts[told["model"]], needed = told["gateways"], told["unsure"]["gateways"]
        assert told["by_model"][told["model"]] == told["gateways"]
        if not model:
            assert 0.35 < told["unsure"]["holds_in"] < 0.8
            assert needed["low"] < told["gateways"] == needed["middle"] < needed["high"]
    assert counts["p1238"] < counts["middle"]


def test_where_fewer_cost_more_stairwells_and_roofs_stand_beside_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site, page = tmp_path / "site.toml", tmp_path / "plan.html"
    site.write_text(text(SITE, "a test"), encoding="ascii")
    words = ["size", str(site), "--model", "p1238", "--sensitivity-dbm", "-94", "--draws", "0", "--stairwell-price",
             "10", "--roof-price", "900", "--json"]  # fmt: skip
    each = {}
    for places in ("stairwells", "roofs"):
        assert main([*words, "--places", places]) == 0
        each[places] = json.loads(capsys.readouterr().out)
        assert each[places]["by_places"] == []
    assert main([*words, "--places", "both", "--page", str(page)]) == 0
    both = json.loads(capsys.readouterr().out)
    assert [(row["places"], row["gateways"], row["hanging"]) for row in both["by_places"]] == [
        (places, told["gateways"], told["hanging"]) for places, told in each.items()
    ]
    cheap = each["stairwells"]
    said = f"{cheap['gateways']} gateways with stairwells alone cost less to hang, {cheap['hanging']:g}"
    assert cheap["hanging"] < both["hanging"] and any(said in risk for risk in both["risks"])
    shown = page.read_text(encoding="utf-8")
    assert f"stairwells alone {cheap['gateways']} ({cheap['hanging']:g} to hang)" in shown and said in shown
    assert main([*words[:-1], "--places", "both"]) == 0
    assert f"by places: stairwells alone {cheap['gateways']} (" in capsys.readouterr().out


def test_risks_follow_from_the_figures() -> None:
    answer = {
        "holds": True, "left_out": 0, "unsure": None, "service": "99 %", "curve": [{"one_dead": 0.5}], "hanging": None,
        "by_places": [],
        "what_if": None, "worst": [{"best_margin_db": 2.0, "house": "H", "floor": 1}], "exact": None,
        "upstream": {"backhaul": "x", "outage": {"recovers_s": None, "lasts_s": 1.0}, "backhaul_assumed": ["loss"]},
    }  # fmt: skip
    found = risks.told(answer, None)
    for words in ("Nothing was drawn", "One dead gateway leaves 50.00 %", "less than 6 dB", "never catches up",
                  "without a source: loss", "is not given for every place", "No prices were given"):  # fmt: skip
        assert sum(words in one for one in found) == 1, words
    assert "not reached" in risks.told({**answer, "holds": False}, None)[0]
    assert "4 rows of the list were wrong" in risks.told({**answer, "left_out": 4}, None)[0]
