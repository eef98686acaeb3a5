"""Gateways for a service: the chance of a reading against draws, greedy against every set there is, and the command."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.cli.main import main
from bench.site.budget import candidates, paths
from bench.site.placement import Clause, greedy, told
from bench.site.served import Capture, _normals, arrives, served
from sim.radio import site_file
from sim.radio.models.port import MODELS
from sim.radio.site_file import Gateway, House, Meters, SiteFile


def test_the_chance_of_a_reading_is_that_of_a_million_draws() -> None:
    rng = np.random.default_rng(4)
    for margin, frames, fading, shadowing, load in [
        (0.0, 1, 3.0, 4.0, 0.0),
        (-3.0, 5, 3.0, 4.0, 0.2),
        (2.0, 1, 0.0, 0.0, 0.1),
    ]:
        place = margin + shadowing * rng.standard_normal(20_000)
        level = place[:, None] + fading * rng.standard_normal((20_000, frames))
        got = (level >= 0) & (rng.random(level.shape) < np.exp(-2 * load))
        drawn = got.any(axis=1).mean()
        assert served(np.array([margin]), frames, fading, shadowing, load)[0] == pytest.approx(drawn, abs=0.012)
    assert arrives(np.array([-40.0, 40.0]), 3.0, 0.0).tolist() == [0.0, 1.0]


def test_a_receiver_that_captures_loses_frames_to_those_alone_that_are_not_weaker_by_its_threshold() -> None:
    rng = np.random.default_rng(8)
    others = tuple(np.sort(rng.normal(10.0, 8.0, 400)).tolist())
    for margin, threshold, load in [(5.0, 3.0, 0.4), (15.0, 9.0, 0.4)]:
        met = rng.poisson(2 * load, 20_000)
        louder = [(rng.choice(others, count) > margin - threshold).any() for count in met]
        got = served(np.array([margin]), 1.0, 0.0, 0.0, load, Capture(threshold, others))[0]
        assert got == pytest.approx(1 - np.mean(louder), abs=0.012)
    assert served(np.array([5.0]), 1.0, 0.0, 0.0, 0.4, Capture(400.0, others))[0] == pytest.approx(np.exp(-0.8))


def test_what_is_served_is_the_mean_over_places_of_what_arrives() -> None:
    """Both chances that differ by place, that of fading and that of capture, at once."""
    capture = Capture(6.0, tuple(np.linspace(-9.0, 20.0, 30).tolist()))
    for met in (None, capture):
        one = arrives(2.25 + 4.0 * _normals(), 3.0, 0.4, met)
        assert served(np.array([2.25]), 5.0, 3.0, 4.0, 0.4, met)[0] == (1 - (1 - one) ** 5.0).mean()


def share(chance: Any, chosen: Sequence[int], dead: bool = False) -> float:
    """Served by a set; with `dead`, without the one whose loss costs most."""
    return told(Clause(chance, 1.0, np.zeros_like(chance) if dead else None), chosen)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("dead", [False, True])
def test_greedy_is_near_the_best_of_all_sets(seed: int, dead: bool) -> None:
    rng = np.random.default_rng(seed)
    meters, places = rng.random((60, 2)) * 100, rng.random((9, 2)) * 100
    chance = 1 / (1 + np.exp((np.linalg.norm(meters[:, None] - places[None], axis=2) - 45) / 6))
    wanted = 0.8 if dead else 0.9
    steps = greedy([Clause(chance, wanted, np.zeros_like(chance) if dead else None)])
    chosen = [step.candidate for step in steps]
    assert len(set(chosen)) == len(chosen)
    for at in range(len(chosen)):
        assert steps[at].served == pytest.approx(share(chance, chosen[: at + 1]))
        assert steps[at].one_dead == pytest.approx(share(chance, chosen[: at + 1], dead=True))
    sets = (one for size in range(1, 10) for one in itertools.combinations(range(9), size))
    fewest = next(len(one) for one in sets if share(chance, one, dead=dead) >= wanted)
    assert fewest <= len(chosen) <= fewest + 1
    best = max(share(chance, one) for one in itertools.combinations(range(9), 2))
    assert greedy([Clause(chance, 0.999)])[1].served >= (1 - 1 / np.e) * best


def test_who_hangs_stays_and_who_adds_nothing_is_not_hung() -> None:
    chance = np.array([[0.9, 0.0, 0.0], [0.0, 0.0, 0.5]])
    assert [step.candidate for step in greedy([Clause(chance, 0.99)], hang=[1])] == [1, 0, 2]
    assert greedy([Clause(chance, 0.99)])[-1].served == pytest.approx(0.7)
    assert greedy([Clause(np.zeros((3, 2)), 0.5)]) == []


HOUSES = tuple(House(f"H{at}", 40.0 * at, 0.0, floors=3, outer_wall_db=10.0) for at in range(4))
SITE = SiteFile(
    "row", HOUSES, tuple(Meters(house.name, "vipa-c10", floor, count=5) for house in HOUSES for floor in range(3))
)


def test_walls_count_where_the_path_leaves_a_house() -> None:
    model = MODELS.find("p1238")
    places = [Gateway("a", "H0", 1), Gateway("b", "H1", 1)]
    bare = dataclasses.replace(SITE, house=tuple(dataclasses.replace(one, outer_wall_db=0.0) for one in HOUSES))
    more = paths(SITE, places).losses_db(model) - paths(bare, places).losses_db(model)
    house = SITE.meter_places()[1]
    assert more == pytest.approx(np.where(house[:, None] != np.array([0, 1]), 20.0, 0.0))
    multi = MODELS.find("multi-wall")
    less = paths(bare, places).losses_db(multi) - paths(SITE, places).losses_db(multi)
    assert less[0, 1] == pytest.approx(2 * 6.9 - 20)
    assert len(candidates(SITE)) == 8  # the middle and the highest floor


def test_the_command_says_how_many_and_where_and_what_the_next_one_buys(tmp_path: Path, capsys) -> None:
    from bench.site.site_text import text

    path, sized = tmp_path / "site.toml", tmp_path / "sized.toml"
    path.write_text(text(SITE, "a test"))
    assert site_file.load(path) == SITE
    words = ["size", str(path), "--model", "p1238", "--sensitivity-dbm", "-75", "--draws", "8", "--json"]
    assert main([*words, "--out", str(sized)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["holds"] and told["gateways"] == len(told["places"]) == len(told["curve"]) > 1
    shares = [point["served"] for point in told["curve"]]
    assert shares == sorted(shares) and shares[-1] >= 0.995 > shares[-2]
    further = [point["served"] for point in told["next"]]
    assert further == sorted(further) and further[0] >= shares[-1] and len(further) == 3
    assert [point["gateways"] for point in told["next"]] == [told["gateways"] + at for at in (1, 2, 3)]
    assert not {point["name"] for point in told["next"]} & {place["name"] for place in told["places"]}
    assert set(told["by_model"]) == set(MODELS.parts()) and told["by_model"]["free-space"] <= told["gateways"]
    assert main(["size", str(sized), *words[2:]]) == 0  # what hangs is enough
    again = json.loads(capsys.readouterr().out)
    assert (again["hang"], again["gateways"]) == (told["gateways"], told["gateways"])
    assert main([*words, "--one-dead"]) == 0
    spare = json.loads(capsys.readouterr().out)
    assert spare["gateways"] > told["gateways"] and spare["curve"][-1]["one_dead"] >= 0.995
    assert main(["size", str(path), "--sensitivity-dbm", "-20"]) == 1
    assert "NOT REACHED" in capsys.readouterr().out
    for wrong, said in [
        (["--model", "p1239"], "no propagation model 'p1239'"),
        (["--receiver", "x"], "no receiver 'x'"),
    ]:
        assert main(["size", str(path), *wrong]) == 2
        assert said in capsys.readouterr().err
    for refused in (["--served", "1"], ["--sensitivity-dbm", "nan"], ["--power-dbm", "inf"]):
        with pytest.raises(SystemExit):
            main(["size", str(path), *refused])


def test_where_no_gateway_hears_anything_the_rest_is_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench.site.site_text import text

    path, page = tmp_path / "row.toml", tmp_path / "plan.html"
    path.write_text(text(dataclasses.replace(SITE, left_out=3), "a test"), encoding="ascii")
    words = ["size", str(path), "--sensitivity-dbm", "20", "--draws", "8", "--page", str(page), "--csv",
             str(tmp_path / "g.csv"), "--json"]  # fmt: skip
    assert main(words) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["gateways"], told["places"], told["worst"], told["upstream"]) == (0, [], [], None)
    assert any("not reached" in one for one in told["risks"]) and told["risks"][1].startswith("3 rows of the list")
    assert "3 rows of the list were wrong" in page.read_text(encoding="utf-8")
