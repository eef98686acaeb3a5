"""What a month adds to memory, in full: three days of a thousand meters. Minutes, so by night."""

from __future__ import annotations

from typing import Any

import pytest

from bench.perf.month import month_mb

GOAL_MB = 50.0


@pytest.mark.night
def test_a_month_adds_little_to_memory(benchmark: Any) -> None:
    added_mb, judging_mb = benchmark.pedantic(lambda: month_mb(3), rounds=1)
    benchmark.extra_info.update(added_mb=added_mb, judging_mb=judging_mb)
    assert added_mb <= GOAL_MB
