"""Values on demand (TAF 6): a receiver asks, through the administrator, for what registers show at an instant.

One is for a day of moving out. Asked again and again they are a load profile, so a gateway takes so many in a month as
one rule set may name due dates, and refuses what comes above; each that it takes or refuses is told. Without `limited`
it takes all of them, which is the weakness.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from sim.core.clock import Calendar
from sim.smart_metering.tariffing import Register, values_of
from sim.smgw.delivered_content import Value
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import CAPTURE_S, DUE_MOST

TAF: Final = 6
MONTH_S: Final = 31 * 86_400

Tell = Callable[[int, str, int, bool], None]
"""(world time, receiver, due, it was taken)."""


class Snapshots:
    """Of one gateway."""

    def __init__(self, tell: Tell, *, limited: bool) -> None:
        self._tell, self._limited = tell, limited
        self._open: list[tuple[str, int]] = []
        self._taken: list[tuple[str, int]] = []
        self._leaving: list[tuple[str, int]] = []

    def ask(self, receiver: str, due_s: int, now_ns: int) -> bool:
        """A rule set of the administrator's with this one due date. False: it is refused."""
        within = [at_s for who, at_s in self._taken if who == receiver and abs(at_s - due_s) < MONTH_S]
        taken = not (self._limited and len(within) >= DUE_MOST)
        self._tell(now_ns, receiver, due_s, taken)
        if taken:
            self._taken.append((receiver, due_s))
            self._open.append((receiver, due_s))
        return taken

    def values(self, receiver: str, registers: Iterable[Register], calendar: Calendar, now_s: int) -> Iterator[Value]:
        """What is to leave now for this receiver."""
        due = [one for one in self._open if one[0] == receiver and one[1] <= now_s]
        self._leaving = [one for one in self._leaving if one[0] != receiver] + due
        every = list(registers)
        for _, due_s in sorted(due):
            for register in every:
                with contextlib.suppress(RuleError):  # nothing that may be billed stands for that instant
                    yield from values_of(register, calendar, TAF, due_s, due_s + CAPTURE_S, CAPTURE_S)

    def left(self, receiver: str) -> None:
        """What `values` gave last for this receiver is on its way."""
        gone = [one for one in self._leaving if one[0] == receiver]
        self._open = [one for one in self._open if one not in gone]
        self._leaving = [one for one in self._leaving if one not in gone]
