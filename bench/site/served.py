"""How likely a meter has a reading that is young enough, through one gateway: from the margin of the path to a chance.

A frame arrives when its margin and its fading together are not below zero, and nothing of the channel that could harm
it meets it: e^-2G with G the load in erlang. Without a capture threshold everything harms it, which is a bound from
below; with one, those do that are not weaker by the threshold, of the meters that the busiest place hears. A reading is
missing when all the frames that a meter sends within the age failed. Shadowing is a property of the place: it is drawn
once for all of them, and its mean is taken over the chance of the whole.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.core.seeds import normal_of

F64 = NDArray[np.floating[Any]]
REACH_DB: Final = 60.0
STEP_DB: Final = 0.25
_AT: Final = np.arange(-REACH_DB, REACH_DB + STEP_DB, STEP_DB)
_DRAWS: Final = 1_024  # evenly spread over the normal distribution


class Capture(NamedTuple):
    """`others_db`: margins of those who send, in rising order."""

    threshold_db: float
    others_db: tuple[float, ...]

    def harmful(self, margin_db: F64) -> F64:
        """The share of the load that a frame of this margin does not survive."""
        return self.left(self.weaker(margin_db))

    def weaker(self, margin_db: F64) -> NDArray[np.intp]:
        """How many of the others are weaker by the threshold."""
        return np.searchsorted(np.array(self.others_db), margin_db - self.threshold_db, side="right")

    def left(self, weaker: NDArray[np.intp]) -> F64:
        """The share of the others that is not."""
        share: F64 = 1 - weaker / max(1, len(self.others_db))
        return share


@lru_cache(maxsize=1)
def _normals() -> F64:
    words = ((2 * np.arange(_DRAWS, dtype=np.uint64) + 1) << np.uint64(32)) // np.uint64(2 * _DRAWS)
    drawn: F64 = normal_of(words).astype(np.float64) / 65_536
    return drawn


def arrives(margin_db: F64, fading_db: float, load_erlang: float, capture: Capture | None = None) -> F64:
    """The chance of one frame."""
    above: F64 = _faded_less(margin_db, fading_db) / _DRAWS
    if capture is None:
        return above * math.exp(-2 * load_erlang)
    survives: F64 = above * np.exp(-2 * load_erlang * capture.harmful(margin_db))
    return survives


def _faded_less(margin_db: F64, fading_db: float) -> NDArray[np.intp]:
    """How many of the draws of fading a margin outlasts; fading is symmetric."""
    return np.searchsorted(np.sort(_normals()) * max(fading_db, 1e-9), margin_db, side="right")


def served(
    margin_db: F64, frames: float, fading_db: float, shadowing_db: float, load_erlang: float,
    capture: Capture | None = None,
) -> F64:  # fmt: skip
    """The chance of at least one of so many frames, by margin; between steps of STEP_DB a straight line."""
    table = _table(frames, fading_db, shadowing_db, load_erlang, capture)
    at = np.clip((margin_db + REACH_DB) / STEP_DB, 0, len(_AT) - 1)
    step = np.minimum(at.astype(np.intp), len(_AT) - 2)
    result: F64 = table[step] + (at - step) * np.diff(table)[step]
    return result


@lru_cache(maxsize=16)
def _table(frames: float, fading_db: float, shadowing_db: float, load_erlang: float, capture: Capture | None) -> F64:
    """At _AT: the mean of 1 - (1 - `arrives`) ** frames. Half a million places have few chances between them, each of
    which is worked out once: by how many draws of fading a place outlasts, and how many others it captures."""
    above = at = _outlasted(fading_db, shadowing_db)
    if capture is not None:
        at = above + capture.weaker(_margins(shadowing_db))  # both grow with the margin: a sum is of one pair only
    sums = np.arange(at.max() + 1)
    draws = np.minimum(sums, _DRAWS)
    draws[at] = above
    clear: float | F64
    if capture is None:
        clear = math.exp(-2 * load_erlang)
    else:
        clear = np.exp(-2 * load_erlang * capture.left(sums - draws))
    each = 1 - (1 - draws / _DRAWS * clear) ** frames
    mean: F64 = each[at].mean(axis=1)
    return mean


def _margins(shadowing_db: float) -> F64:
    """(margin, place): at _AT, each place with its shadowing."""
    margins: F64 = _AT[:, None] + shadowing_db * _normals()[None, :]
    return margins


@lru_cache(maxsize=4)
def _outlasted(fading_db: float, shadowing_db: float) -> NDArray[np.intp]:
    """`_faded_less` at `_margins`, which do not depend on the channel's load."""
    return _faded_less(_margins(shadowing_db), fading_db)
