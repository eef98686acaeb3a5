"""Wired meters inside a smart meter gateway: when it meets them, what it has of them, and what leaves of that.

A gateway meets its bus at each quarter hour of its own clock, and as soon as it has power. What leaves is the two
registers that contracts are about, drawn from the grid and fed in, in kilowatt hours. A period leaves when the gateway
has a value at or behind its end: a meter that is cut off keeps its rows, so its periods wait for it and are then whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from sim.core.clock import NS_PER_S, Calendar, ns
from sim.smart_metering.lmn.wired_bus import WiredBus
from sim.smart_metering.lmn.wired_meter import DRAWN, FED_IN
from sim.smart_metering.lmn.wired_plan import Plan
from sim.smart_metering.lmn.wired_store import StoredRow, WiredStore
from sim.smart_metering.said_registers import Said
from sim.smart_metering.tariffing import Register, values_of
from sim.smgw.delivered_content import Value
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import CAPTURE_S
from sim.smgw.status_words import Gateway

_BILLED: Final = (DRAWN, FED_IN)
_KWH_OF_WH: Final = 3
_ROWS_AT_ONCE: Final = 4_096
_EXACT_S: Final = 0.0
"""A wired meter's value stands for its own instant and no other."""


class WiredSide:
    """One gateway's. `flag_clock`: values of a meter whose clock differs from the gateway's are marked."""

    def __init__(self, plan: Plan, calendar: Calendar, *, flag_clock: bool) -> None:
        self.plan, self._calendar, self._flag = plan, calendar, flag_clock
        self._epoch_s = int(calendar.start.timestamp())
        self._due_from_s: dict[tuple[int, str], int] = {}
        self._leaving: dict[tuple[int, str], int] = {}
        self._bus: WiredBus | None = None
        self._store: WiredStore | None = None

    @property
    def bus(self) -> WiredBus:
        """The gateway's side of the bus, as long as it has power."""
        assert self._bus is not None, "a gateway without power has no bus"
        return self._bus

    @property
    def store(self) -> WiredStore:
        """What it keeps, as long as it has power."""
        assert self._store is not None, "a gateway without power has no store"
        return self._store

    def open(self) -> None:
        self._bus, self._store = self.plan.open()
        self._registers: dict[str, Register] = {}
        self._seen = 0
        self._met: int | None = None
        self._read_back()

    def close(self) -> None:
        """Idempotent."""
        if self._store is not None:
            self._store.close()
            self._store = self._bus = None

    @property
    def registers(self) -> list[Register]:
        """All that it has, as long as it has power."""
        return [one for _, one in sorted(self._registers.items())]

    # --- meeting --------------------------------------------------------------------------------------------------

    def until_next_ns(self, clock_ns: int) -> int:
        """World time from now to the next quarter hour, by a clock that shows this."""
        quarter_ns = ns(CAPTURE_S)
        return quarter_ns - clock_ns % quarter_ns

    def meet(self, clock_ns: int) -> None:
        """Go round the bus, once a quarter hour of the gateway's clock."""
        quarter = clock_ns // ns(CAPTURE_S)
        if self._bus is None or quarter == self._met:
            return
        self._met = quarter
        self._bus.contact(self._epoch_s + clock_ns // NS_PER_S)
        self._read_back()

    def _read_back(self) -> None:
        while found := self.store.after(self._seen, _ROWS_AT_ONCE):
            self._seen = found[-1][0]
            for _, row in found:
                if row.entry.obis in _BILLED:
                    self._keep(row)

    def _keep(self, row: StoredRow) -> None:
        name = f"{row.meter} {row.entry.obis}"
        register = self._registers.setdefault(name, Register(row.meter, row.entry.obis, _EXACT_S))
        kwh = Decimal(row.entry.value).scaleb(row.entry.scaler - _KWH_OF_WH)
        word = row.word if self._flag else row.word & ~Gateway.TIME_INVALID
        register.take(ns(row.at_s - self._epoch_s), Said(row.entry.obis, kwh, ""), 0.0, word=word)

    # --- what leaves ----------------------------------------------------------------------------------------------

    def values(self, number: int, taf: int, ends_s: Callable[[int, int], list[int]], now_s: int) -> Iterator[Value]:
        """Of periods that ended, under the contract of this number. `ends_s`: see smart_gateway.Contract."""
        for name, register in sorted(self._registers.items()):
            until_s = min(now_s, self._epoch_s + register.got[-1].received_ns // NS_PER_S)
            start_s = self._due_from_s.setdefault((number, name), self._epoch_s)
            for end_s in ends_s(start_s, until_s):
                self._leaving[number, name] = end_s
                with contextlib.suppress(RuleError):  # no two values that may be billed: there is nothing to say
                    yield from values_of(register, self._calendar, taf, start_s, end_s, CAPTURE_S, flag=self._flag)
                start_s = end_s

    def left(self) -> None:
        """What `values` gave last is on its way."""
        self._due_from_s.update(self._leaving)
        self._leaving.clear()
        for name, register in self._registers.items():
            due_s = [at_s for (_, own), at_s in self._due_from_s.items() if own == name]
            if due_s:
                register.forget_before(ns(min(due_s) - self._epoch_s))
