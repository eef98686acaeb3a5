"""What leaves a smart meter gateway beside the periods of its radio meters: values of meters with sessions, on a wired
bus and by radio, values on demand, and values about the grid. What was taken to be sealed is offered again the next
time, unless `left` has confirmed that it was sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sim.smart_metering.grid_values import GridValues
from sim.smart_metering.lmn.radio_side import RadioSide
from sim.smart_metering.lmn.rows_side import RowsSide
from sim.smart_metering.lmn.wired_side import WiredSide
from sim.smart_metering.snapshots import Snapshots
from sim.smart_metering.tariffing import Register
from sim.smgw.delivered_content import Value

if TYPE_CHECKING:
    from sim.smart_metering.gateway_setup import Contract, GatewaySetup


class OtherValues(NamedTuple):
    """Of one gateway. `wired`: its wired bus, `radio`: its radio meters of security profile C, where it has any;
    `grid`: what wired meters say of the grid, where somebody has a contract about that."""

    snapshots: Snapshots
    wired: WiredSide | None
    radio: RadioSide | None = None
    grid: GridValues | None = None

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
        """Record the clock error that the time service reported."""
        if self.radio is not None:
            self.radio.note_clock(off_s)

    def meet(self, clock_ns: int) -> None:
        """Go round the wired bus, where there is one and this is due by the gateway's clock."""
        if self.wired is not None:
            self.wired.meet(clock_ns)

    def values(
        self, number: int, contract: Contract, setup: GatewaySetup, own: Iterable[Register], now_s: int
    ) -> list[Value]:  # fmt: skip
        """Under the contract of this number. `own`: registers of radio meters."""
        if contract.grid is not None:
            if self.grid is None:
                return []
            return list(self.grid.values(number, contract.taf, contract.grid, contract.ends_s, now_s))
        registers = [*own, *(register for one in self.sides for register in one.registers)]
        asked = list(self.snapshots.values(contract.receiver, registers, setup.calendar, now_s))
        return asked + [v for one in self.sides for v in one.values(number, contract.taf, contract.ends_s, now_s)]

    def left(self, number: int, receiver: str) -> None:
        """What `values` gave last under this contract is sealed, and waits for its receiver. What another contract's
        values were, which could not be sealed, is still due."""
        self.snapshots.left(receiver)
        for one in self.sides:
            one.left(number)
        if self.grid is not None:
            self.grid.left(number)
