"""The histogram against the library of its name (tests/vectors/hdr_percentiles.json), and against sorting."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from bench.load.latencies import HIGHEST_US, Latencies, bucket, highest_us
from bench.run_directory import ROOT

CASES = json.loads((ROOT / "tests" / "vectors" / "hdr_percentiles.json").read_text(encoding="utf-8"))["cases"]


def values(kind: str, count: int) -> list[int]:
    """Microseconds, by the generator of ANSI C's example: the vectors were made of these."""
    state, out = 12_345, []
    for _ in range(count):
        state = (1_103_515_245 * state + 12_345) % 2**31
        share = (state + 1) / 2**31
        drawn = {
            "flat": lambda u: int(u * 5_000),
            "tail": lambda u: int(700 / u**1.3),
            "powers": lambda u: (1 << int(u * 31.7)) - 1 + int(u * 3),
        }[kind](share)
        out.append(min(drawn, HIGHEST_US))
    return out


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}-{case['count']}")
def test_percentiles_are_those_of_the_library(case: dict[str, Any]) -> None:
    histogram = Latencies()
    histogram.record(np.array(values(case["kind"], case["count"])) / 1e6)
    found = {percent: round(histogram.percentile_s(float(percent)) * 1e6) for percent in case["percentiles"]}
    assert found == case["percentiles"]


def test_a_bucket_holds_its_highest_value_and_not_the_next() -> None:
    at = np.arange(int(bucket(HIGHEST_US)))
    highest = np.array([highest_us(one) for one in at.tolist()])
    assert (bucket(highest) == at).all()
    assert (bucket(highest + 1) == at + 1).all()


def test_three_digits_are_right() -> None:
    value = np.array(values("tail", 2_000))
    stands_for = np.array([highest_us(one) for one in bucket(value).tolist()])
    assert (value <= stands_for).all() and (stands_for <= value * 1.001 + 1).all()


def test_histograms_of_processes_are_added() -> None:
    one, two, both = Latencies(), Latencies(), Latencies()
    first, second = np.array(values("tail", 300)) / 1e6, np.array(values("flat", 200)) / 1e6
    one.record(first, 3)
    two.record(second, 3)
    both.record(np.concatenate([first, second]), 3)
    one.add(two)
    assert one.as_json() == both.as_json() and one.total == 1_500


def test_what_never_came_is_no_latency_and_what_took_hours_is_told() -> None:
    histogram = Latencies()
    histogram.record([np.nan, 7_200.0, 0.001])
    assert (histogram.total, histogram.over, histogram.most_us) == (2, 1, 7_200_000_000)
    assert Latencies().percentile_s(99) == 0.0
