"""What a bill at the set date must say, meter by meter, held against what the system under test would bill.

A meter repeats its set date and the units at it in each telegram. What its latest telegram that became a reading said
of them is known from the fleet; the system must bill exactly that, whatever else it stored or refused meanwhile.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np

from sim.portal.check import NONE
from sim.truth.differs import Yardstick
from sim.truth.ground_truth import Truth

_EPOCH: Final = date(1970, 1, 1)


class WrongBill(NamedTuple):
    """`billed` None: nothing can be billed."""

    meter: str
    set_date: date
    units: int
    billed: int | None

    def __str__(self) -> str:
        return f"{self.meter} at {self.set_date}: {self.units} units, billed {self.billed}"


def wrong_bills(truth: Truth) -> list[WrongBill]:
    """Of every meter whose latest reading tells a set date. Raises StoreError."""
    world, last = truth.world, truth.last_read()
    if not last:
        return []
    meters, ks = (np.array(list(one), dtype=np.int64) for one in (last.keys(), last.values()))
    day, units = Yardstick(world.fleet).at_set_date(meters, ks)
    wrong = []
    for at in np.flatnonzero((day != NONE) & (units != NONE)).tolist():
        meter, set_date = str(world.fleet.address(int(meters[at]))), _EPOCH + timedelta(days=int(day[at]))
        billed = world.stored.billed_units(meter, set_date)
        if billed != int(units[at]):
            wrong.append(WrongBill(meter, set_date, int(units[at]), billed))
    return wrong


__all__ = ["WrongBill", "wrong_bills"]
