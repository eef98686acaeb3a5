"""The telegram is not old by the portal's own clock: stops hold-back (L10, G02).

With a time in the payload its age is the difference, less the clock error that `ts` allows. Without one, the counter
under the MAC is the clock (docs/models/portal.md): an arrival earlier than the anchor promises becomes the new anchor,
so the anchor is the least delayed telegram so far and a delay constant from the first telegram on cannot be seen. A
meter that sends only at some hours has no such clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sim.core.clock import NS_PER_S, ns
from sim.core.settings import number
from sim.portal.check import LATE, NONE, PASSED, STALE, Check, Meter, Names, Sight
from sim.portal.checks import ts

TIME_AHEAD: Final = "time ahead"  # payload time lies in the portal's future
_AHEAD: Final = 2
WANDER_2048THS: Final = 4_160
"""EN 13757-4: the individual interval makes a telegram up to 2080/2048 nominal intervals early or late within a cycle
of 256, so two of them are up to 4160/2048 farther apart than their numbers say."""
DRIFT_PPM: Final = 100
"""How wrong a meter's interval may be before its counter no longer tells the time."""
FARTHEST_NS: Final = 1 << 61


@dataclass(frozen=True)
class Settings(ts.Settings):
    """How long a telegram may be under way."""

    age_max_s: float = number(1_800.0, low=1.0, high=31_536_000.0)


class Limits(NamedTuple):
    age_max_ns: int
    tolerance_ns: int


class State(NamedTuple):
    """The anchor: its counter, and when the portal took it."""

    counter: int = NONE
    taken_ns: int = 0


def limits_of(settings: Settings) -> Limits:
    return Limits(ns(settings.age_max_s), ns(settings.ts_tolerance_s))


def by_counter(sight: Sight, meter: Meter) -> bool:
    """Does the counter tell this telegram's age?"""
    return sight.counter != NONE and sight.shown_ns == NONE and meter.silent_ns == 0


def counted_ns(sight: Sight, meter: Meter, past: State) -> int:
    """Age by the counter, against the anchor; cut off where it is farther than any limit."""
    ahead = sight.counter - past.counter
    if abs(ahead) > FARTHEST_NS // meter.interval_ns:
        return -FARTHEST_NS if ahead > 0 else FARTHEST_NS
    return (sight.now_ns - past.taken_ns) - ahead * meter.interval_ns


def drift_ns(passed_ns: int) -> int:
    """DRIFT_PPM of a time, in parts that fit 64 bits."""
    return passed_ns // 1_000_000 * DRIFT_PPM + passed_ns % 1_000_000 * DRIFT_PPM // 1_000_000


def verdict(sight: Sight, meter: Meter, past: State, ring: Any, limits: Limits) -> int:
    if sight.shown_ns != NONE:
        age_ns = sight.now_ns - sight.shown_ns
        if age_ns < -limits.tolerance_ns:
            return _AHEAD
        limit_ns = limits.age_max_ns + limits.tolerance_ns
    elif past.counter != NONE and by_counter(sight, meter):
        age_ns = counted_ns(sight, meter, past)
        wander_ns = meter.interval_ns * WANDER_2048THS // 2_048
        limit_ns = limits.age_max_ns + wander_ns + drift_ns(sight.now_ns - past.taken_ns)
    else:
        return PASSED
    return PASSED if age_ns <= limit_ns else LATE


def took(sight: Sight, meter: Meter, past: State, ring: Any, limits: Limits) -> State:
    if not by_counter(sight, meter):
        return past
    if past.counter != NONE and counted_ns(sight, meter, past) >= 0:
        return past
    return State(sight.counter, sight.now_ns)


def detail(why: int, sight: Sight, meter: Meter, past: State, limits: Limits, names: Names) -> str:
    if sight.shown_ns != NONE:
        age_s = (sight.now_ns - sight.shown_ns) / NS_PER_S
    else:
        age_s = counted_ns(sight, meter, past) / NS_PER_S
    return f"{-age_s:.0f} s ahead of the portal" if why == _AHEAD else f"{age_s:.0f} s old"


CHECK = Check(
    "age", 50, {TIME_AHEAD: STALE}, verdict, took, detail, State, limits=limits_of, settings=Settings,
    portal_only=True,
    takes_late=False,  # a late telegram is no measure of age
)
