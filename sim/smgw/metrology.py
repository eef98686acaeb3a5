"""Values as they are captured: the instant they stand for, whether they are plausible, their status.

`Series` is what one meter gave of one quantity. `Capture` is the gateway's side of it: it judges each value as it
comes and never changes one; what it doubts has a status that no register bills.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from sim.core.quoting import named
from sim.smgw.german_time import text
from sim.smgw.obis_codes import Obis
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import CAPTURE_S
from sim.smgw.status_words import BILLED_UP_TO, Gateway, ptb

CAPTURE_TOLERANCE: Final = 100
"""A value captured within a hundredth of the period beside an instant stands for it (PTB-A 50.8: 9 s at 900 s)."""
CLOCK_TOLERANCE: Final = 3, 100
"""Of the shortest measuring period; beyond it the clock is invalid. Ours: the source is recalled, not read."""
MOST_W: Final = Decimal(69_000)
"""Ours: what a house connection of 3 x 100 A at 230 V can carry."""


def raster_s(period_s: int) -> int:
    """Instants are whole multiples of it; longer periods begin anywhere on the one of 900 s."""
    return min(period_s, CAPTURE_S)


def target_s(at_s: int, period_s: int) -> int:
    """The instant that a value captured at `at_s` stands for; `at_s` itself where it is beside all of them."""
    grid_s = raster_s(period_s)
    nearest = (at_s + grid_s // 2) // grid_s * grid_s
    return nearest if abs(at_s - nearest) * CAPTURE_TOLERANCE <= grid_s else at_s


@dataclass(frozen=True, slots=True)
class Reading:
    """One value: when captured, what instant it stands for, the value as the meter gave it, its PTB status; and whether
    that instant is one of the raster, since no sum is made of others."""

    at_s: int
    target_s: int
    value: Decimal
    ptb: int
    on_raster: bool = True

    @property
    def billed(self) -> bool:
        """It may be billed."""
        return self.ptb <= BILLED_UP_TO


@dataclass(frozen=True, slots=True)
class Series:
    """What one meter gave of one quantity, in order of time; one reading an instant. Values times 10**scaler."""

    meter: str
    obis: Obis
    scaler: int
    readings: tuple[Reading, ...]

    def within(self, start_s: int, end_s: int) -> list[Reading]:
        """Those that may be billed, of a period with both its ends."""
        return [one for one in self.readings if start_s <= one.target_s <= end_s and one.billed]

    def summed(self, start_s: int, end_s: int) -> list[Reading]:
        """Of those, what sums are made of: the readings on the raster."""
        return [one for one in self.within(start_s, end_s) if one.on_raster]


def in_order(meter: str, obis: Obis, scaler: int, readings: Iterable[Reading]) -> Series:
    """One reading an instant: that which may be billed before that which may not, then the nearest. Two readings of one
    capture time that differ are refused, as are valid ones that run backwards. Raises RuleError."""
    best: dict[int, Reading] = {}
    seen: dict[int, Reading] = {}
    for one in readings:
        if (same := seen.setdefault(one.at_s, one)) != one and same.billed and one.billed:
            raise RuleError("readings", f"meter {named(meter)} has two values of {obis} at {text(one.at_s)}")
        other = best.get(one.target_s)
        if other is None or _rank(one) < _rank(other):
            best[one.target_s] = one
    return Series(meter, obis, scaler, tuple(best[at_s] for at_s in sorted(best)))


def _rank(one: Reading) -> tuple[bool, int, int]:
    return not one.billed, abs(one.at_s - one.target_s), one.at_s


@dataclass
class Capture:
    """Takes the values of one meter's quantity as they come. `unit_w_s`: what one unit of the value is, in watt seconds
    (a tenth of a watt hour is 360); None: not energy, and no limit of power."""

    obis: Obis
    period_s: int = CAPTURE_S
    unit_w_s: Decimal | None = None
    most_w: Decimal = MOST_W
    _last: Reading | None = field(default=None, init=False)

    def take(
        self, at_s: int, value: Decimal, *, gateway: int = int(Gateway.MARK), meter: int = 0, clock_off_s: int = 0
    ) -> tuple[Reading, int]:
        """The reading, and the gateway's word with what was found: time invalid, or a value that cannot be."""
        part, whole = CLOCK_TOLERANCE
        if abs(clock_off_s) * whole > part * self.period_s:
            gateway |= Gateway.TIME_INVALID
        if self._last is not None and not self._plausible(self._last, at_s, value):
            gateway |= Gateway.INVALID
        target = target_s(at_s, self.period_s)
        reading = Reading(at_s, target, value, ptb(gateway, meter), target % raster_s(self.period_s) == 0)
        if reading.billed:
            self._last = reading
        return reading, gateway

    def _plausible(self, last: Reading, at_s: int, value: Decimal) -> bool:
        if at_s <= last.at_s:
            return False
        if not self.obis.is_register:
            return True
        grown = value - last.value
        return grown >= 0 and (self.unit_w_s is None or grown * self.unit_w_s <= self.most_w * (at_s - last.at_s))
