"""The figures of a point of a sweep that can be looked at and expected: each a number from one city run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from sim.core.events import Fate

if TYPE_CHECKING:
    from sim.city.conduct import CityResult


def _share(fate: Fate) -> Callable[[CityResult], float]:
    """Of pairs of a frame and a gateway in reach, how many met this fate."""
    return lambda result: result.fates[fate.label] / max(1, sum(result.fates.values()))


FIGURES: Final[Mapping[str, Callable[[CityResult], float]]] = {
    "delivery_ratio": lambda result: result.delivery_ratio,
    "frames_sent": lambda result: float(result.frames_sent),
    "frames_heard": lambda result: float(result.frames_heard),
    **{fate.label.replace(" ", "_"): _share(fate) for fate in Fate if fate is not Fate.RECEIVED},
}
"""By name; those named after a loss are shares of the pairs of a frame and a gateway in reach."""


def _stored(name: str) -> Callable[[CityResult], float]:
    return lambda result: float((result.readings or {})[name])


READINGS: Final[Mapping[str, Callable[[CityResult], float]]] = {
    "stored_ratio": lambda result: _stored("stored")(result) / max(1, result.frames_sent),
    "refused": lambda result: float(sum((result.readings or {})["refused"].values())),
    **{name: _stored(name) for name in ("stored", "copies", "missing", "altered")},
}
"""Of runs that go to stored readings only."""


def of_depth(depth: str) -> Mapping[str, Callable[[CityResult], float]]:
    """The figures that a run of this depth has."""
    return {**FIGURES, **READINGS} if depth == "readings" else FIGURES
