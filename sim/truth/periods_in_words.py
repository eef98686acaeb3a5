"""The registers of one period of one meter, in words: from what stands for each quarter hour to what leaves.

The difference between two neighbours that have a value belongs to the zone that rules the whole gap, else to the
register 63; what began anew in between (`since` differs) has no difference. Under TAF 1 all differences are one
register, which needs a value at both ends; a register that goes back has none in that period. Under TAF 7 each
quarter hour is a row, and one without a value says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

from sim.smgw.german_time import local

QUARTER_S: Final = 900
_HOUR_S: Final = 3_600
_DAY_HOURS: Final = range(6, 21)
Key = tuple[str, int, str, int | None, int]
"""Meter, TAF, OBIS code, from, until."""


class Stands(NamedTuple):
    """What a register shows at an instant; `since`: what tells apart the times between which it begins anew."""

    units: Decimal
    since: int | None = None


def periods_of(taf: int, delivery_s: float, start_s: int, until_s: int) -> Iterator[tuple[int, int]]:
    """(begin, end) of a contract's periods that ended by `until_s`: whole multiples of `delivery_s`, or under TAF 1
    from one month's first midnight to the next. The first one is shorter: it begins with the world."""
    begin_s = start_s
    step_s = _HOUR_S if taf == 1 else round(delivery_s)  # midnights are full hours of any clock here
    for end_s in range((start_s // step_s + 1) * step_s, until_s + 1, step_s):
        there = local(end_s)
        if taf != 1 or (there.day, there.hour) == (1, 0):
            yield begin_s, end_s
            begin_s = end_s


def of_period(
    name: str, quantity: str, value: Callable[[int], Stands | None], taf: int, start_s: int, end_s: int
) -> Iterator[tuple[Key, Decimal | None]]:
    """`value(at_s)`: what stands for a quarter hour; None: nothing."""
    first_s = -(-start_s // QUARTER_S) * QUARTER_S if taf == 2 else start_s
    seen = [(at_s, value(at_s)) for at_s in range(first_s, end_s + 1, QUARTER_S)]
    there = [(at_s, said) for at_s, said in seen if said is not None]
    if taf == 7:
        if there:
            for at_s, said in seen:
                yield (name, 7, f"{quantity}.0*255", None, at_s), None if said is None else said.units
        return
    sums: dict[int, Decimal] = {zone: Decimal(0) for zone in ((1, 2, 63) if taf == 2 else (1,))}
    pairs = [(a, b) for a, b in pairwise(there) if a[1].since == b[1].since]
    if _goes_back([there[0], there[-1]] if taf == 1 and there else there):
        return
    for (from_s, before), (until_s, after) in pairs:
        zones = {2 if local(at_s).hour in _DAY_HOURS else 1 for at_s in range(from_s, until_s, QUARTER_S)}
        zone = 1 if taf == 1 else zones.pop() if len(zones) == 1 else 63
        sums[zone] += after.units - before.units
    if pairs and (taf == 2 or (there[0][0], there[-1][0]) == (start_s, end_s)):
        for number, amount in sums.items():
            yield (name, taf, f"{quantity}.{number}*255", start_s, end_s), amount


def _goes_back(there: Sequence[tuple[int, Stands]]) -> bool:
    """Between neighbours in one time of counting: a meter that begins anew and does not say when."""
    return any(b.units < a.units for (_, a), (_, b) in pairwise(there) if a.since == b.since)
