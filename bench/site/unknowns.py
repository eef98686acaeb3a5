"""What nobody knows before something was measured, drawn within its range: an interval for a planner's figures.

Each draw is one world: an exponent, a floor, an outer wall, a receiver and what it captures. Draws are a Latin
hypercube (each range in as many slices as there are draws, each slice once), so a few tell as much as many at random.
What was fitted is drawn from its covariance instead (sim/radio/fitted.py). How much one unknown matters is the square
of its rank correlation with the share served. What costs too much to be asked in every world is asked in two of them:
a kind one and a harsh one, in which the plan serves more than in 90 and in 10 of 100.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.site.budget import Paths
from bench.site.placement import fewest, holds, told
from bench.site.service import Service, chances
from sim.core.seeds import Seeds
from sim.radio.building_entry import entry_loss_db
from sim.radio.fitted import Fitted
from sim.radio.models.port import FREQUENCY_MHZ

F64 = NDArray[np.floating[Any]]
DRAWS: Final = "planner draws"
FIT_DRAWS: Final = "planner fit draws"
MIDDLE: Final = "middle"
_FITTED: Final = ("power", "floor_db", "outer_wall_db")


class Unknown(NamedTuple):
    """A range, both ends as likely as its middle. `remedy`: how to measure it."""

    name: str
    words: str
    low: float
    high: float
    source: str
    remedy: str


def _wall_db(share_: float) -> float:
    return round(entry_loss_db("traditional", FREQUENCY_MHZ, share_), 1)


UNKNOWNS: Final = (
    Unknown("power", "path loss exponent x 10", 28.0, 46.0,
            "28: ITU-R P.1238, residential; 46: the steepest that planners reckon with", "./wmbench site fit"),
    Unknown("floor_db", "dB a floor", 4.0, 18.3, "4: ITU-R P.1238; 18.3: COST 231, an upper bound",
            "./wmbench site fit"),
    Unknown("outer_wall_db", "dB an outer wall", _wall_db(0.1), _wall_db(0.9),
            "ITU-R P.2109, traditional, 10 and 90 of 100 places", "./wmbench site fit"),
    Unknown("sensitivity_dbm", "receiver, dBm", -105.0, -95.0, "receivers on sale, with their antennas",
            "./wmbench receiver measure"),
    Unknown("capture_db", "dB to capture a frame", 3.0, 12.0,
            "3: sdr-rtl_wmbus, T1; 12: sdr-rtl_433 (files of sim/radio/receivers)", "./wmbench receiver measure"),
)  # fmt: skip


class Interval(NamedTuple):
    """Of draws, the 10th, the middle and the 90th of 100."""

    low: float
    middle: float
    high: float


class Middle(Fitted):
    """P.1238's form with each unknown in the middle of its range: the world that is planned for where nothing was
    measured."""

    @property
    def id(self) -> str:
        return MIDDLE


def middle() -> Middle:
    """It."""
    values: dict[str, Any] = {one.name: round((one.low + one.high) / 2, 2) for one in UNKNOWNS if one.name in _FITTED}
    return Middle(source="P.1238's form, each number in the middle of what is not known", **values)


class World(NamedTuple):
    """One that was drawn."""

    model: Fitted
    sensitivity_dbm: float
    capture_db: float


Figures = Callable[[F64, float, Sequence[int] | None], dict[str, float]]
"""From the chance of one frame, (meters, candidates), the load in erlang, and the places that would be needed."""


class Unsure(NamedTuple):
    """`gateways`: None where no number of gateways reaches the service. `matters`: share of the difference, by name.
    `figures`: of what else is told of a plan; infinite where there is none."""

    draws: int
    served: Interval
    gateways: tuple[int | None, int | None, int | None]
    holds: float
    reached: float
    matters: dict[str, float]
    figures: dict[str, Interval]
    unknowns: tuple[Unknown, ...]
    ends: dict[str, World]
    """`kind` and `harsh`."""


def unknowns_of(fitted: Fitted | None, sensitivity_dbm: float | None, walls: bool = True) -> tuple[Unknown, ...]:
    """Those of a plan; a fit's own with the interval that it has, and none for a sensitivity that was given, nor for
    walls that the site says (`walls`: some are not)."""
    kept = []
    for one in UNKNOWNS:
        if one.name == "outer_wall_db" and not walls:
            continue
        if one.name == "sensitivity_dbm":
            if sensitivity_dbm is None:
                kept.append(one)
        elif fitted is not None and one.name in fitted.names:
            at = fitted.names.index(one.name)
            half, value = 1.2816 * np.sqrt(fitted.covariance[at][at]), getattr(fitted, one.name)
            kept.append(one._replace(low=round(value - half, 2), high=round(value + half, 2), source=fitted.source))
        else:
            kept.append(one)
    return tuple(kept)


def drawn(unknowns: Sequence[Unknown], fitted: Fitted | None, draws: int, seed: int) -> dict[str, F64]:
    """Name -> (draws,)."""
    seeds, each = Seeds(seed), np.arange(draws)
    found: dict[str, F64] = {}
    for number, one in enumerate(unknowns):
        words = seeds.blocks(DRAWS, each, number)
        at = (words[:, 0].argsort(kind="stable") + words[:, 1] / 2.0**32) / draws
        found[one.name] = one.low + (one.high - one.low) * at
    if fitted is not None and fitted.names:
        size = len(fitted.names)
        turn, spread, _ = np.linalg.svd(np.array(fitted.covariance))
        normal = seeds.normal_q16(FIT_DRAWS, each[:, None], np.arange(size)[None, :]) / 65_536
        values = np.array([getattr(fitted, name) for name in fitted.names]) + normal @ (turn * np.sqrt(spread)).T
        found |= {name: values[:, column] for column, name in enumerate(fitted.names) if name in _FITTED}
    return found


def unsure(
    paths: Paths, chosen: Sequence[int], service: Service, *,
    fitted: Fitted | None, sensitivity_dbm: float | None, draws: int, seed: int, figures: Figures | None = None,
) -> Unsure:  # fmt: skip
    """How a plan fares in worlds that are as likely as its own. `sensitivity_dbm` None: unknown. `figures`: what else
    is told of one world."""
    unknowns = unknowns_of(fitted, sensitivity_dbm, bool(paths.path.outer_walls.any()))
    values = drawn(unknowns, fitted, draws, seed)
    worlds = worlds_of(values, fitted, sensitivity_dbm)
    got, counts, held = [], [], 0
    others: dict[str, list[float]] = {}
    for model, sensitivity, capture_db in worlds:
        drawn_ = service._replace(capture_db=capture_db)
        clauses, load = chances(paths, model, sensitivity, drawn_)
        got.append(told(clauses[0], chosen))
        held += holds(clauses, chosen)
        needed = fewest(clauses, service.hang)
        counts.append(np.inf if needed is None else len(needed))
        if figures is not None:
            for name, value in figures(drawn_.arrive(paths, model, sensitivity, load), load, needed).items():
                others.setdefault(name, []).append(value)
    shares = np.array(got)
    low, middle, high = (None if np.isinf(one) else int(one) for one in _tenths(counts))
    return Unsure(
        draws, Interval(*(float(one) for one in np.quantile(shares, [0.1, 0.5, 0.9]))), (low, middle, high),
        held / draws, float(np.isfinite(counts).mean()),
        matters({one.name: values[one.name] for one in unknowns}, shares),
        {name: _tenths(each) for name, each in others.items()}, unknowns,
        {name: worlds[shares.argsort(kind="stable")[_rank(q, draws)]] for name, q in (("kind", 0.9), ("harsh", 0.1))},
    )  # fmt: skip


def worlds_of(values: dict[str, F64], fitted: Fitted | None, sensitivity_dbm: float | None) -> list[World]:
    """One for each draw. `values`: as drawn. `sensitivity_dbm` None: it was drawn too."""
    base, found = fitted if fitted is not None else Fitted(source="a draw"), []
    for at, capture_db in enumerate(values["capture_db"].tolist()):
        changes: dict[str, Any] = {name: float(values[name][at]) for name in _FITTED if name in values}
        sensitivity = float(values["sensitivity_dbm"][at]) if sensitivity_dbm is None else sensitivity_dbm
        found.append(World(replace(base, **changes), sensitivity, capture_db))
    return found


def _rank(q: float, of: int) -> int:
    return min(int(q * of), of - 1)


def _tenths(values: Sequence[float]) -> Interval:
    """Some may be infinite."""
    ordered = np.sort(np.array(values, dtype=np.float64))
    return Interval(*(float(ordered[_rank(q, len(ordered))]) for q in (0.1, 0.5, 0.9)))


def matters(values: dict[str, F64], shares: F64) -> dict[str, float]:
    """The square of the rank correlation with each unknown, the greatest first; 0 where nothing differs."""
    if np.ptp(shares) < 1e-12:
        return dict.fromkeys(values, 0.0)
    ranks = _ranks(shares)
    found = {name: float(np.corrcoef(_ranks(one), ranks)[0, 1] ** 2) for name, one in values.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _ranks(values: F64) -> F64:
    """Equal values share the middle of their ranks."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: F64 = counts.cumsum() - (counts - 1) / 2
    return middle[which]
