"""Where a sentence breaks: the search against thresholds that are known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load.knee import Knee, search


@given(st.floats(0.5, 5e4), st.floats(0.5, 5e4), st.sampled_from([0.1, 0.02, 0.005]))
def test_the_threshold_lies_between_what_holds_and_what_breaks(threshold: float, start: float, to: float) -> None:
    asked: list[float] = []

    def holds(load: float) -> bool:
        asked.append(load)
        return load <= threshold

    knee = search(holds, start, 1e6, to=to)
    if threshold < start / 64:
        assert knee.holds_per_s is None
        return
    assert knee.holds_per_s is not None and knee.breaks_per_s is not None
    assert knee.holds_per_s <= threshold < knee.breaks_per_s <= knee.holds_per_s * (1 + to) * (1 + 1e-12)
    assert len(asked) < 90


def test_nothing_breaks_up_to_the_most() -> None:
    asked: list[float] = []
    assert search(lambda load: not asked.append(load), 10.0, 100.0) == Knee(100.0, None)  # type: ignore[func-returns-value]
    assert asked == [10.0, 20.0, 40.0, 80.0, 100.0]


def test_nothing_holds() -> None:
    knee = search(lambda load: False, 64.0, 1e6)
    assert knee == Knee(None, 1.0) and not knee.found


@pytest.mark.parametrize("bad", range(12))
def test_a_load_that_broke_once_and_then_holds_is_no_knee(bad: int) -> None:
    """The machine did something else for a moment, at any of the trials."""
    count = 0

    def holds(load: float) -> bool:
        nonlocal count
        count += 1
        return load <= 777.0 and count != bad

    knee = search(holds, 100.0, 1e6, to=0.02)
    assert knee.holds_per_s is not None and knee.breaks_per_s is not None
    assert knee.holds_per_s <= 777.0 < knee.breaks_per_s
