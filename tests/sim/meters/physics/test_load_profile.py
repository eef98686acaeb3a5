"""Is it a plausible household? Evenings above nights, weekends above workdays, a year of some 2 600 kWh."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sim.core.seeds import Seeds
from sim.meters import civil
from sim.meters.fleet_spec import FleetSpec
from sim.meters.physics import load_profile
from sim.meters.physics.rooms import HABITS
from sim.meters.population import Population


@pytest.mark.parametrize("habit", range(len(HABITS)))
def test_a_week_is_whole_and_each_tariff_counts_in_its_own_hours(habit: int) -> None:
    high, low = (load_profile.used_mwh(high=which)[habit] for which in (True, False))
    assert len(high) == len(low) == 169 and high[0] == low[0] == 0
    assert load_profile.WEEK_MWH - 2 <= high[-1] + low[-1] <= load_profile.WEEK_MWH
    for hour, ((h0, h1), (l0, l1)) in enumerate(zip(itertools.pairwise(high), itertools.pairwise(low), strict=True)):
        weekday, of_day = (hour // 24 + 5) % 7, hour % 24  # Monday is 0; hour 0 is a Saturday's
        is_high = weekday < 5 and 6 <= of_day < 22
        assert (h1 > h0) == is_high and (l1 > l0) != is_high


def test_evenings_are_above_nights_and_those_who_are_out_use_less_at_noon() -> None:
    at_home, out = HABITS.index("constant"), HABITS.index("out at work")
    for habit in (at_home, out):
        hours = np.diff(load_profile.used_mwh(high=True)[habit]) + np.diff(load_profile.used_mwh(high=False)[habit])
        workday = hours[48:72]
        assert workday[17:21].mean() > 3 * workday[1:5].mean()
        assert hours[:48].mean() > hours[48:].mean()
    noon = [np.diff(load_profile.used_mwh(high=True)[habit])[48 + 12] for habit in (at_home, out)]
    assert noon[0] > 1.5 * noon[1]


def test_a_fleet_uses_what_households_use() -> None:
    who = Population([FleetSpec("x", "apator-amiplus", 2_000)], Seeds(3), civil.day_of(2026, 1, 1))
    yearly_kwh = who.factor_q16 / 65_536 * load_profile.WEEK_MWH / 1e6 * 365.25 / 7
    low, median, high = np.percentile(yearly_kwh, [2, 50, 98])
    assert 500 < low < 1_500 and 2_200 < median < 3_000 and 6_000 < high < 12_000
