"""Rows of exact.py's program for a clause under which any one gateway may be dead.

Let X be how many of the set hear a meter: P0 the chance of none, z_d the chance by which the meter is missed more often
while d is dead (r_d of "d alone hears it", r_d = 1 where a dead gateway serves nobody). For each set that holds, summed
over meters:

    2 P0 + sum of z_d / r_d  >=  2 - sum of chances                          (2 P0 + P1 is the mean of max(2 - X, 0))
    P0 >= each tangent of exp(-s);   P0 + z_d >= each tangent of what is missed while d is dead
    sum of P0 <= allowed;   sum of (P0 + z_d) <= allowed;   sum of z_d <= allowed where d is in the set, else 0
    sum of all z_d + n times the sum of P0 <= allowed times the number of gateways, where at least n are needed

Without z_d a fraction of many places is as good as two whole ones, since taking away a fraction of one costs little:
then the bound stays at half of what is needed. The last row is what cuts such fractions off: who hears a meter alone
may do so for few. Only the likeliest places of a meter have a z_d of their own; the others share one.

All rows but tangents are linear, and a tangent of a mean lies below the mean of tangents: so meters that hear the same
places are put together, and the bound stays a bound. Small coefficients of a row are taken together too, as the largest
of them times the number of gateways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.site.placement import F64

GROUPS_MOST: Final = 600
NEAR: Final = 0.05
NEAR_MOST: Final = 12
"""Places of a group whose death has a variable: the likeliest."""
MANY_GROUPS: Final = 200
NEAR_OF_MANY: Final = 6
"""The same, without tangents of its own, where a program of all of them would not be solved once."""
WIDE_FROM: Final = 0.004
"""Coefficients from here on stand for themselves."""
TANGENTS_AT: Final = (0.0, 0.5, 1.0, 2.0, 3.0, 4.5, 6.5)
DEAD_TANGENTS_AT: Final = (1.0, 2.0, 3.5)
DEAD_FROM: Final = 0.3
_SMALL: Final = 1e-9

I64 = NDArray[np.int64]
AddRow = Callable[[I64, F64, float, float], int]
"""(columns, values, low, high) -> the row."""
AddVariables = Callable[[int, float], int]
"""(how many, their upper bound) -> the first one's column."""


@dataclass
class DeadRows:
    """`allowed`: meters that a set may miss. `gateways`: the column of their number; places are columns 0, 1, ...
    `add_row`, `add_variables`: into the program."""

    weights: F64
    late_weights: F64
    allowed: float
    gateways: int
    add_row: AddRow
    add_variables: AddVariables

    def __post_init__(self) -> None:
        chance, late = -np.expm1(-self.weights), -np.expm1(-self.late_weights)
        self.group = groups(chance)
        self.count = np.bincount(self.group).astype(np.float64)
        self._chance = self._mean(chance)
        with np.errstate(divide="ignore", invalid="ignore"):
            lost = np.where(chance > _SMALL, (chance - late) / chance, 1.0)
        self._lost = np.ones_like(self._chance)
        np.minimum.at(self._lost, self.group, lost)
        size = len(self.count)
        self._many = size > MANY_GROUPS
        self._p0 = self.add_variables(size, 1.0)
        self._else = self.add_variables(size, 1.0)
        self._near = [self._nearest(row) for row in self._chance]
        self._z: dict[tuple[int, int], int] = {}
        for at in range(size):
            first = self.add_variables(len(self._near[at]), 1.0)
            self._z |= {(at, place): first + number for number, place in enumerate(self._near[at])}
        for at in range(size):
            self._twice(at)
            self.tangents(at, -1, TANGENTS_AT)
            for place in self._near[at]:
                more = () if self._many or self._chance[at, place] <= DEAD_FROM else DEAD_TANGENTS_AT
                self.tangents(at, place, (0.0, *more))
        self._sums()

    def _mean(self, by_meter: F64) -> F64:
        out = np.zeros((len(self.count), by_meter.shape[1]))
        np.add.at(out, self.group, by_meter)
        mean: F64 = out / self.count[:, None]
        return mean

    def _nearest(self, chance: F64) -> list[int]:
        order = np.argsort(-chance, kind="stable")[: NEAR_OF_MANY if self._many else NEAR_MOST]
        return [int(one) for one in order if chance[one] > NEAR]

    # --- rows -------------------------------------------------------------------------------------------------------

    def _twice(self, at: int) -> None:
        near = self._near[at]
        z = [self._z[at, place] for place in near]
        more = 1 / np.maximum(self._lost[at, near], 1e-3)
        self._wide(self._chance[at], [self._p0 + at, self._else + at, *z], [2.0, 1.0, *more], 2.0)

    def tangents(self, at: int, dead: int, where: Iterable[float]) -> None:
        """Of what group `at` misses while `dead` is dead (-1: nobody), at these sums of weights."""
        members = self.group == at
        weights = self.weights[members]
        if dead >= 0:
            weights = weights.copy()
            weights[:, dead] = self.late_weights[members, dead]
        for there in where:
            slope = np.exp(-there)
            each = -np.expm1(-weights) if there == 0 else slope * np.minimum(weights, 1 + there)
            own = [self._p0 + at] if dead < 0 else [self._p0 + at, self._z[at, dead]]
            self._wide(each.mean(axis=0), own, [1.0] * len(own), slope * (1 + there))

    def _wide(self, values: F64, own: list[int], factors: list[float], low: float) -> None:
        """values over places + factors over own >= low."""
        wide = np.flatnonzero(values >= WIDE_FROM)
        rest = values[values < WIDE_FROM].max(initial=0.0)
        columns, coefficients = [*wide.tolist(), *own], [*values[wide].tolist(), *factors]
        if rest > _SMALL:
            columns, coefficients = [*columns, self.gateways], [*coefficients, rest]
        self.add_row(np.array(columns), np.array(coefficients), low - _SMALL * len(values), np.inf)

    def _sums(self) -> None:
        size = len(self.count)
        every = self._p0 + np.arange(size)
        self.add_row(every, self.count, 0.0, self.allowed)
        lost = self.count * self._lost.min(axis=1)
        z = np.array(list(self._z.values()), dtype=np.int64)
        each = np.array([self.count[at] for at, _ in self._z])
        alone = np.concatenate([self._else + np.arange(size), z, [self.gateways], every])
        values = np.concatenate([lost, each, [-self.allowed], np.zeros(size)])
        self._alone = self.add_row(alone, values, -np.inf, _SMALL)
        by_place: dict[int, list[int]] = {}
        for at, place in self._z:
            by_place.setdefault(place, []).append(at)
        for place, some in by_place.items():
            z = np.array([self._z[at, place] for at in some], dtype=np.int64)
            self.add_row(np.append(every, z), np.append(self.count, self.count[some]), 0.0, self.allowed)
            self.add_row(np.append(z, place), np.append(self.count[some], -self.allowed), -np.inf, _SMALL)

    def needs(self, gateways: int) -> Iterator[tuple[int, int, float]]:
        """(row, column, value) to change once so many are known to be needed: each of them may die, so what nobody
        hears counts as often."""
        for at, count in enumerate(self.count.tolist()):
            yield self._alone, self._p0 + at, gateways * count

    # --- what a set lacks -------------------------------------------------------------------------------------------

    def learn(self, chosen: list[int], dead: Iterable[int]) -> None:
        """Tangents where this set stands, while nobody is dead and while each of these is."""
        own = self._mean(self.weights)[:, chosen].sum(axis=1)
        for at in range(len(self.count)):
            self.tangents(at, -1, [float(own[at])])
        for place in dead:
            less = self._mean(self.weights[:, [place]] - self.late_weights[:, [place]])[:, 0]
            for at in range(len(self.count)):
                if (at, place) in self._z:
                    self.tangents(at, place, [float(max(0.0, own[at] - less[at]))])


def groups(chance: F64) -> I64:
    """A number for each meter, from 0 on: neighbours in a site's order are of one floor, which hears the same places.
    At most GROUPS_MOST groups; each meter its own where they are few."""
    meters = len(chance)
    if meters <= GROUPS_MOST:
        return np.arange(meters)
    return np.arange(meters) * GROUPS_MOST // meters
