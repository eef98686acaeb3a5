"""The fewest gateways, and of those the cheapest: the solver against every set there is, greedy beside it, and what it
says when the time is over, when nothing holds, and when it is not there."""

from __future__ import annotations

import ctypes
import itertools
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from bench.run_errors import CannotRun
from bench.site import dead_rows
from bench.site import exact as solver
from bench.site.placement import Clause, greedy, holds, in_turn, spared, told

PLACES = 8
HIGHS = pytest.mark.skipif(
    find_spec("highspy") is None,
    reason="allowed: the extra 'solver' has HiGHS",
)


def drawn(seed: int, dead: str) -> tuple[list[Clause], np.ndarray]:
    """Two clauses over one drawn site, and a price for each place."""
    rng = np.random.default_rng(seed)
    meters, places = rng.random((20, 2)) * 100, rng.random((PLACES, 2)) * 100
    distance = np.linalg.norm(meters[:, None] - places[None], axis=2)

    def chance(reach: float) -> np.ndarray:
        return 1 / (1 + np.exp((distance - reach) / 6))

    late = {"no": None, "all the time": np.zeros_like(distance), "half of it": chance(25)}[dead]
    made = [Clause(chance(45), 1.0, late), Clause(chance(50), 1.0, None if late is None else chance(30))]
    asked = [one._replace(wanted=part * told(one, range(PLACES))) for one, part in zip(made, (0.93, 0.97), strict=True)]
    return asked, rng.integers(1, 6, PLACES).astype(np.float64)


def every_set(clauses: list[Clause], prices: np.ndarray, hang: list[int]) -> tuple[int, float] | None:
    """(fewest gateways, least price of as many), by trying all."""
    for size in range(len(hang), PLACES + 1):
        sets = (one for one in itertools.combinations(range(PLACES), size) if set(hang) <= set(one))
        held = [one for one in sets if holds(clauses, one)]
        if held:
            return size, min(sum(prices[at] for at in one if at not in hang) for one in held)
    return None


@HIGHS
@pytest.mark.parametrize("dead", ["no", "all the time", "half of it"])
@pytest.mark.parametrize("seed", range(3))
def test_the_solver_finds_what_trying_all_sets_finds(seed: int, dead: str) -> None:
    clauses, prices = drawn(seed, dead)
    hang = [3] if seed % 2 else []
    best = every_set(clauses, prices, hang)
    assert best is not None
    known = spared(clauses, [step.candidate for step in greedy(clauses, hang=hang)], hang=hang)
    found = solver.exact(clauses, hang=hang, known=known, prices=prices)
    assert found.proven and found.cheapest and found.chosen is not None and found.gap == 0
    for step, size in zip(in_turn(clauses, known), range(1, PLACES), strict=False):  # step by step as from nothing
        first = clauses[0]
        assert step.served == pytest.approx(told(first._replace(late=None), known[:size]))
        assert first.late is None or step.one_dead == pytest.approx(told(first, known[:size]))
        assert step.holds == holds(clauses, known[:size])
    assert set(hang) <= set(found.chosen) and holds(clauses, found.chosen)
    assert (len(found.chosen), found.price) == (best[0], pytest.approx(best[1]))
    assert len(known) >= best[0] == found.at_least
    alone = solver.exact(clauses, hang=hang)  # without what greedy knows
    assert alone.proven and len(alone.chosen or []) == best[0]


@HIGHS
def test_greedy_is_beaten_where_one_good_place_spoils_the_rest() -> None:
    sure = 0.9999
    chance = np.zeros((12, 3))
    chance[:6, 0] = chance[6:, 1] = sure  # two places for half of the meters each
    chance[2:10, 2] = sure  # and one for the eight between them, which greedy takes first
    clauses = [Clause(chance, 0.99)]
    known = [step.candidate for step in greedy(clauses)]
    assert known == [2, 0, 1]
    found = solver.exact(clauses, known=known)
    assert found.chosen == [0, 1] and found.proven
    assert spared(clauses, known) == [0, 1]  # leaving out what nothing needs finds it too


@HIGHS
def test_it_says_how_far_it_came_when_the_time_is_over_and_when_nothing_holds() -> None:
    clauses, prices = drawn(1, "no")
    known = [step.candidate for step in greedy(clauses)]
    late = solver.exact(clauses, known=known, prices=prices, limit_s=1e-9)
    assert late.chosen == known and not late.proven and not late.cheapest
    assert late.gap == pytest.approx((len(known) - late.at_least) / len(known)) and late.gap > 0
    hopeless = solver.exact([Clause(np.full((5, 3), 0.1), 0.99)])
    assert hopeless.chosen is None and hopeless.proven and hopeless.at_least == 4


def test_without_the_solver_one_sentence_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(CannotRun, match=r"--exact needs the solver HiGHS.*wmbench setup solver"):
        solver.exact([Clause(np.full((5, 3), 0.5), 0.7)])


@HIGHS
def test_the_solver_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    found = solver.exact([Clause(np.full((5, 3), 0.5), 0.7)])
    assert found.proven and found.rounds > 0
    ctypes.CDLL(None).fflush(None)  # what C has not written yet
    assert capfd.readouterr() == ("", "")


def test_a_dead_gateway_counts_for_as_long_as_it_is_dead() -> None:
    chance = np.full((10, 2), 0.9)
    late = np.full((10, 2), 0.6)
    assert told(Clause(chance, 0.9), [0, 1]) == pytest.approx(0.99)
    assert told(Clause(chance, 0.9, late), [0, 1]) == pytest.approx(1 - 0.1 * 0.4)
    assert told(Clause(chance, 0.9, late), [0]) == pytest.approx(0.6)
    assert told(Clause(chance, 0.9, np.zeros_like(late)), [0]) == 0.0


def test_what_nothing_needs_is_left_out_and_a_cheaper_place_is_taken() -> None:
    chance = np.zeros((12, 4))
    chance[:6, 0] = chance[6:, 1] = chance[6:, 3] = 0.9999
    chance[2:10, 2] = 0.9999
    clauses = [Clause(chance, 0.99)]
    assert spared(clauses, [2, 0, 1], hang=[2]) == [2, 0, 1]  # what hangs stays
    assert spared(clauses, [2, 0, 1], prices=np.array([5.0, 5.0, 1.0, 2.0])) == [0, 3]
    steps = in_turn(clauses, [0, 3])
    assert [step.holds for step in steps] == [False, True] and steps[0].served == pytest.approx(0.49995)


@HIGHS
def test_a_floor_heard_by_two_places_alone_needs_both_where_one_may_be_dead() -> None:
    """Six houses with two places each that no other reaches: the program must see that halves of places are not
    enough, and prove it before it branches."""
    houses, each = 6, 30
    chance = np.zeros((houses * each, 2 * houses))
    for house in range(houses):
        chance[house * each : (house + 1) * each, 2 * house : 2 * house + 2] = 0.9999
    clauses = [Clause(chance, 0.97, np.zeros_like(chance))]
    known = spared(clauses, [step.candidate for step in greedy(clauses)])
    found = solver.exact(clauses, known=known)
    assert (len(known), found.at_least, found.proven, found.gap) == (12, 12, True, 0)


@HIGHS
def test_groups_of_meters_leave_the_bound_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """With meters put together, as in large sites, no bound lies above what trying all sets finds."""
    monkeypatch.setattr(dead_rows, "GROUPS_MOST", 5)
    monkeypatch.setattr(dead_rows, "MANY_GROUPS", 4)
    for seed, dead in ((0, "all the time"), (1, "half of it"), (2, "all the time")):
        clauses, prices = drawn(seed, dead)
        best = every_set(clauses, prices, [])
        assert best is not None
        found = solver.exact(clauses, prices=prices)
        assert found.proven and (len(found.chosen or []), found.price) == (best[0], pytest.approx(best[1]))
