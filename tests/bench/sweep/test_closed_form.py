"""Formulas against the engine where they hold, and no formula where they do not."""

from __future__ import annotations

import math

import pytest

from bench import worlds
from bench.sweep import closed_form
from bench.sweep.closed_form import Form
from sim.city.conduct import run
from sim.city.plan import CityPlan, Outages
from sim.core.clock import NS_PER_S
from sim.world_spec import WorldSpec, load

STAIRWELL = load(worlds.find("stairwell-384"))


def plan(spec: WorldSpec = STAIRWELL, hours: int = 12, **settings: object) -> CityPlan:
    """So long that half a million frames are sent: what is compared is three of its standard errors and more."""
    for key, value in settings.items():
        spec = spec.with_setting(key.replace("__", "."), value)
    return CityPlan(spec, 7, hours * 3_600 * NS_PER_S, "radio")


def form(one: CityPlan) -> Form:
    found = closed_form.of(one)
    assert isinstance(found, Form), found
    return found


@pytest.mark.parametrize(("interval_s", "hours"), [(60, 12), (10, 6), (5, 3)])
def test_without_capture_a_city_is_pure_aloha(interval_s: int, hours: int) -> None:
    one = plan(fleet__interval_s=interval_s, hours=hours)
    found = form(one)
    assert found.name == closed_form.ALOHA
    load = closed_form.load(one.spec)
    assert found.delivered(load) == pytest.approx(math.exp(-2 * load), abs=0.003)
    assert run(one).delivery_ratio == pytest.approx(found.delivered(load), abs=0.003)


@pytest.mark.parametrize("settings", [
    {"site__fading_db": 20.0},
    {"site__fading_db": 6.0},
    {"site__path_loss_exponent": 4.0, "site__floor_loss_db": 4.0},
])  # fmt: skip
def test_with_capture_the_formula_is_an_upper_bound_and_close(settings: dict[str, object]) -> None:
    """At 30 s two interferers at once are rare; each alone is what the formula knows."""
    one = plan(fleet__interval_s=30, gateway__sensitivity_dbm=-130.0, **settings)
    found = form(one)
    assert found.name == closed_form.CAPTURE
    simulated, formula = run(one).delivery_ratio, found.delivered(closed_form.load(one.spec))
    assert simulated == pytest.approx(formula, abs=0.004)
    crowded = plan(fleet__interval_s=3, hours=2, gateway__sensitivity_dbm=-130.0, **settings)
    much = form(crowded).delivered(closed_form.load(crowded.spec))
    assert 0 < much - run(crowded).delivery_ratio < 0.01


def test_its_ends_are_aloha_and_erlang() -> None:
    load, many = 0.4, 10**9
    assert Form("", "", many, (1.0,)).delivered(load) == pytest.approx(math.exp(-2 * load))
    assert Form("", "", many, (0.0,)).delivered(load) == pytest.approx(1 / (1 + load))


@pytest.mark.parametrize(("settings", "why"), [
    ({"gateway__count": 2}, "several gateways"),
    ({"gateway__sensitivity_dbm": -20.0}, "out of the gateway's range"),
    ({"gateway__links": ["S1"]}, "cannot read T1"),
    ({"fleet__mask": "workdays 08-18"}, "silent"),
    ({"fleet__count": 30_000}, "more than 20000 meters"),
])  # fmt: skip
def test_where_it_does_not_hold_it_says_why(settings: dict[str, object], why: str) -> None:
    assert why in str(closed_form.of(plan(**settings)))


def test_outages_and_mixed_fleets_have_no_formula() -> None:
    import dataclasses

    assert closed_form.of(dataclasses.replace(plan(), outages=Outages(0.1))) == "the gateway has outages"
    group = STAIRWELL.fleet[0]
    mixed = dataclasses.replace(STAIRWELL, fleet=(group, dataclasses.replace(group, name="b", interval_s=30.0)))
    assert "different modes" in str(closed_form.of(plan(mixed)))


def test_air_time_and_load_are_those_of_the_frames() -> None:
    one = plan(fleet__interval_s=10)
    air_s = closed_form.mean_air_time_ns(one.spec) / 1e9
    assert closed_form.load(one.spec) == pytest.approx(384 * air_s / 10)
