"""The discriminant finds what separates, and nothing where nothing does."""

from __future__ import annotations

from random import Random

from attacks.parts.discriminant import Row, learned, scores
from attacks.parts.roc_auc import separation


def rows(seed: int, *, leak: float) -> list[Row]:
    """Two noisy features whose difference tells, in strata that are shifted."""
    draw, out = Random(seed), []
    for place in range(600):
        wanted, stratum = draw.random() < 0.3, place % 4
        noise = draw.gauss(0, 3)
        features = {"a": noise + leak * wanted + 50 * stratum, "b": noise + draw.gauss(0, 0.3), "same": 7.0}
        out.append((stratum, features, wanted))
    return out


def test_a_leak_is_learned_in_one_half_and_found_in_the_other() -> None:
    weights = learned(rows(1, leak=1.0))
    assert weights["same"] == 0.0 and weights["a"] > 0 > weights["b"], "the noise that both share is taken out"
    assert separation(scores(rows(2, leak=1.0), weights)) > 0.95


def test_without_a_leak_it_guesses() -> None:
    weights = learned(rows(1, leak=0.0))
    assert abs(separation(scores(rows(2, leak=0.0), weights)) - 0.5) < 0.08


def test_rows_that_never_differ_have_equal_scores() -> None:
    same = [(place % 3, {"a": 1.0, "b": 2.0}, place % 2 == 0) for place in range(30)]
    weights = learned(same)
    assert weights == {"a": 0.0, "b": 0.0}
    assert {score for _, score, _ in scores(same, weights)} == {0.0}


def test_of_one_kind_nothing_is_learned() -> None:
    assert learned([(0, {"a": 1.0}, True), (0, {"a": 2.0}, True)]) == {"a": 0.0}
    assert learned([]) == {} and scores([], {}) == []
