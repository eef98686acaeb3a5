"""Is it a plausible building? A heating season's shape, summer near nothing, units a tenant would recognise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from arrays.jit import njit
from sim.core.seeds import Seeds
from sim.meters import civil
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.physics import formulas, rooms
from sim.meters.physics.formulas import MS_PER_DAY, MS_PER_HOUR
from sim.meters.physics.heat import Heat
from sim.meters.population import Population

YEAR = 2025
F64 = NDArray[np.float64]


@pytest.fixture(scope="module")
def heat() -> Heat:
    return Heat(Seeds(3), 9.5, 2026)


def _month_ms(month: int, year: int = YEAR) -> int:
    return int(civil.month_start((year - 2_000) * 12 + month)) * MS_PER_DAY


def _count(heat: Heat, room: Any, factor: Any, ms: Any) -> Any:
    """Micro-units since the tables begin, of numbers or arrays."""
    gone = ms - heat.first_hour * MS_PER_HOUR
    cell = formulas.heat_cell(gone // MS_PER_HOUR, room)
    before, after = heat.tables.counts[cell], heat.tables.counts[cell + formulas.CLASSES]
    return formulas.rated(formulas.between(before, after, gone % MS_PER_HOUR), factor)


def _wanted_and_free(heat: Heat, room: int, ms: int) -> tuple[int, int]:
    hour = ms // MS_PER_HOUR
    wanted = heat.plain.wanted[formulas.heat_cell(hour % rooms.HOURS_A_WEEK, room)]
    return wanted, heat.plain.free[hour - heat.first_hour]


# How German billing spreads a year's heat over its months when nobody has read a meter (VDI 2067), in thousandths.
DEGREE_DAYS = (170, 150, 130, 80, 40, 40 / 3, 40 / 3, 40 / 3, 30, 80, 120, 160)


@pytest.fixture(scope="module")
def monthly() -> F64:
    """Units of 1 500 meters in the twelve months of twelve years: shape (12, 18 000)."""
    who = Population([FleetSpec("x", "vipa-c10", 1_500)], Seeds(3), civil.day_of(2026, 1, 1))
    room, factor = who.room.astype(np.int64), who.factor_q16.astype(np.int64)
    years = []
    for seed in range(4):
        heat = Heat(Seeds(seed), 9.5, 2026)
        for year in (2023, 2024, 2025):
            edges = [_count(heat, room, factor, _month_ms(m, year)) for m in range(13)]
            years.append(np.diff(np.array(edges), axis=0) / rooms.MICRO)
    return np.concatenate(years, axis=1)


def test_outdoor_temperature_is_a_central_european_year() -> None:
    years = np.array([Heat(Seeds(seed), 9.5, 2026).outdoor_mk(YEAR) for seed in range(12)]) / 1_000
    assert years.mean() == pytest.approx(9.5, abs=0.6)
    monthly_mean = np.array([years[:, int(d * 24) : int((d + 30) * 24)].mean() for d in np.arange(0, 360, 30)])
    assert -1.5 < monthly_mean[0] < 2.5 and 16 < monthly_mean[6] < 21
    assert -18 < years.min() < -4 and 28 < years.max() < 40
    july = years[:, 181 * 24 : 212 * 24].reshape(12, -1, 24).mean(axis=(0, 1))
    assert july.argmin() in (3, 4, 5) and 7 < july.max() - july.min() < 11


def test_mean_temperature_follows_the_site() -> None:
    cold, warm = (Heat(Seeds(3), mean, 2026).outdoor_mk(YEAR).mean() for mean in (5.0, 12.0))
    assert warm - cold == pytest.approx(7_000, abs=1)


def test_a_year_has_the_degree_day_tables_heating_season(monthly: F64) -> None:
    thousandths = 1_000 * monthly.sum(axis=1) / monthly.sum()
    assert np.abs(thousandths - DEGREE_DAYS).max() < 30
    assert thousandths[5:8].sum() < 40  # summer: near nothing


def test_yearly_units_are_what_bills_show(monthly: F64) -> None:
    yearly = monthly.sum(axis=0)
    low, median, high = np.percentile(yearly, [2, 50, 98])
    assert 100 < low < 250 and 450 < median < 750 and 1_500 < high < 3_000


def test_nothing_is_counted_below_the_start_threshold() -> None:
    for over, rate in zip(rooms.over_of_load(), rooms.rate_of_load(), strict=True):
        assert (rate > 0) == (over >= rooms.START_OVER_MK)
    at_reference = min(range(901), key=lambda step: abs(rooms.over_of_load()[step] - 30_000))
    over = rooms.over_of_load()[at_reference]
    assert rooms.rate_of_load()[at_reference] == pytest.approx(1e6 * (over / 60_000) ** 1.3, rel=1e-5)


def test_a_meter_counts_the_radiator_it_feels(heat: Heat) -> None:
    """The count over an hour is the rate that the two temperatures of that hour give."""
    start = _month_ms(1)
    for room in range(0, 64, 5):
        for hour in range(0, 600, 7):
            ms = start + hour * MS_PER_HOUR
            wanted, free = _wanted_and_free(heat, room, ms)
            over = heat.plain.over[formulas.load_step(wanted, free)]
            counted = _count(heat, room, 65_536, ms + MS_PER_HOUR) - _count(heat, room, 65_536, ms)
            expected = 1e6 * (over / 60_000) ** 1.3 if over >= rooms.START_OVER_MK else 0
            assert counted == pytest.approx(expected, rel=1e-3, abs=2)


def test_compiled_and_plain_formulas_agree(heat: Heat) -> None:
    """Each formula, on numbers as they occur and at the ends of what it is for."""
    rng = np.random.default_rng(5)
    for _ in range(300):
        before, factor, wanted, free, ms = rng.integers(0, (1 << 40, 200_000, 25_000, 40_000, MS_PER_DAY)).tolist()
        wanted += 6_000
        after = before + int(rng.integers(0, 1_000_000))
        hour, room = int(rng.integers(0, 700_000)), int(rng.integers(0, 64))
        given = (before, after, factor, wanted, free, ms, hour, room)
        assert tuple(_compiled(*given)) == _plain(*given)


def _plain(
    before: int, after: int, factor: int, wanted: int, free: int, ms: int, hour: int, room: int
) -> tuple[int, ...]:
    return (
        formulas.heat_cell(hour, room), formulas.profile_row(2, room), formulas.rated(before, factor),
        formulas.between(before, after, ms % MS_PER_HOUR), formulas.power_w(before, after, factor),
        formulas.room_mk(wanted, free), formulas.load_step(wanted, free), formulas.pipe_c(wanted, 500),
        formulas.pipe_c(wanted + 500, -500), formulas.minutes_word(ms), formulas.seconds_word(ms),
    )  # fmt: skip


_compiled = njit(error_model="numpy")(_plain)


def test_the_count_only_grows(heat: Heat) -> None:
    ms = np.arange(_month_ms(8), _month_ms(11), 613_021)
    for room in (0, 9, 27, 63):
        assert np.diff(_count(heat, room, 70_000, ms)).min() >= 0


def test_tables_grow_with_the_run_and_end_with_the_calendar(heat: Heat) -> None:
    grown = Heat(Seeds(3), 9.5, 2026)
    later = _month_ms(3, 2029)
    grown.cover(later)
    other = Heat(Seeds(3), 9.5, 2026)
    other.cover(_month_ms(3, 2027))
    other.cover(later)
    assert _count(grown, 20, 65_536, later) == _count(other, 20, 65_536, later)
    with pytest.raises(ValueError, match="calendar ends with 2080"):
        Heat(Seeds(3), 9.5, 2079).cover(_month_ms(0, 2082))
    with pytest.raises(ValueError, match="before what a meter of this world remembers"):
        heat.cover(_month_ms(0, 2015))


def test_fleets_of_a_world_share_its_tables_and_no_others() -> None:
    def fleet(seed: int, mean: float = 9.5, year: int = 2026) -> Fleet:
        groups = [FleetSpec("one", "vipa-c10", 2)]
        return Fleet(groups, Seeds(seed), start=datetime(year, 3, 1, tzinfo=UTC), outdoor_mean_c=mean)

    assert fleet(1).heat is fleet(1).heat
    others = fleet(2), fleet(1, 11.0), fleet(1, 9.5, 2027)
    ms = _month_ms(10, 2026)
    counts = {int(_count(one.heat, 20, 65_536, ms)) for one in (fleet(1), *others)}
    assert len(counts) == 4
