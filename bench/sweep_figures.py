"""The figures of a point of a sweep that can be looked at and expected: each a number from one city run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from sim.events import Fate

if TYPE_CHECKING:
    from sim.city.run import CityResult


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
