"""Telegrams made by arrays are the telegrams made one at a time: every type, every security, across calendar edges."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from arrays import ciphers
from sim.core.clock import NS_PER_DAY, NS_PER_S
from sim.core.seeds import Seeds
from sim.meters import telegram_batch
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds
from wmbus.link import add_crcs_a

GROUPS = tuple(
    FleetSpec(f"{one.id} {security}", one.id, 5, security=security)
    for one in kinds().values()
    for security in one.securities
)


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return Fleet(GROUPS, Seeds(4), start=datetime(2025, 12, 20))  # noqa: DTZ001  the calendar makes it UTC


def _compare(fleet: Fleet, meter: np.ndarray, k: np.ndarray) -> None:  # type: ignore[type-arg]
    made = fleet.telegrams(meter, k)
    assert len(made) == len(meter)
    for index, (one, number) in enumerate(zip(meter.tolist(), k.tolist(), strict=True)):
        assert made[index] == fleet.telegram(one, number), f"meter {one}, telegram {number}"


@pytest.mark.parametrize("engine", ciphers.engines())
def test_rows_are_the_single_telegrams(fleet: Fleet, engine: ciphers.Engine) -> None:
    ciphers.use(engine)
    try:
        meter = np.repeat(np.arange(fleet.n), 4)
        _compare(fleet, meter, np.tile([0, 7, 255, 300], fleet.n))
    finally:
        ciphers.use(None)


def test_across_the_set_date_months_and_the_sixteenth(fleet: Fleet) -> None:
    rng = np.random.default_rng(2)
    for day in (12, 27, 43, 58, 200, 377):
        k = rng.integers(day * 96 - 8, day * 96 + 8, fleet.n)
        _compare(fleet, np.arange(fleet.n), np.maximum(k, 0))


def test_any_order_and_an_empty_one(fleet: Fleet) -> None:
    rng = np.random.default_rng(3)
    _compare(fleet, rng.integers(0, fleet.n, 300), rng.integers(0, 3_000, 300))
    nothing = fleet.telegrams(np.array([], dtype=np.int64), np.array([], dtype=np.int64))
    assert len(nothing) == 0 and nothing.data.size == 0


def test_tampered_meters_show_it_in_rows_too() -> None:
    fleet = Fleet(GROUPS, Seeds(5), start=datetime(2026, 1, 3))  # noqa: DTZ001
    for meter in range(0, fleet.n, 2):
        fleet.tamper(meter, 2 * NS_PER_DAY + meter * NS_PER_S, ("opened", "removed", "sensor")[meter % 3])
    for k in (100, 192, 5_000):
        _compare(fleet, np.arange(fleet.n), np.full(fleet.n, k))


def test_a_window_of_one_group_lies_end_to_end() -> None:
    fleet = Fleet((FleetSpec("one", "vipa-c10", 300),), Seeds(6), start=datetime(2026, 1, 3))  # noqa: DTZ001
    window = fleet.window(0, 1_800 * NS_PER_S)
    made = fleet.telegrams(window.meter, window.k)
    assert made.offset.tolist() == [79 * index for index in range(len(window))]
    _compare(fleet, window.meter, window.k)


def test_compiled_code_does_the_common_case_itself(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it could be wrong for ever and numpy would cover it up."""

    def never(*_arguments: object) -> None:
        raise AssertionError("fell back to numpy")

    noon = np.full(fleet.n, 40)
    for engine in ciphers.engines():
        ciphers.use(engine)
        with monkeypatch.context() as patched:
            patched.setattr(telegram_batch, "_by_numpy", never)
            _compare(fleet, np.arange(fleet.n), noon)
    ciphers.use(None)


def test_a_count_that_no_longer_fits_is_refused_and_not_cut() -> None:
    fleet = Fleet((FleetSpec("one", "techem-radio-4", 3),), Seeds(6), start=datetime(2026, 6, 3))  # noqa: DTZ001
    fleet.population.factor_q16[:] = 1 << 30
    with pytest.raises(ValueError, match="does not fit u"):
        fleet.telegram(0, 0)
    with pytest.raises(ValueError, match="does not fit u"):
        fleet.telegrams(np.arange(3), np.zeros(3, dtype=np.int64))


@pytest.mark.parametrize("engine", ciphers.engines())
def test_as_on_the_air_with_crcs(fleet: Fleet, engine: ciphers.Engine) -> None:
    ciphers.use(engine)
    try:
        meter = np.repeat(np.arange(fleet.n), 3)
        k = np.tile([1, 255, 301], fleet.n)
        made = fleet.telegrams(meter, k, crcs=True)
        for index, (one, number) in enumerate(zip(meter.tolist(), k.tolist(), strict=True)):
            assert made[index] == add_crcs_a(fleet.telegram(one, number)), f"meter {one}, telegram {number}"
    finally:
        ciphers.use(None)
