"""From readings to values that leave: what a gateway captures at each instant, and its rule sets over a period.

A wireless meter speaks when it wants, and the gateway cannot ask it. So at each instant of the raster the gateway takes
the last value that it got; one older than GOOD_INTERVALS of the meter's intervals is none, and the instant is a gap.
That is this model's rule: the guideline's could not be opened. A heat cost allocator begins anew after its set date,
and counts there like a meter that was exchanged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from sim.core.clock import Calendar, ns
from sim.smart_metering.contract import rule_of
from sim.smart_metering.said_registers import Said
from sim.smgw.delivered_content import Value
from sim.smgw.metrology import CLOCK_TOLERANCE, Reading, Series
from sim.smgw.obis_codes import ERROR_TARIFF, Obis
from sim.smgw.refusals import RuleError
from sim.smgw.status_words import Gateway, ptb
from sim.smgw.use_cases import evaluate

GOOD_INTERVALS: Final = 2


class Got(NamedTuple):
    """A value as it was received, by the gateway's clock; `clock_off_s`: how far that was off, as far as it knew;
    `word`: what the gateway found when it took it."""

    received_ns: int
    value: Decimal
    period: str
    clock_off_s: float
    word: int


@dataclass(slots=True)
class Register:
    """One meter's quantity in the gateway: what was received of it, oldest first."""

    meter: str
    obis: Obis
    interval_s: float
    got: list[Got] = field(default_factory=list)

    def take(self, received_ns: int, said: Said, clock_off_s: float, *, word: int = int(Gateway.MARK)) -> None:
        """In order of time; one that comes out of order is put where it belongs."""
        one = Got(received_ns, said.value, said.period, clock_off_s, word)
        at = bisect_right(self.got, received_ns, key=lambda got: got.received_ns)
        self.got.insert(at, one)

    def last(self, at_ns: int) -> Got | None:
        """The value that stands for an instant."""
        at = bisect_right(self.got, at_ns, key=lambda got: got.received_ns)
        if not at:
            return None
        one = self.got[at - 1]
        return one if at_ns - one.received_ns <= ns(GOOD_INTERVALS * self.interval_s) else None

    def forget_before(self, at_ns: int) -> None:
        """What no later period needs."""
        at = bisect_right(self.got, at_ns - ns(GOOD_INTERVALS * self.interval_s), key=lambda got: got.received_ns)
        del self.got[: max(0, at - 1)]


class Stamped(NamedTuple):
    """A value on the raster, with the gateway's status word, in one of the meter's billing periods."""

    period: str
    at_s: int
    value: Decimal
    word: int


def stamped(
    register: Register, calendar: Calendar, start_s: int, end_s: int, capture_s: int, *, flag: bool
) -> Iterator[Stamped]:
    """A register's values on the raster of a period with both its ends. `flag`: values that a clock beyond the
    tolerance stamped are marked invalid."""
    epoch_s = int(calendar.start.timestamp())
    part, whole = CLOCK_TOLERANCE
    for at_s in range(start_s, end_s + 1, capture_s):
        got = register.last(ns(at_s - epoch_s))
        if got is not None:
            off = flag and abs(got.clock_off_s) * whole > part * capture_s
            word = got.word | (int(Gateway.TIME_INVALID) if off else 0)
            yield Stamped(got.period, at_s, got.value, word)


def by_period(meter: str, obis: Obis, values: Iterable[Stamped]) -> list[Series]:
    """One list of readings a billing period of the meter."""
    lists: dict[str, list[Reading]] = {}
    for one in values:
        lists.setdefault(one.period, []).append(Reading(one.at_s, one.at_s, one.value, ptb(one.word)))
    return [Series(f"{meter} {period}".strip(), obis, 0, tuple(readings)) for period, readings in lists.items()]


def values_of(
    register: Register, calendar: Calendar, taf: int, start_s: int, end_s: int, capture_s: int, *, flag: bool = True
) -> Iterator[Value]:
    """What leaves of one meter for one period. Raises RuleError where nothing may."""
    values = stamped(register, calendar, start_s, end_s, capture_s, flag=flag)
    return evaluated(register.meter, register.obis, values, taf, start_s, end_s, capture_s)


def without_error_register(values: list[Value]) -> list[Value]:
    """A period of one meter by a gateway without that register: the last zone, which is the dearer one of contracts
    here, has what no zone rules wholly."""
    unplaced = sum((one.amount or Decimal(0) for one in values if one.tariff == ERROR_TARIFF), Decimal(0))
    zone = max((one.tariff for one in values if one.tariff != ERROR_TARIFF), default=0)
    if not unplaced or not zone:
        return values
    amounts = {zone: unplaced, ERROR_TARIFF: -unplaced}
    return [
        one if one.amount is None else one._replace(amount=one.amount + amounts.get(one.tariff, Decimal(0)))
        for one in values
    ]


def evaluated(
    meter: str, obis: Obis, values: Iterable[Stamped], taf: int, start_s: int, end_s: int, capture_s: int
) -> Iterator[Value]:
    """A rule set over values on the raster, for the gateway and for a consumer who checks a bill. Raises
    RuleError where nothing may leave."""
    lists = by_period(meter, obis, values)
    if not lists:
        raise RuleError("no-readings", f"{meter} has no value in the period")
    rule = rule_of(taf, obis, start_s, end_s, capture_s)
    if taf == 7:
        lists = [_joined(lists)]
    for one in evaluate(rule, lists):
        from_s, until_s = (None, one.at_s) if one.at_s is not None else (start_s, end_s)
        yield Value(taf, meter, str(one.obis), one.tariff, from_s, until_s, one.amount)


def _joined(lists: list[Series]) -> Series:
    """A load profile has one list a meter, whatever began anew in it."""
    readings = sorted((one for series in lists for one in series.readings), key=lambda one: one.at_s)
    return Series(lists[0].meter, lists[0].obis, lists[0].scaler, tuple(readings))
