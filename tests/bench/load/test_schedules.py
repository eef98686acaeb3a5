"""When bundles are due, by shape: rates, numbers, times without power, and that a seed says it again."""

from __future__ import annotations

import numpy as np
import pytest

from bench.load.schedule import Load
from bench.load.shapes.port import SHAPES

LOAD = Load(gateways=7, per_s=70.0, seconds_s=12.0, seed=3)


@pytest.mark.parametrize("shape", SHAPES.parts())
def test_each_gateway_counts_its_bundles_in_the_order_of_time(shape: str) -> None:
    made = SHAPES.find(shape).schedule(LOAD)
    assert (np.diff(made.due_s) >= 0).all() and made.due_s.min() >= 0 and made.due_s.max() <= LOAD.seconds_s
    for gateway in range(LOAD.gateways):
        mine = made.sequence[made.gateway == gateway]
        assert mine.tolist() == list(range(1, len(mine) + 1))
    again = SHAPES.find(shape).schedule(LOAD)
    assert (again.due_s == made.due_s).all() and (again.gateway == made.gateway).all()
    other = SHAPES.find(shape).schedule(Load(7, 70.0, 12.0, seed=4))
    if shape != "burst":  # all at once, so nothing is drawn
        assert len(other) != len(made) or (other.due_s != made.due_s).any()


def test_steady_gateways_send_once_a_period() -> None:
    made = SHAPES.find("steady").schedule(LOAD)
    assert len(made) == pytest.approx(840, abs=LOAD.gateways)
    gaps = np.diff(made.due_s[made.gateway == 2])
    assert gaps == pytest.approx(np.full(len(gaps), LOAD.period_s))


def test_a_ramp_has_the_mean_of_its_load_and_ends_at_twice_of_it() -> None:
    made = SHAPES.find("ramp").schedule(Load(50, 1_000.0, 10.0))
    assert len(made) == pytest.approx(10_000, abs=50)
    assert np.histogram(made.due_s, bins=10, range=(0, 10))[0] == pytest.approx(np.arange(100, 2_000, 200), rel=0.1)


def test_nothing_is_due_without_power() -> None:
    made = SHAPES.find("reconnect-storm").schedule(LOAD)
    assert made.away is not None
    cut, back = made.away
    assert (cut, back) == (4.0, 6.0)
    assert not ((made.due_s >= cut) & (made.due_s < back)).any()
    assert len(made) == pytest.approx(700, abs=2 * LOAD.gateways)


def test_a_backlog_is_as_much_again_at_the_begin() -> None:
    made = SHAPES.find("backlog").schedule(LOAD)
    assert int((made.due_s == 0).sum()) == len(made) // 2 == len(SHAPES.find("steady").schedule(LOAD))


def test_a_load_of_less_than_a_bundle_is_empty() -> None:
    assert len(SHAPES.find("steady").schedule(Load(1, 0.001, 1.0, seed=5))) == 0
