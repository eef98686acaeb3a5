"""When a gateway that sleeps listens: found by feeding it through a period, and waited for before each telegram.

Its claim says how long a window is and how often it opens; when, only what comes back can tell. What is fed while it
sleeps is lost by right, so the rows of the contract suite feed in its windows, and take as long as that takes.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from bench.desk.rows.port import Undecided
from sim.core.clock import NS_PER_S, wall_ns
from sim.core.vocabulary import Link
from sim.desk.inventory import Claims

if TYPE_CHECKING:
    from bench.desk.fed import Fed
    from bench.desk.stand import Stand

_STEPS: Final = 100
"""Telegrams a period while its windows are looked for."""
_END: Final = 0.85
"""Of a window: later nothing is fed, since it closes while a telegram is under way."""


_BEGUN: Final = 0.15
"""Of a window: where many follow each other, they begin by then."""


class Windows:
    """`opened_ns`: when a window opened, in wall nanoseconds; None until that was seen, and of a gateway that listens
    always. `heard_s`: for how long of it something came, at most what is claimed; no longer is it fed. That it listens
    for less than it claims is for one row to say, and not for all that need it awake."""

    def __init__(self, claims: Claims) -> None:
        self._sleeps, self._awake_s, self._period_s = claims.sleeps, claims.awake_s, claims.period_s
        self.opened_ns: int | None = None
        self.heard_s = claims.awake_s

    def wait(self, stand: Stand, *, begin: bool = False) -> None:
        """Until it listens, as far as that is known; `begin`: until it has just begun to. Raises Stopped."""
        if self._sleeps and self.opened_ns is not None:
            into_s = (wall_ns() - self.opened_ns) / NS_PER_S % self._period_s
            if into_s > (_BEGUN if begin else _END) * self.heard_s:
                stand.turn(self._period_s - into_s + self._step_s)

    def find(self, stand: Stand, mode: Link | None) -> list[Fed]:
        """Feed through a period and a window; those that came. Raises Undecided."""
        self.opened_ns = None
        fed: list[Fed] = []
        end_ns = wall_ns() + round((self._period_s + 1.5 * self._awake_s) * NS_PER_S)
        while wall_ns() < end_ns:
            fed.append(stand.feed(stand.traffic.next(), mode=mode, awake=False))
            stand.turn(self._step_s)
        stand.quiet()
        for at, (before, one) in enumerate(itertools.pairwise(fed), start=1):
            if one.came and not before.came:
                self.opened_ns = one.at_ns
                closed = next((other for other in fed[at:] if not other.came), None)
                heard_s = (closed.at_ns - one.at_ns) / NS_PER_S if closed is not None else self._awake_s
                self.heard_s = min(self._awake_s, heard_s)
                return [one for one in fed if one.came]
        came = sum(bool(one.came) for one in fed)
        raise Undecided(
            f"{stand.entry.name} opened no window within its period of {self._period_s:g} s ({came} of {len(fed)} "
            f"telegrams came): {stand.why_silent()}"
        )

    @property
    def _step_s(self) -> float:
        return min(self._period_s / _STEPS, self._awake_s / 10)
