"""Telegrams of many meters: order, places, what does not fit. `test_composer` has their bytes."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import numpy as np
import pytest

from sim.core.clock import NS_PER_S
from sim.core.seeds import Seeds
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import KINDS, kinds
from wmbus.transport import CI_NONE

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


def test_any_order_and_an_empty_one(fleet: Fleet) -> None:
    rng = np.random.default_rng(3)
    _compare(fleet, rng.integers(0, fleet.n, 300), rng.integers(0, 3_000, 300))
    nothing = fleet.telegrams(np.array([], dtype=np.int64), np.array([], dtype=np.int64))
    assert len(nothing) == 0 and nothing.data.size == 0


def test_a_window_of_one_group_lies_end_to_end() -> None:
    fleet = Fleet((FleetSpec("one", "vipa-c10", 300),), Seeds(6), start=datetime(2026, 1, 3))  # noqa: DTZ001
    window = fleet.window(0, 1_800 * NS_PER_S)
    made = fleet.telegrams(window.meter, window.k)
    assert made.offset.tolist() == [79 * index for index in range(len(window))]
    _compare(fleet, window.meter, window.k)


def test_a_count_that_no_longer_fits_is_refused_and_not_cut() -> None:
    fleet = Fleet((FleetSpec("one", "techem-radio-4", 3),), Seeds(6), start=datetime(2026, 6, 3))  # noqa: DTZ001
    fleet.population.factor_q16[:] = 1 << 30
    with pytest.raises(ValueError, match="does not fit u"):
        fleet.telegram(0, 0)
    with pytest.raises(ValueError, match="does not fit u"):
        fleet.telegrams(np.arange(3), np.zeros(3, dtype=np.int64))


def test_meters_without_a_header_are_made_by_compiled_code_too(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = dataclasses.replace(kinds()["qundis-q-water"], id="bare", tpl=CI_NONE)
    monkeypatch.setattr(KINDS, "_parts", {**kinds(), "bare": bare})
    fleet = Fleet((FleetSpec("one", "bare", 40, security="none"),), Seeds(6), start=datetime(2026, 1, 3))  # noqa: DTZ001
    wanted = [fleet.telegram(meter, 7) for meter in range(40)]
    monkeypatch.setattr(Fleet, "telegram", None)
    made = fleet.telegrams(np.arange(40), np.full(40, 7))
    assert [made[row] for row in range(40)] == wanted
