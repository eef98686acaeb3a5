"""What leaves a smart meter gateway beside the periods of its radio meters: values of meters with sessions, on a wired
bus and by radio, and values on demand. What was taken to be sealed is taken again the next time, unless `left` says
that it is on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from sim.core.clock import Calendar
from sim.smart_metering.lmn.radio_side import RadioSide
from sim.smart_metering.lmn.rows_side import RowsSide
from sim.smart_metering.lmn.wired_side import WiredSide
from sim.smart_metering.snapshots import Snapshots
from sim.smart_metering.tariffing import Register
from sim.smgw.delivered_content import Value


class OtherValues(NamedTuple):
    """Of one gateway. `wired`: its wired bus, `radio`: its radio meters of security profile C, where it has any."""

    snapshots: Snapshots
    wired: WiredSide | None
    radio: RadioSide | None = None

    @property
    def sides(self) -> Sequence[RowsSide]:
        """Those of both that it has, the wired bus first."""
        return [one for one in (self.wired, self.radio) if one is not None]

    def open(self) -> None:
        """It has power."""
        for one in (self.wired, self.radio):
            if one is not None:
                one.open()

    def close(self) -> None:
        """Idempotent."""
        for one in self.sides:
            one.close()

    def note_clock(self, off_s: float) -> None:
        """The gateway was told by how much its clock is off."""
        if self.radio is not None:
            self.radio.note_clock(off_s)

    def meet(self, clock_ns: int) -> None:
        """Go round the wired bus, where there is one and this is due by the gateway's clock."""
        if self.wired is not None:
            self.wired.meet(clock_ns)

    def values(
        self, number: int, receiver: str, taf: int, ends_s: Callable[[int, int], list[int]],
        registers: Iterable[Register], calendar: Calendar, now_s: int,
    ) -> list[Value]:  # fmt: skip
        """For the receiver of the contract of this number. `registers`: of radio meters."""
        own = [register for one in self.sides for register in one.registers]
        asked = list(self.snapshots.values(receiver, [*registers, *own], calendar, now_s))
        return asked + [value for one in self.sides for value in one.values(number, taf, ends_s, now_s)]

    def left(self) -> None:
        """What `values` gave last is sealed, and waits for its receiver."""
        self.snapshots.left()
        for one in self.sides:
            one.left()
