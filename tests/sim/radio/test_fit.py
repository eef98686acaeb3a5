"""A fit of path loss: against numpy's least squares, against drawn logs whose truth is known, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path as File

import numpy as np
import pytest

from sim.core.settings import SpecError
from sim.radio import fitted
from sim.radio.fit import CannotFit, Fit, Links, fit
from sim.radio.models.p1238 import MODEL as P1238
from sim.radio.models.port import Path

TRUE = {"power": 31.0, "floor_db": 6.0, "outer_wall_db": 9.0, "power_dbm": 10.0, "sigma_db": 5.0}
FIXED_DB = 20 * math.log10(868.95) - 28


def drawn(rng: np.random.Generator, count: int, deaf_dbm: float) -> Links:
    distance, floors = 10 ** rng.uniform(0.3, 2.2, count), rng.integers(0, 5, count)
    walls = rng.integers(0, 3, count)
    loss = FIXED_DB + TRUE["power"] * np.log10(distance) + TRUE["floor_db"] * floors + TRUE["outer_wall_db"] * walls
    level = TRUE["power_dbm"] - loss + TRUE["sigma_db"] * rng.standard_normal(count)
    return Links(Path.of(distance, floors, walls), np.where(level < deaf_dbm, np.nan, level))


def test_without_unheard_links_it_is_least_squares() -> None:
    links = drawn(np.random.default_rng(5), 70, -1e9)
    got = fit(links, power_dbm=None, sensitivity_dbm=None)
    path = links.path
    columns = np.stack([np.log10(path.distance_m), path.floors, path.outer_walls, -np.ones(70)], axis=1)
    y = -links.level_dbm - FIXED_DB
    beta, rest, _, _ = np.linalg.lstsq(columns, y, rcond=None)
    variance = float(rest[0]) / (70 - 4)
    assert got.names == tuple(TRUE)
    assert got.values == pytest.approx([*beta, math.sqrt(variance)])
    covariance = variance * np.linalg.inv(columns.T @ columns)
    assert np.array(got.covariance)[:4, :4] == pytest.approx(covariance, abs=1e-9)


def test_intervals_hold_the_truth_as_often_as_they_say_and_unheard_links_count() -> None:
    rng = np.random.default_rng(1)
    tries, inside, values, naive = 100, dict.fromkeys(TRUE, 0), [], []
    for _ in range(tries):
        links = drawn(rng, 80, -95.0)
        got = fit(links, power_dbm=None, sensitivity_dbm=-95.0)
        assert 0 < got.unheard < got.heard
        values.append(got.values)
        for name, true in TRUE.items():
            low, high = got.interval(name)
            inside[name] += low <= true <= high
        heard = ~np.isnan(links.level_dbm)
        only = Links(Path(*(column[heard] for column in links.path)), links.level_dbm[heard])
        naive.append(fit(only, power_dbm=None, sensitivity_dbm=None).get("power", 0.0))
    assert all(count >= 0.87 * tries for count in inside.values()), inside
    for name, mean, error in zip(TRUE, np.mean(values, axis=0), np.std(values, axis=0) / tries**0.5, strict=True):
        assert abs(mean - TRUE[name]) < 4 * error + 0.02 * TRUE[name], name
    assert np.mean(naive) < TRUE["power"] - 1.5  # what is left out when far links are


def test_what_links_do_not_tell_is_named_and_keeps_its_number() -> None:
    links = drawn(np.random.default_rng(2), 60, -1e9)
    flat = Links(links.path._replace(floors=np.zeros(60), outer_walls=np.full(60, 2.0)), links.level_dbm)
    got = fit(flat, power_dbm=None, sensitivity_dbm=None)  # two walls each: the same as less power
    assert got.not_told == ("floor_db", "power_dbm")
    assert fitted.of(got, "a test").floor_db == P1238.floor_db
    given = fit(flat, power_dbm=10.0, sensitivity_dbm=None)
    assert given.names == ("power", "outer_wall_db", "sigma_db")


def exact(distance_m: np.ndarray) -> np.ndarray:
    level: np.ndarray = 7 - FIXED_DB - 20 * np.log10(distance_m)
    return level


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda links: Links(links.path, np.full(60, np.nan)), "0 links were heard"),
        (lambda links: links._replace(path=Path.of(np.ones(60))), "several distances"),
        (lambda links: Links(Path.of(links.path.distance_m), exact(links.path.distance_m)), "fit exactly"),
        (lambda links: Links(links.path, np.where(np.arange(60) < 9, np.nan, links.level_dbm)), "--sensitivity-dbm"),
    ],
)
def test_what_cannot_be_fitted_is_said(change, said: str) -> None:
    with pytest.raises(CannotFit, match=said):
        fit(change(drawn(np.random.default_rng(3), 60, -1e9)), power_dbm=7.0, sensitivity_dbm=None)


def test_a_fitted_model_is_p1238_with_other_numbers(tmp_path: File) -> None:
    same = fitted.of(Fit(("power", "floor_db", "sigma_db"), (28.0, 4.0, 8.0), ((1.0, 0, 0),) * 3, 9, 0), "a test")
    path = Path.of(np.array([1.0, 10.0, 77.0]), np.array([0, 3, 1]))
    assert same.loss_db(path) == pytest.approx(P1238.loss_db(path))
    file = tmp_path / "model.toml"
    words = 'source = "x"\npower = 30.0\nsigma_db = 5.0\nnames = ["power", "sigma_db"]\n'
    file.write_text(words + "covariance = [[1.0, 0.0], [0.0, 1.0]]\n")
    assert fitted.load(file).power == 30.0
    for wrong, said in [
        ("covariance = [[1.0]]", "a row and a column for each"),
        ("covariance = [[1.0, 5.0], [5.0, 1.0]]", "negative direction"),
        ("covariance = [[inf, 0.0], [0.0, 1.0]]", "is none"),
    ]:
        file.write_text(words + wrong)
        with pytest.raises(SpecError, match=said):
            fitted.load(file)
