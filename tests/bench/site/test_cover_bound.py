"""A bound without a solver never lies above what trying all sets finds, and lies near it where places are many; swaps
never lose what holds."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from bench.site import cover_bound
from bench.site.cover_bound import at_least
from bench.site.placement import Clause, greedy, holds, told
from bench.site.swaps import fewer

FOREVER_S = math.inf
LONG_AGO_S = -math.inf
LATE = ("no", "all the time", "half of it")


def site(seed: int, meters: int, places: int, late: str, wanted: float) -> list[Clause]:
    """Drawn in a square; two clauses that ask for so much of what all places serve."""
    rng = np.random.default_rng(seed)
    at, of = rng.random((meters, 2)) * 100, rng.random((places, 2)) * 100
    distance = np.linalg.norm(at[:, None] - of[None], axis=2)
    soft = (2.0, 6.0, 14.0)[seed % 3]

    def chance(reach: float) -> np.ndarray:
        return 1 / (1 + np.exp((distance - reach) / soft))

    back = {"no": None, "all the time": np.zeros_like(distance), "half of it": chance(20)}[late]
    made = [Clause(chance(45), 1.0, back), Clause(chance(50), 1.0, None if back is None else chance(25))]
    return [one._replace(wanted=wanted * told(one, range(places))) for one in made]


def fewest(clauses: list[Clause], places: int, hang: list[int]) -> int:
    """By trying all."""
    for size in range(len(hang), places + 1):
        for one in itertools.combinations(range(places), size):
            if set(hang) <= set(one) and holds(clauses, one):
                return size
    raise AssertionError


@pytest.mark.parametrize("late", LATE)
def test_it_never_lies_above_what_trying_all_sets_finds(late: str) -> None:
    bounds = []
    for seed in range(12):
        clauses = site(seed, 25, 8, late, (0.9, 0.97, 0.995)[seed % 3])
        hang = [5] if seed % 4 == 3 else []
        least = fewest(clauses, 8, hang)
        bound = at_least(clauses, hang=hang, most=8, until_s=FOREVER_S)
        assert len(hang) <= bound <= least
        known = fewer(clauses, range(8), hang=hang, least=bound, until_s=FOREVER_S)
        assert holds(clauses, known) and set(hang) <= set(known) and least <= len(known)
        bounds.append(least - bound)
    assert sum(bounds) / len(bounds) <= 2.0


@pytest.mark.parametrize("late", ["no", "all the time"])
def test_planes_lie_below_what_a_set_misses(late: str) -> None:
    """Sum over who is dead of what a meter misses: at every small set of drawn chances, certain ones among them."""
    rng = np.random.default_rng(1)
    for gateways in (2, 5, 30):
        lost, times = (0.0, 1.0) if late == "no" else (1.0, float(gateways))
        planes = cover_bound._planes(times, lost)
        for _ in range(400):
            chance = np.minimum(
                rng.random(rng.integers(0, min(gateways, 6) + 1)) ** rng.choice([0.1, 1.0, 4.0]), 1 - 1e-12
            )
            none = (1 - chance).prod()
            alone = (none * chance / (1 - chance)).sum()
            missed = none if late == "no" else times * none + alone
            for limit in cover_bound.CERTAIN:
                sure = (chance >= limit).sum()
                weak = -np.log1p(-chance[chance < limit]).sum()
                assert (planes.high - planes.step * sure - planes.slope * weak).max() <= missed + 1e-9


def test_a_district_is_bounded_within_a_third_of_what_is_known() -> None:
    """Sixty places of which any may be dead, where a relaxation of cover alone stays at half."""
    clauses = site(2, 700, 60, "all the time", 0.995)[:1]
    known = [step.candidate for step in greedy(clauses)]
    bound = at_least(clauses, most=len(known), until_s=FOREVER_S)
    swapped = fewer(clauses, known, least=bound, until_s=FOREVER_S)
    assert holds(clauses, swapped) and bound <= len(swapped) <= len(known)
    assert bound >= 2 * len(swapped) / 3


def test_when_the_time_is_over_both_say_what_they_know() -> None:
    clauses = site(1, 60, 20, "all the time", 0.97)
    assert at_least(clauses, hang=[3, 4], most=20, until_s=LONG_AGO_S) == 2
    assert fewer(clauses, range(20), until_s=LONG_AGO_S) == list(range(20))
