"""Its counter under a MAC goes on as fast as time does: stops a twin that has the meter's key (M02).

Each telegram moves the counter by one, so counters are due at times: the next one an interval after the last. One that
comes before it is due has jumped. A few are allowed for (installation, clocks, the individual interval), and what is
used up of these comes back only with time (the generic cell rate algorithm of ITU-T I.371), so small jumps do not add
up. A counter that fell behind its time (telegrams held back, a meter that pauses) may catch up half a day. What lies in
the past of `mcr`'s window and was yet heard after the newest is no delayed telegram: the counter fell, or another
device has moved on in the meter's name.

Without this check a twin with the key, a million ahead, makes every genuine telegram late for ever, and no
alarm is raised.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sim.core.clock import NS_PER_HOUR, NS_PER_S
from sim.portal.check import NONE, PASSED, STALE, Check, Meter, Names, Sight
from sim.portal.checks import mcr, ts

COUNTER_JUMP: Final = "counter jump"
COUNTER_FELL: Final = "counter fell"
_JUMP, _FELL = 2, 3
SPARE: Final = 16
"""Counters ahead of time: an installer's telegrams, a cycle's worth of early ones."""
LAG_NS: Final = 12 * NS_PER_HOUR
"""How far a counter may have fallen behind and still be where it is due."""
FAST_SHIFT: Final = 10
"""A meter may be faster than agreed by one part in 1024."""
FARTHEST_NS: Final = 1 << 61


class State(NamedTuple):
    """The highest counter, when it was due, and when a gateway heard it."""

    counter: int = NONE
    due_ns: int = 0
    heard_ns: int = 0


def heard_at(sight: Sight) -> int:
    """By the gateway's clock, which does not lie in the portal's future."""
    return min(sight.received_ns, sight.now_ns)


def falls_due(sight: Sight, meter: Meter, past: State) -> int:
    """When this counter is due, ahead of the highest; far away where it is farther than any limit."""
    ahead = sight.counter - past.counter
    if ahead > FARTHEST_NS // meter.interval_ns:
        return FARTHEST_NS
    gone_ns = ahead * meter.interval_ns
    return past.due_ns + gone_ns - (gone_ns >> FAST_SHIFT)


def ahead_of_time(meter: Meter, limits: ts.Limits) -> int:
    """Two gateways' clocks may each be wrong by the tolerance."""
    return SPARE * meter.interval_ns + 2 * limits.tolerance_ns


def verdict(sight: Sight, meter: Meter, past: State, ring: Any, limits: ts.Limits) -> int:
    if sight.counter == NONE or past.counter == NONE:
        return PASSED
    if sight.counter > past.counter:
        return PASSED if falls_due(sight, meter, past) - heard_at(sight) <= ahead_of_time(meter, limits) else _JUMP
    later_ns = heard_at(sight) - past.heard_ns
    if past.counter - sight.counter >= mcr.WINDOW and later_ns > 2 * limits.tolerance_ns:
        return _FELL
    return PASSED


def took(sight: Sight, meter: Meter, past: State, ring: Any, limits: ts.Limits) -> State:
    if sight.counter == NONE or (past.counter != NONE and sight.counter <= past.counter):
        return past
    at_ns = heard_at(sight)
    if past.counter == NONE:
        return State(sight.counter, at_ns, at_ns)
    return State(sight.counter, max(at_ns - LAG_NS, falls_due(sight, meter, past)), at_ns)


def detail(why: int, sight: Sight, meter: Meter, past: State, limits: ts.Limits, names: Names) -> str:
    passed_s = (heard_at(sight) - past.heard_ns) / NS_PER_S
    return f"from {past.counter} to {sight.counter} in {passed_s:.0f} s"


CHECK = Check(
    "jump", 18, {COUNTER_JUMP: STALE, COUNTER_FELL: STALE}, verdict, took, detail, State,
    limits=ts.limits_of, settings=ts.Settings, takes_late=False,  # what was late says nothing of now
    portal_only=True,
)  # fmt: skip
