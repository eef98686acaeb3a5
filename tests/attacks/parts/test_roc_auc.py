"""The area under the curve, against counting every pair."""

from __future__ import annotations

import random

import pytest

from attacks.parts.roc_auc import separation, weighted


def by_pairs(rows: list[tuple[int, float, bool]]) -> float:
    won = [
        (a > b) + (a == b) / 2
        for stratum, a, wanted in rows
        for other, b, unwanted in rows
        if wanted and not unwanted and stratum == other
    ]
    return sum(won) / len(won)


def test_certainty_and_a_coin() -> None:
    assert separation([(0, 1.0, False), (0, 2.0, True)]) == 1.0
    assert separation([(0, 2.0, False), (0, 1.0, True)]) == 0.0
    assert separation([(0, 1.0, False), (0, 1.0, True)]) == 0.5
    assert separation([(0, 1.0, True), (0, 2.0, True)]) == 0.5, "nothing to compare with"


def test_it_is_the_share_of_pairs_within_a_stratum() -> None:
    draw = random.Random(7)
    rows = [(draw.randrange(4), float(draw.randrange(6)), draw.random() < 0.4) for _ in range(200)]
    assert separation(rows) == pytest.approx(by_pairs(rows))


def test_what_everybody_knows_of_a_stratum_does_not_count() -> None:
    rows = [(hour, float(hour), wanted) for hour in (0, 1) for wanted in [hour == 1] * 9 + [hour == 0]]
    assert separation(rows) == 0.5


def test_a_feature_weighs_what_it_separates_by_itself() -> None:
    rows = [(0, {"tells": 1.0 if on else 0.0, "lies": 0.0 if on else 1.0, "flat": 3.0}, on) for on in (True, False)]
    assert weighted(rows) == {"tells": 0.5, "lies": -0.5, "flat": 0.0}
    assert weighted([]) == {}
