"""Where a sentence breaks: double the load until it does, then halve the gap. Pure: what a load is and whether it holds
is the caller's.

A load counts as broken when it broke `tries` times, since a machine that did something else for a moment breaks any
sentence once; one trial that holds is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

DOUBLINGS: Final = 40


@dataclass(frozen=True, slots=True)
class Knee:
    """`holds_per_s`: the highest load that held, None when none did. `breaks_per_s`: the lowest above it that broke,
    None when none did."""

    holds_per_s: float | None
    breaks_per_s: float | None

    @property
    def found(self) -> bool:
        return self.holds_per_s is not None and self.breaks_per_s is not None


def search(
    holds: Callable[[float], bool], start_per_s: float, most_per_s: float, *, to: float = 0.02, tries: int = 2
) -> Knee:
    """`to`: how far apart the two loads may stay, as a share of the lower one. Below `start_per_s` the load is halved
    six times at most."""

    def held(load_per_s: float) -> bool:
        return any(holds(load_per_s) for _ in range(tries))

    load, good, bad = min(start_per_s, most_per_s), None, None
    for _ in range(DOUBLINGS):
        if held(load):
            good = load
            if bad is not None or load >= most_per_s:
                break
            load = min(2 * load, most_per_s)
        else:
            bad = load
            if good is not None or load <= start_per_s / 64:
                break
            load /= 2
    while good is not None and bad is not None and bad - good > to * good:
        middle = (good + bad) / 2
        if held(middle):
            good = middle
        else:
            bad = middle
    return Knee(good, bad)
