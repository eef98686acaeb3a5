"""Its access number was not seen lately: slows replay, no more.

Eight bits, in clear, in mode 5 not authenticated. Up to 128 ahead is new, what lies behind is looked up. When nothing
was heard for more than 128 intervals the numbers prove nothing and the window starts anew. A telegram whose counter
stands under a MAC is left to `mcr`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sim.portal.check import NONE, PASSED, STALE, Check, Meter, Names, Nothing, Sight
from sim.portal.window import NEW, empty, look, mark

REPLAYED_ACC: Final = "replayed access number"
_REPLAYED: Final = 2
WINDOW: Final = 128
"""Half of the 256 values: what is not ahead is behind."""


class State(NamedTuple):
    """The highest number, unwrapped, and the latest time at which a gateway heard one."""

    highest: int = NONE
    heard_ns: int = 0


def lapsed(sight: Sight, meter: Meter, past: State) -> bool:
    return sight.received_ns - past.heard_ns > WINDOW * meter.interval_ns


def unwrapped(past: State, acc: int) -> int:
    """The number with these eight bits that is nearest to the highest: from 128 behind to 127 ahead."""
    ahead = (acc - past.highest) & 0xFF
    return past.highest + (ahead if ahead < WINDOW else ahead - 256)


def verdict(sight: Sight, meter: Meter, past: State, ring: Any, limits: Nothing) -> int:
    if sight.acc == NONE or past.highest == NONE or lapsed(sight, meter, past):
        return PASSED
    return PASSED if look(past.highest, ring, meter.row, WINDOW, unwrapped(past, sight.acc)) == NEW else _REPLAYED


def took(sight: Sight, meter: Meter, past: State, ring: Any, limits: Nothing) -> State:
    if sight.acc == NONE:
        return past
    if past.highest == NONE or lapsed(sight, meter, past):
        empty(ring, meter.row)
        # 256 keeps what lies behind the first number positive.
        return State(mark(NONE, ring, meter.row, WINDOW, 256 + sight.acc), sight.received_ns)
    return State(
        mark(past.highest, ring, meter.row, WINDOW, unwrapped(past, sight.acc)), max(past.heard_ns, sight.received_ns)
    )


def detail(why: int, sight: Sight, meter: Meter, past: State, limits: Nothing, names: Names) -> str:
    return f"access number {sight.acc} was used, highest {past.highest & 0xFF}"


CHECK = Check("acc", 30, {REPLAYED_ACC: STALE}, verdict, took, detail, State, WINDOW, left_to="mcr", portal_only=True)
