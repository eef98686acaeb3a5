"""The individual interval: the standard's rule summed term by term, and windows that can be cut anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.meters.sending_times import ACC_PREFIX, LIMIT_NS, ScheduleOverflow, first_at, one_start, starts

MINUTE_NS = 60 * 10**9


def test_256_telegrams_take_exactly_256_intervals() -> None:
    for period_ns in (900 * 10**9, 16 * 10**9 + 1, 899_999_999_983):
        for acc0 in (0, 1, 77, 128, 255):
            assert one_start(5, period_ns, acc0, 256) == 5 + 256 * period_ns
            assert one_start(5, period_ns, acc0, 512 + 3) - one_start(5, period_ns, acc0, 3) == 512 * period_ns


def test_each_interval_is_the_one_of_its_access_number() -> None:
    """t_ACC = (1 + (|ACC-128|-64)/2048) t_nom, here summed instead of looked up."""
    period_ns = 2_048 * 10**6
    start_ns = one_start(0, period_ns, 250, 0)
    for k in range(600):
        acc = 250 + k & 255
        start_ns += period_ns + (abs(acc - 128) - 64) * 10**6
        assert one_start(0, period_ns, 250, k + 1) == start_ns


def test_intervals_differ_by_an_eighth_of_a_minute_at_most() -> None:
    gaps = [one_start(0, 900 * 10**9, 0, k + 1) - one_start(0, 900 * 10**9, 0, k) for k in range(256)]
    assert (min(gaps), max(gaps)) == (900 * 10**9 * (2_048 - 64) // 2_048, 900 * 10**9 * (2_048 + 64) // 2_048)
    assert sum(gaps) == 256 * 900 * 10**9
    assert len(ACC_PREFIX) == 256 and ACC_PREFIX[0] == 0


def test_arrays_and_ints_agree() -> None:
    rng = np.random.default_rng(1)
    t0, period = rng.integers(0, 10**12, 500), rng.integers(2 * 10**9, 6 * 10**14, 500)
    acc0, k = rng.integers(0, 256, 500).astype(np.uint8), rng.integers(0, 3_000, 500)
    assert starts(t0, period, acc0, k).tolist() == [
        one_start(*row) for row in zip(t0.tolist(), period.tolist(), acc0.tolist(), k.tolist(), strict=True)
    ]


@settings(max_examples=200, deadline=None)
@given(
    period_ns=st.integers(2 * 10**9, 6 * 10**14), phase=st.integers(0, 2**32 - 1), acc0=st.integers(0, 255),
    intervals=st.integers(0, 5_000), part=st.integers(-2, 2**32),
)  # fmt: skip
def test_first_at_is_the_first(period_ns: int, phase: int, acc0: int, intervals: int, part: int) -> None:
    t0_ns = period_ns * phase >> 32
    time_ns = period_ns * intervals + (period_ns * part >> 32)
    k = int(first_at(np.array([t0_ns]), np.array([period_ns]), np.array([acc0], dtype=np.uint8), time_ns)[0])
    assert k == 0 or one_start(t0_ns, period_ns, acc0, k - 1) < time_ns
    assert one_start(t0_ns, period_ns, acc0, k) >= time_ns


def test_time_beyond_64_bits_is_refused() -> None:
    with pytest.raises(ScheduleOverflow, match="years after the start, at most 146"):
        one_start(0, 900 * 10**9, 0, LIMIT_NS // (900 * 10**9) + 3)
    with pytest.raises(ScheduleOverflow, match="years after the start, at most 146"):
        starts(np.array([0]), np.array([6 * 10**14]), np.array([0], dtype=np.uint8), np.array([10**9]))
