"""Its gateway does not claim to have heard it in the portal's future: keeps `acc` from lapsing at a gateway's word.

What a gateway says about time is believed as far as the portal's own clock allows, and by as much as clocks may differ.
Harmless: it says that a gateway's clock is wrong, not that the telegram is; the alarm `clock` names the gateway.
"""

from __future__ import annotations

from typing import Any, Final

from sim.core.clock import NS_PER_S
from sim.portal.check import HARMLESS, PASSED, Check, Meter, Names, Nothing, Sight
from sim.portal.checks import ts

RECEIVED_AHEAD: Final = "received ahead"
_AHEAD: Final = 2


def verdict(sight: Sight, meter: Meter, past: Nothing, ring: Any, limits: ts.Limits) -> int:
    return PASSED if sight.received_ns - sight.now_ns <= limits.tolerance_ns else _AHEAD


def took(sight: Sight, meter: Meter, past: Nothing, ring: Any, limits: ts.Limits) -> Nothing:
    return past


def detail(why: int, sight: Sight, meter: Meter, past: Nothing, limits: ts.Limits, names: Names) -> str:
    ahead_s = (sight.received_ns - sight.now_ns) / NS_PER_S
    return f"{names.gateway} says that it heard it {ahead_s:.0f} s from now"


CHECK = Check(
    "ahead", 15, {RECEIVED_AHEAD: HARMLESS}, verdict, took, detail, limits=ts.limits_of, settings=ts.Settings,
    portal_only=True,
)
