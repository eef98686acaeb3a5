"""What a smart meter gateway has of meters whose rows it keeps in a store of its own, and what leaves of them: the two
registers that contracts are about, drawn from the grid and fed in, in kilowatt hours.

A period of a meter that keeps its own rows waits until the gateway has them (`waits`). One of a meter that does not
leaves when it is over, with the gaps that there are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

from sim.core.clock import NS_PER_S, Calendar, ns
from sim.smart_metering.lmn.wired_store import StoredRow, WiredStore
from sim.smart_metering.said_registers import Said
from sim.smart_metering.tariffing import Register, values_of
from sim.smgw.delivered_content import Value
from sim.smgw.obis_codes import Obis
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import CAPTURE_S
from sim.smgw.status_words import Gateway

_KWH_OF_WH: Final = 3
_ROWS_AT_ONCE: Final = 4_096


class RowsSide:
    """One gateway's. `flag_clock`: values of a wrong clock are marked. `interval_s`: a value stands for so much time,
    twice (0: for its own instant and no other)."""

    def __init__(self, calendar: Calendar, *, flag_clock: bool, interval_s: float, waits: bool) -> None:
        self._calendar, self._flag, self._interval_s, self._waits = calendar, flag_clock, interval_s, waits
        self._epoch_s = int(calendar.start.timestamp())
        self._due_from_s: dict[tuple[int, str], int] = {}
        self._leaving: dict[tuple[int, str], int] = {}
        self._store: WiredStore | None = None

    def is_billed(self, obis: Obis) -> bool:
        """Contracts are about it."""
        raise NotImplementedError

    @property
    def meters(self) -> list[str]:
        """Names of those that were paired."""
        raise NotImplementedError

    @property
    def path(self) -> Path:
        """Of its rows, whether it has power or not."""
        raise NotImplementedError

    @property
    def store(self) -> WiredStore:
        """What it keeps, as long as it has power."""
        assert self._store is not None, "a gateway without power has no store"
        return self._store

    def _begin(self, store: WiredStore) -> None:
        self._store = store
        self._registers: dict[str, Register] = {}
        self._seen = 0
        self._read_back()

    def close(self) -> None:
        """Idempotent."""
        if self._store is not None:
            self._store.close()
            self._store = None

    @property
    def registers(self) -> list[Register]:
        """All that it has, as long as it has power."""
        return [one for _, one in sorted(self._registers.items())]

    def _read_back(self) -> None:
        for place, row in self.billed_behind(self._seen):
            self._seen = place
            self._keep(row)

    def _keep(self, row: StoredRow) -> None:
        self.keep_in(self._registers, row)

    def billed_behind(self, place: int) -> Iterator[tuple[int, StoredRow]]:
        """(place, row) of what contracts are about, behind a place in the store."""
        while found := self.store.after(place, _ROWS_AT_ONCE):
            place = found[-1][0]
            yield from (one for one in found if self.is_billed(one[1].entry.obis))

    def keep_in(self, registers: dict[str, Register], row: StoredRow) -> None:
        """Put a row into its register, by meter and code."""
        name = f"{row.meter} {row.entry.obis}"
        register = registers.setdefault(name, Register(row.meter, row.entry.obis, self._interval_s))
        kwh = Decimal(row.entry.value).scaleb(row.entry.scaler - _KWH_OF_WH)
        word = row.word if self._flag else row.word & ~Gateway.TIME_INVALID
        register.take(ns(row.at_s - self._epoch_s), Said(row.entry.obis, kwh, ""), 0.0, word=word)

    # --- what leaves ----------------------------------------------------------------------------------------------

    def values(self, number: int, taf: int, ends_s: Callable[[int, int], list[int]], now_s: int) -> Iterator[Value]:
        """Of periods that ended, under the contract of this number. `ends_s`: see smart_gateway.Contract."""
        for name, register in sorted(self._registers.items()):
            until_s = now_s
            if self._waits:
                until_s = min(now_s, self._epoch_s + register.got[-1].received_ns // NS_PER_S)
            start_s = self._due_from_s.setdefault((number, name), self._epoch_s)
            for end_s in ends_s(start_s, until_s):
                self._leaving[number, name] = end_s
                with contextlib.suppress(RuleError):  # no two values that may be billed: there is nothing to say
                    yield from values_of(register, self._calendar, taf, start_s, end_s, CAPTURE_S, flag=self._flag)
                start_s = end_s

    def left(self, number: int) -> None:
        """What `values` gave last under this contract is on its way."""
        for key in [key for key in self._leaving if key[0] == number]:
            self._due_from_s[key] = self._leaving.pop(key)
        for name, register in self._registers.items():
            due_s = [at_s for (_, own), at_s in self._due_from_s.items() if own == name]
            if due_s:
                register.forget_before(ns(min(due_s) - self._epoch_s))
