"""Wired meters inside a smart meter gateway: when it meets them, and what it has of them.

A gateway meets its bus at each quarter hour of its own clock, and as soon as it has power. A period leaves when the
gateway has a value at or behind its end: a meter that is cut off keeps its rows, so its periods wait for it and are
then whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sim.core.clock import NS_PER_S, Calendar, ns
from sim.smart_metering.lmn.rows_side import RowsSide
from sim.smart_metering.lmn.wired_bus import WiredBus
from sim.smart_metering.lmn.wired_meter import DRAWN, FED_IN
from sim.smart_metering.lmn.wired_plan import Plan
from sim.smgw.obis_codes import Obis
from sim.smgw.rule_set import CAPTURE_S

_BILLED: Final = (DRAWN, FED_IN)
_EXACT_S: Final = 0.0
"""A wired meter's value stands for its own instant and no other."""


class WiredSide(RowsSide):
    """One gateway's. `flag_clock`: values of a meter whose clock differs from the gateway's are marked."""

    def __init__(self, plan: Plan, calendar: Calendar, *, flag_clock: bool) -> None:
        super().__init__(calendar, flag_clock=flag_clock, interval_s=_EXACT_S, waits=True)
        self.plan = plan
        self._bus: WiredBus | None = None

    def is_billed(self, obis: Obis) -> bool:
        return obis in _BILLED

    @property
    def meters(self) -> list[str]:
        return [one.name for one in self.plan.paired]

    @property
    def path(self) -> Path:
        return self.plan.path

    @property
    def bus(self) -> WiredBus:
        """The gateway's side of the bus, as long as it has power."""
        assert self._bus is not None, "a gateway without power has no bus"
        return self._bus

    def open(self) -> None:
        self._bus, store = self.plan.open()
        self._met: int | None = None
        self._begin(store)

    def close(self) -> None:
        super().close()
        self._bus = None

    # --- meeting --------------------------------------------------------------------------------------------------

    def until_next_ns(self, clock_ns: int) -> int:
        """World time from now to the next quarter hour, by a clock that shows this."""
        quarter_ns = ns(CAPTURE_S)
        return quarter_ns - (ns(self._epoch_s) + clock_ns) % quarter_ns

    def meet(self, clock_ns: int) -> None:
        """Go round the bus, once a quarter hour of the gateway's clock."""
        quarter = (ns(self._epoch_s) + clock_ns) // ns(CAPTURE_S)
        if self._bus is None or quarter == self._met:
            return
        self._met = quarter
        self._bus.contact(self._epoch_s + clock_ns // NS_PER_S)
        self._read_back()
