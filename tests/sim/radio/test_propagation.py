"""Losses against the formula in floating point, and the properties that exactness rests on."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from sim.core.seeds import Seeds, normal_of
from sim.radio.propagation import (
    HIGHEST_CDBM,
    LOG10,
    LOWEST_CDBM,
    OCTAVE,
    POWER,
    Propagation,
    centimetres,
    log10_q24,
    one_power,
    power_of,
    scaled,
)
from sim.radio.site_spec import SiteSpec


def propagation(**settings) -> Propagation:
    return Propagation.of(SiteSpec(**settings), Seeds(9))


def test_the_tables_are_those_of_forty_digits():
    with localcontext() as context:
        context.prec = 40
        mantissas = [int(Decimal(10) ** (18 + Decimal(i) / 1000)) for i in range(1000)]
        one, half = Decimal(1 << 24), Decimal("0.5")
        inside = [int((1 + Decimal(i) / 4096).log10() * one + half) for i in range(4097)]
        octaves = [int(Decimal(1 << i).log10() * one + half) for i in range(54)]
    levels = [divmod(level - LOWEST_CDBM, 1000) for level in range(LOWEST_CDBM, HIGHEST_CDBM + 1)]
    assert POWER.tolist() == [mantissas[rest] * 10**decade // 10**18 for decade, rest in levels]
    assert (LOG10.tolist(), OCTAVE.tolist()) == (inside, octaves)


@pytest.mark.parametrize(("metres", "floors"), [(1, 0), (10, 0), (10, 3), (37.21, 1), (1_234.5, 0)])
def test_path_loss_is_p1238(metres, floors):
    air = propagation(shadowing_db=0.0)
    here, there = centimetres(np.array([[0, 0, 0]])), centimetres(np.array([[metres, 0, 0.0]]))
    there[0, 2] = 300 * floors
    distance = max(1.0, math.hypot(metres, 3 * floors))
    expected = 20 * math.log10(868.95) + 28 * math.log10(distance) + 4 * floors - 28
    assert abs(int(air.loss_cdb(here, there)[0, 0]) - 100 * expected) <= 1


def test_the_first_metre_costs_the_same_everywhere():
    air = propagation(shadowing_db=0.0)
    points = centimetres(np.array([[0.0, 0, 0], [0.4, 0, 0], [1.0, 0, 0]]))
    assert len(set(air.loss_cdb(points[:1], points)[0].tolist())) == 1


def test_shadowing_is_symmetric_and_belongs_to_the_places():
    air = propagation()
    places = centimetres(Seeds(1).u32("places", np.arange(600)).reshape(200, 3) % 90 / 1.0)
    forth, back = air.loss_cdb(places, places[:50]), air.loss_cdb(places[:50], places)
    assert (forth == back.T).all()
    assert (air.loss_cdb(places[7:8], places[9:10]) == forth[7, 9]).all()


def test_shadowing_and_fading_have_the_sigma_of_the_spec():
    quiet, loud = propagation(shadowing_db=0.0), propagation(shadowing_db=6.0, fading_db=3.0)
    places = centimetres(np.stack([np.arange(400) * 2.0, np.arange(400) % 7, np.zeros(400)], axis=1))
    difference = (loud.loss_cdb(places, places[:100] + 1) - quiet.loss_cdb(places, places[:100] + 1)) / 100
    assert abs(difference.std() - 6.0) < 0.1
    assert abs(difference.mean()) < 0.1
    frames = np.arange(100_000)
    fading = loud.drawn(frames % 50, frames // 50, np.zeros_like(frames), np.array([800]))[0] / 100
    assert abs(fading.std() - 3.0) < 0.03
    assert abs(fading.mean()) < 0.03


def test_log10_agrees_with_floating_point():
    values = np.unique(np.geomspace(1, 2**52, 20_000).astype(np.int64))
    assert np.abs(log10_q24(values) / 2**24 - np.log10(values.astype(float))).max() < 1.5e-7


def test_powers_are_exact_and_rise_by_the_decade():
    assert one_power(0) == 10**16
    assert one_power(-1_000) == 10**15
    assert one_power(LOWEST_CDBM) == 1
    assert one_power(-30_000) == 1
    assert one_power(2_000) == 10**16
    assert (np.diff(POWER) >= 0).all()
    levels = np.array([-12_345, -8_001, 50])
    assert power_of(levels).tolist() == [one_power(int(level)) for level in levels]
    assert abs(one_power(-8_000 + 301) / one_power(-8_000) - 2) < 0.001


@pytest.mark.parametrize("fading_cdb", [0, 100, 300])
def test_the_luck_a_link_needs_is_what_its_draws_give(fading_cdb: int) -> None:
    air, seeds = Propagation(2_800, 400, 0, fading_cdb, Seeds(1)), Seeds(9)
    row = np.arange(40_000)
    word = seeds.u32("test word", row).astype(np.uint64)
    word[:8] = [0, 1, (1 << 31) - 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 2, (1 << 32) - 1, 1 << 21]
    missing = seeds.below("test missing", 4_400, row) - 2_200
    luck, always = air.draws_needed(missing)
    order = np.where(word >> np.uint64(31) != 0, word ^ np.uint64(0x7FFFFFFF), word)
    assert ((order < luck) | always).tolist() == (scaled(fading_cdb, normal_of(word)) >= missing).tolist()
    assert always.any() and (luck == 0).any()
