"""The time in its payload agrees with the gateway's clock, and is not used: stops replay in mode 5 (L08, L09).

Marked minutes are those of telegrams that were taken; a meter that ever sent its time (or is registered as sending it)
must go on sending it, or a cut telegram would escape (L16).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sim.core.clock import NS_PER_S, ns
from sim.core.settings import number
from sim.portal.check import FORGED, LATE, NONE, PASSED, STALE, UNKNOWN, Check, Meter, Names, Sight
from sim.portal.window import NEW, SEEN, look, mark

TIME_OFF: Final = "time off"  # payload time and the gateway's receive time disagree
REPLAYED_TIME: Final = "replayed time"  # another telegram of this meter had this time
NO_TIME: Final = "no time"  # this meter sends its time, this telegram lacks it (L16)
_OFF, _REPLAYED, _MISSING = 2, 3, 4
WINDOW_MIN: Final = 1_440
"""A day; what comes later than that behind a newer one is late in any case."""
LEAST_INTERVAL_NS: Final = 120 * NS_PER_S
"""Below this, two telegrams may rightly show the same minute."""
NS_PER_MIN: Final = 60 * NS_PER_S


@dataclass(frozen=True)
class Settings:
    """How far a meter's clock and a gateway's may be apart."""

    ts_tolerance_s: float = number(300.0, low=1.0, high=86_400.0)


class Limits(NamedTuple):
    tolerance_ns: int


class State(NamedTuple):
    """The latest minute shown."""

    highest: int = NONE


def limits_of(settings: Settings) -> Limits:
    return Limits(ns(settings.ts_tolerance_s))


def verdict(sight: Sight, meter: Meter, past: State, ring: Any, limits: Limits) -> int:
    if sight.shown_ns == NONE:
        learned = meter.sends_time == UNKNOWN and past.highest != NONE
        return _MISSING if meter.sends_time == 1 or learned else PASSED
    # The meter shows whole minutes: it may be up to a minute older than it looks.
    off_ns = sight.received_ns - sight.shown_ns
    if not (-limits.tolerance_ns <= off_ns and off_ns < limits.tolerance_ns + NS_PER_MIN):
        return _OFF
    if meter.interval_ns < LEAST_INTERVAL_NS:
        return PASSED
    seen = look(past.highest, ring, meter.row, WINDOW_MIN, sight.shown_ns // NS_PER_MIN)
    if seen == NEW:
        return PASSED
    return _REPLAYED if seen == SEEN else LATE


def took(sight: Sight, meter: Meter, past: State, ring: Any, limits: Limits) -> State:
    if sight.shown_ns == NONE:
        return past
    return State(mark(past.highest, ring, meter.row, WINDOW_MIN, sight.shown_ns // NS_PER_MIN))


def detail(why: int, sight: Sight, meter: Meter, past: State, limits: Limits, names: Names) -> str:
    if why == _MISSING:
        return "this meter sends its time, this telegram does not show it"
    if why == _OFF:
        off_s = (sight.received_ns - sight.shown_ns) / NS_PER_S
        return f"{off_s:.0f} s between the meter's time and {names.gateway}'s"
    if why == _REPLAYED:
        return "another telegram of this meter showed this minute"
    return f"more than {WINDOW_MIN} minutes behind the newest; cannot tell whether it was seen"


CHECK = Check(
    "ts", 40, {TIME_OFF: STALE, REPLAYED_TIME: STALE, NO_TIME: FORGED}, verdict, took, detail, State, WINDOW_MIN,
    side_by_side=True, limits=limits_of, settings=Settings, portal_only=True,
)  # fmt: skip
