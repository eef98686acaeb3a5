"""Its counter, 32 bits under a MAC, was never seen: stops replay in mode 7 (L08).

Nobody without the key can move this window.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sim.portal.check import LATE, NONE, PASSED, STALE, Check, Meter, Names, Nothing, Sight
from sim.portal.window import NEW, SEEN, look, mark

REPLAYED_COUNTER: Final = "replayed counter"
_REPLAYED: Final = 2
WINDOW: Final = 1_024
"""Telegrams: ten days at 900 s, longer than an outage that anybody leaves alone."""


class State(NamedTuple):
    """`highest` counts from the `first` counter taken: meters then count on alike, and bytes lie side by side."""

    highest: int = NONE
    first: int = 0


def answers(sight: Sight) -> bool:
    """A verified MAC covers a counter."""
    return sight.counter != NONE


def verdict(sight: Sight, meter: Meter, past: State, ring: Any, limits: Nothing) -> int:
    if sight.counter == NONE:
        return PASSED
    seen = look(past.highest, ring, meter.row, WINDOW, sight.counter - past.first)
    if seen == NEW:
        return PASSED
    return _REPLAYED if seen == SEEN else LATE


def took(sight: Sight, meter: Meter, past: State, ring: Any, limits: Nothing) -> State:
    if sight.counter == NONE:
        return past
    first = sight.counter if past.highest == NONE else past.first
    return State(mark(past.highest, ring, meter.row, WINDOW, sight.counter - first), first)


def detail(why: int, sight: Sight, meter: Meter, past: State, limits: Nothing, names: Names) -> str:
    if why == _REPLAYED:
        return f"counter {sight.counter} was seen, highest {past.highest + past.first}"
    return f"counter {sight.counter} is {WINDOW} or more behind; cannot tell whether it was seen"


CHECK = Check(
    "mcr", 20, {REPLAYED_COUNTER: STALE}, verdict, took, detail, State, WINDOW, side_by_side=True, answers=answers
)
