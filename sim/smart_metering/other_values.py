"""What leaves a smart meter gateway beside the periods of its radio meters: values of wired meters, and values on
demand. What was taken to be sealed is taken again the next time, unless `left` says that it is on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from sim.core.clock import Calendar
from sim.smart_metering.lmn.wired_side import WiredSide
from sim.smart_metering.snapshots import Snapshots
from sim.smart_metering.tariffing import Register
from sim.smgw.delivered_content import Value


class OtherValues(NamedTuple):
    """Of one gateway. `wired`: its wired bus, where it has one."""

    snapshots: Snapshots
    wired: WiredSide | None

    def open(self) -> None:
        """It has power."""
        if self.wired is not None:
            self.wired.open()

    def close(self) -> None:
        """Idempotent."""
        if self.wired is not None:
            self.wired.close()

    def meet(self, clock_ns: int) -> None:
        """Go round the wired bus, where there is one and this is due by the gateway's clock."""
        if self.wired is not None:
            self.wired.meet(clock_ns)

    def values(
        self, number: int, receiver: str, taf: int, ends_s: Callable[[int, int], list[int]],
        registers: Iterable[Register], calendar: Calendar, now_s: int,
    ) -> list[Value]:  # fmt: skip
        """For the receiver of the contract of this number. `registers`: of radio meters."""
        own = [] if self.wired is None else self.wired.registers
        asked = list(self.snapshots.values(receiver, [*registers, *own], calendar, now_s))
        return asked if self.wired is None else asked + list(self.wired.values(number, taf, ends_s, now_s))

    def left(self) -> None:
        """What `values` gave last is sealed, and waits for its receiver."""
        self.snapshots.left()
        if self.wired is not None:
            self.wired.left()
