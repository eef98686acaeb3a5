"""It listens in the windows that it claims: of each period, what was on the air for so long comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench.desk.fed import Fed
from bench.desk.rows.port import Failed, Row, Undecided
from bench.desk.stand import Stand
from sim.core.clock import NS_PER_S, wall_s
from sim.desk.inventory import GatewayEntry

_STEPS: Final = 120
"""Telegrams a period."""
_PERIODS: Final = 3
_SHARE: Final = 0.9
"""Of the claimed time; the rest is for the steps of this measurement and the minutes that a clock is off."""


def _needs(entry: GatewayEntry) -> str:
    return "" if entry.claims.sleeps else "it claims to listen always (claims.awake_s, claims.period_s)"


def _play(stand: Stand) -> str:
    claims = stand.claims
    period_s, awake_s = claims.period_s, claims.awake_s
    if _PERIODS * period_s > stand.depth.outage_s:
        raise Undecided(f"{_PERIODS} periods of {period_s:g} s need --outage {_PERIODS * period_s:g}")
    step_s = min(period_s / _STEPS, awake_s / 10)
    fed: list[Fed] = []
    begin_s = wall_s()
    while wall_s() - begin_s < _PERIODS * period_s:
        fed.append(stand.feed(stand.traffic.next(), awake=False))
        stand.turn(step_s)
    stand.await_all(fed)
    stand.refuse_strangers()
    if not any(one.came for one in fed):
        raise Undecided(f"none of {len(fed)} telegrams in {_PERIODS} periods came: {stand.why_silent()}")
    heard = [_heard_s(fed, at, period_s) for at in range(_PERIODS)]
    if min(heard) < _SHARE * awake_s:
        said = ", ".join(f"{one:.3g}" for one in heard)
        raise Failed(f"it heard for {said} s of {_PERIODS} periods of {period_s:g} s (claimed: {awake_s:g} s of each)")
    return f"it heard for {min(heard):.3g} s or more of each of {_PERIODS} periods of {period_s:g} s"


def _heard_s(fed: Sequence[Fed], period: int, period_s: float) -> float:
    """Of this period: each telegram that came stands for the time to the next."""
    first_ns = fed[0].at_ns
    low, high = period * period_s, (period + 1) * period_s
    at = [(one.at_ns - first_ns) / NS_PER_S for one in fed]
    ends = [*at[1:], max(at[-1], _PERIODS * period_s)]
    spans = zip(fed, at, ends, strict=True)
    return sum(max(0.0, min(high, end) - max(low, begin)) for one, begin, end in spans if one.came)


ROW = Row("awake", "It listens in the windows that it claims", _play, _needs, waits=True)
