"""Thinning: of each meter the first telegram of a period goes on, the others are dropped. A gateway and the referee
have one each, so that what is missing is told from what was dropped by the rule.

Periods begin at multiples of their length in world time. A sender is told by the address in the link layer, which is
not encrypted; a gateway needs no key for it and no knowledge of what else is in a telegram.
"""

from __future__ import annotations

from typing import Final

_ADDRESS: Final = slice(2, 10)  # manufacturer, number, version, type


class Thinning:
    """`period_ns`: of each sender one telegram in it. Remembers the senders of one period, and no other."""

    def __init__(self, period_ns: int) -> None:
        self.period_ns = period_ns
        self._period = -1
        self._seen: set[bytes] = set()

    def again(self) -> Thinning:
        """One that has seen nothing yet."""
        return Thinning(self.period_ns)

    def takes(self, telegram: bytes, received_ns: int) -> bool:
        """Whether this telegram goes on. Ask in the order of time."""
        period, sender = received_ns // self.period_ns, telegram[_ADDRESS]
        if period != self._period:
            self._period, self._seen = period, set()
        if sender in self._seen:
            return False
        self._seen.add(sender)
        return True
