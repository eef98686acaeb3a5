"""The fewest gateways of all sets, and of those the cheapest, by a solver of integer programs (HiGHS, the extra
"solver"): what greedy (placement.py) is held against.

The share that a set misses is mean(exp(-s)), s the sum over the set of -log(1 - chance): convex, so it lies above each
of its tangents. The program has a variable for each place and one for each meter's miss, which is at least some
tangents, and what is missed in all is at most what the clause allows: its optimum is a bound from below. Where the set
that it finds does not hold, tangents at that very set are added, and that at least one place more is needed than the
largest set around it that still fails (more gateways never serve less). It ends, since each set is found at most once.
A clause with a gateway dead has rows of its own (dead_rows.py), of groups of meters. A set of the program that does not
hold is greedy's to begin with: what it adds until all holds may be fewer than greedy alone needs.

Before the program, swaps of places make the known set smaller (swaps.py), and a bound from below is found without the
solver (cover_bound.py): in large sites both come far sooner than the program's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.run_errors import CannotRun
from bench.site.cover_bound import at_least as cover_bound
from bench.site.dead_rows import DeadRows
from bench.site.placement import ENOUGH, F64, Clause, greedy, holds, spared, told
from bench.site.swaps import fewer
from sim.core.clock import wall_s

TANGENTS_AT: Final = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0)
HIGHEST: Final = 14.0
"""Tangents are laid up to here; what is missed beyond is below a millionth of a meter."""
WORST_AT_ONCE: Final = 6
FRACTIONS_MOST: Final = 8
FRACTIONS_SHARE: Final = 0.7
"""Of the time left, for one solution in fractions."""
BOUND_SHARE: Final = 0.2
SWAPS_SHARE: Final = 0.4
"""Of the time, for what needs no solver."""
_SMALL: Final = 1e-9
_LEAST_SLACK: Final = 1e-7  # meters, far below half a unit of what any clause asks
_SAFE: Final = 1e-6  # by which a bound may fall short of a whole number through rounding


class Exact(NamedTuple):
    """`chosen`: the best set found, None where no set holds, or none was found in time. `at_least`: no set of fewer
    gateways holds. `price`: of what is hung anew; None without prices. `cheapest`: no set of as many costs less."""

    chosen: list[int] | None
    at_least: int
    proven: bool
    price: float | None
    cheapest: bool
    took_s: float
    rounds: int

    @property
    def gap(self) -> float | None:
        """Of the set found to the bound, as a share of the set."""
        return None if not self.chosen else (len(self.chosen) - self.at_least) / len(self.chosen)


def exact(
    clauses: Sequence[Clause], *, hang: Sequence[int] = (), known: Sequence[int] | None = None,
    prices: F64 | None = None, limit_s: float = 60.0,
) -> Exact:  # fmt: skip
    """`known`: a set that holds, as greedy found it. Raises CannotRun without the solver."""
    begun_s = wall_s()
    places = clauses[0].chance.shape[1]
    best = None if known is None or not holds(clauses, known) else list(known)
    if best is None and not holds(clauses, range(places)):
        return Exact(None, places + 1, True, None, False, wall_s() - begun_s, 0)
    most = places if best is None else len(best)
    bound = cover_bound(clauses, hang=hang, most=most, until_s=begun_s + BOUND_SHARE * limit_s)
    if best is not None:
        until_s = begun_s + (BOUND_SHARE + SWAPS_SHARE) * limit_s
        best = fewer(clauses, best, hang=hang, least=bound, until_s=until_s)
    search = _Search(clauses, list(hang), prices, begun_s + limit_s)
    best, bound = search.fewest(best, bound)
    at_least = max(len(hang), bound)
    proven = best is not None and len(best) <= at_least
    price, cheapest = (None if best is None or prices is None else search.price(best)), False
    if proven and best is not None and prices is not None:
        found, cheapest = search.cheapest(best)
        best, price = found, search.price(found)
    return Exact(best, at_least, proven, price, cheapest, wall_s() - begun_s, search.rounds)


@dataclass(slots=True)
class _Case:
    """A clause without a dead gateway. `missed`: number of each meter's variable."""

    weights: F64
    missed: NDArray[np.int64]


@dataclass(slots=True)
class _Search:
    """One program that grows by what its answers lack."""

    clauses: Sequence[Clause]
    hang: list[int]
    prices: F64 | None
    until_s: float
    rounds: int = 0
    _cases: dict[int, _Case] = field(default_factory=dict)
    _dead: dict[int, DeadRows] = field(default_factory=dict)
    _solver: Any = None
    _gateways: int = 0
    """The column of their number."""

    def __post_init__(self) -> None:
        self._solver = _solver()
        places = self.clauses[0].chance.shape[1]
        for at in range(places):
            self._solver.addVar(1.0 if at in self.hang else 0.0, 1.0)
            self._solver.changeColIntegrality(at, _highs().HighsVarType.kInteger)
        self._gateways = self._variables(1, float(places))
        self._row(np.arange(places + 1), np.append(np.ones(places), -1.0), 0.0, 0.0)
        for number, clause in enumerate(self.clauses):
            allowed = (1 - clause.wanted + ENOUGH) * len(clause.chance) + _LEAST_SLACK
            if clause.late is None:
                self._case(number, allowed)
                continue
            weights = _weights(clause.chance), _weights(clause.late)
            self._dead[number] = DeadRows(*weights, allowed, self._gateways, self._row, self._variables)
            # One gateway alone serves nobody while it is dead.
            self._row(np.arange(places), np.ones(places), 2.0 if not clause.late.any() else 1.0, np.inf)

    def price(self, chosen: Sequence[int]) -> float:
        return 0.0 if self.prices is None else float(sum(self.prices[at] for at in chosen if at not in self.hang))

    def fewest(self, known: list[int] | None, bound: int) -> tuple[list[int] | None, int]:
        """(the best set that holds, a bound from below for the number of gateways). `bound`: one that is known."""
        places = self.clauses[0].chance.shape[1]
        self._costs(np.ones(places))
        best = known
        if best is None or bound < len(best):
            bound = self._fractions(bound)
        self._solver.changeColBounds(self._gateways, float(bound), float(places))
        if best is not None and bound >= len(best):
            return best, len(best)
        while True:
            if best is not None:  # fewer are looked for
                self._solver.changeColBounds(self._gateways, float(bound), float(len(best) - 1))
            chosen, least, solved = self._solve()
            if np.isinf(least):  # there are none
                return best, places if best is None else len(best)
            bound = max(bound, int(np.ceil(least - _SAFE)))
            if chosen is not None:
                better = chosen if holds(self.clauses, chosen) else self._mended(chosen)
                if better is not None and (best is None or len(better) < len(best)):
                    best = better
            if not solved or chosen is None or (best is not None and bound >= len(best)):
                return best, bound
            if not holds(self.clauses, chosen):
                self._learn(chosen)

    def _fractions(self, bound: int) -> int:
        """How many are needed even where a place may be hung in part; what is known of that makes it more."""
        if not self._dead:
            return bound
        places, kinds = self.clauses[0].chance.shape[1], _highs().HighsVarType
        self._needs(bound)
        for at in range(places):
            self._solver.changeColIntegrality(at, kinds.kContinuous)
        for _ in range(FRACTIONS_MOST):
            left_s = (self.until_s - wall_s()) * FRACTIONS_SHARE
            if left_s <= 0:
                break
            self._solver.setOptionValue("time_limit", left_s)
            self._solver.run()
            if self._solver.getModelStatus() != _highs().HighsModelStatus.kOptimal:
                break
            least = int(np.ceil(self._solver.getInfo().objective_function_value - _SAFE))
            if least <= bound:
                break
            bound = least
            self._needs(bound)
        for at in range(places):
            self._solver.changeColIntegrality(at, kinds.kInteger)
        return bound

    def _needs(self, bound: int) -> None:
        for one in self._dead.values():
            for row, column, value in one.needs(bound):
                self._solver.changeCoeff(row, column, value)

    def _mended(self, chosen: list[int]) -> list[int] | None:
        """What greedy adds until all holds, without what nothing needs then."""
        steps = greedy(self.clauses, hang=[*self.hang, *(one for one in chosen if one not in self.hang)])
        if not steps or not steps[-1].holds:
            return None
        return spared(self.clauses, [step.candidate for step in steps], hang=self.hang)

    def cheapest(self, known: list[int]) -> tuple[list[int], bool]:
        """(a set of as many that costs least, whether that is proven)."""
        assert self.prices is not None
        places = len(self.prices)
        costs = np.array([0.0 if at in self.hang else self.prices[at] for at in range(places)])
        self._costs(costs)
        self._solver.changeColBounds(self._gateways, 0.0, float(len(known)))
        while True:
            chosen, least, solved = self._solve()
            if not solved or chosen is None or least >= self.price(known) - _SAFE * max(1.0, self.price(known)):
                return known, solved
            if holds(self.clauses, chosen):
                return chosen, True
            self._learn(chosen)

    # --- the program --------------------------------------------------------------------------------------------------

    def _solve(self) -> tuple[list[int] | None, float, bool]:
        """(places of the optimum, its bound, whether it was solved before the time was over): the best set so far where
        it was not, None where there is none; the bound is infinite where the rows leave no set."""
        left_s = self.until_s - wall_s()
        if left_s <= 0:
            return None, 0.0, False
        self.rounds += 1
        self._solver.setOptionValue("time_limit", left_s)
        self._solver.run()
        info, status = self._solver.getInfo(), self._solver.getModelStatus()
        if status == _highs().HighsModelStatus.kInfeasible:
            return None, np.inf, True
        bound = float(info.mip_dual_bound)
        chosen = None
        if info.primal_solution_status == _highs().SolutionStatus.kSolutionStatusFeasible:
            values = np.array(self._solver.getSolution().col_value[: self.clauses[0].chance.shape[1]])
            chosen = np.flatnonzero(values > 0.5).tolist()
        solved = status == _highs().HighsModelStatus.kOptimal
        return chosen, bound if np.isfinite(bound) else 0.0, solved

    def _costs(self, costs: F64) -> None:
        for at, cost in enumerate(costs.tolist()):
            self._solver.changeColCost(at, cost)

    def _row(self, columns: NDArray[np.int64], values: F64, low: float, high: float) -> int:
        self._solver.addRow(low, high, len(columns), columns.astype(np.int32), values)
        return int(self._solver.getNumRow()) - 1

    def _variables(self, count: int, high: float) -> int:
        first = int(self._solver.getNumCol())
        for _ in range(count):
            self._solver.addVar(0.0, high)
        return first

    def _case(self, number: int, allowed: float) -> None:
        """A clause without a dead gateway, with its variables and first tangents."""
        weights = _weights(self.clauses[number].chance)
        missed = self._variables(len(weights), 1.0) + np.arange(len(weights))
        case = self._cases[number] = _Case(weights, missed)
        self._row(missed, np.ones(len(missed)), 0.0, allowed)
        for at in range(len(weights)):
            for there in TANGENTS_AT:
                if there <= weights[at].sum():
                    self._tangent(case, at, there)

    def _tangent(self, case: _Case, meter: int, there: float) -> None:
        """missed >= exp(-there) (1 + there - s). A weight above 1 + there makes the right side negative alone, so it
        counts as that much, which cuts off fractions; at 0 the chances themselves do better still (union bound)."""
        slope, weights = np.exp(-there), case.weights[meter]
        values = -np.expm1(-weights) if there == 0 else slope * np.minimum(weights, 1 + there)
        used = np.flatnonzero(values > _SMALL)
        columns = np.append(used, case.missed[meter])
        self._row(columns, np.append(values[used], 1.0), slope * (1 + there) - _SMALL * len(values), np.inf)

    def _learn(self, chosen: list[int]) -> None:
        """What this set lacks: tangents where it stands, in every case that it breaks; and a place more."""
        for number, clause in enumerate(self.clauses):
            if wall_s() > self.until_s:
                return
            if clause.late is not None:
                left = _left(clause, chosen) if chosen else np.zeros(0)
                order = np.argsort(-left)[:WORST_AT_ONCE].tolist()
                self._dead[number].learn(chosen, [chosen[at] for at in order if 1 - left[at] < clause.wanted - ENOUGH])
            elif told(clause, chosen) < clause.wanted - ENOUGH:
                case = self._cases[number]
                at = case.weights[:, chosen].sum(axis=1)
                for meter in np.flatnonzero(at < HIGHEST).tolist():
                    self._tangent(case, meter, float(at[meter]))
        around = self._grown(chosen)
        outside = np.setdiff1d(np.arange(self.clauses[0].chance.shape[1]), around)
        self._row(outside, np.ones(len(outside)), 1.0, np.inf)

    def _grown(self, chosen: list[int]) -> list[int]:
        """A set around one that fails, which fails too, and would hold with any other place: whatever holds has a place
        that is not in it."""
        around = list(chosen)
        for at in np.argsort(self.clauses[0].chance.sum(axis=0), kind="stable").tolist():
            if wall_s() > self.until_s:
                break
            if at not in around and not holds(self.clauses, [*around, at]):
                around.append(at)
        return around


def _weights(chance: F64) -> F64:
    weights: F64 = -np.log1p(-np.minimum(chance, 1 - 1e-12))
    return weights


def _left(clause: Clause, chosen: Sequence[int]) -> F64:
    """The share missed while each one is dead."""
    assert clause.late is not None
    own = list(chosen)
    weights = _weights(clause.chance[:, own])
    left: F64 = np.exp(-weights.sum(axis=1)[:, None] + weights - _weights(clause.late[:, own])).mean(axis=0)
    return left


def _highs() -> Any:
    """Raises CannotRun."""
    try:
        return import_module("highspy")
    except ImportError:
        raise CannotRun(
            "--exact needs the solver HiGHS, which is an extra: ./wmbench setup solver; without --exact, greedy answers"
        ) from None


def _solver() -> Any:
    """Silent: it prints its banner where it takes its callbacks, so it is silenced before it does. Raises CannotRun
    where it refuses an option."""
    highs = _highs()

    class Silent(highs.Highs):  # type: ignore[misc, name-defined]
        def enableCallbacks(self) -> None:
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()

    solver = Silent()
    for name, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0), ("mip_abs_gap", 0.0),
                        ("mip_feasibility_tolerance", 1e-9), ("primal_feasibility_tolerance", 1e-9)):  # fmt: skip
        if solver.setOptionValue(name, value) != highs.HighsStatus.kOk:
            raise CannotRun(f"--exact: HiGHS {solver.version()} refuses its option {name}; ./wmbench setup solver")
    return solver
