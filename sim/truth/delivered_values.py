"""What the final receiver of a system with tariffs must have, held against what it has: register by register.

Worked out from the fleet's own values and from what each gateway received, by the rule in words and not by the tariff
engine: at each quarter hour the last value received counts, unless it is older than two of the meter's intervals; each
difference between two neighbours belongs to the zone that rules the whole gap, else to the register 63; a set date's
value is the meter's own, and one on demand what stands for that instant. What a meter's register is follows from its
medium, and what stands in it from its telegrams (see differs). Wired meters: wired_values; those of security profile C:
radio_values; what the grid operator must have: grid_operator_values.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from operator import itemgetter
from typing import Final, NamedTuple

import numpy as np

from sim.core.clock import NS_PER_S, ns
from sim.core.events import SnapshotAsked
from sim.portal.check import NONE
from sim.site_plan import fleet_radios, gateway_groups
from sim.smgw.german_time import midnight_s
from sim.systems._smgw_grid import GRID_OPERATOR
from sim.systems._smgw_running import smgw
from sim.systems.port import Delivered
from sim.truth.differs import Yardstick
from sim.truth.differs import expected as said_by
from sim.truth.grid_operator_values import expected_of_grid, has_of_grid
from sim.truth.ground_truth import Truth
from sim.truth.periods_in_words import Key, Stands, of_period, periods_of
from sim.truth.radio_values import expected_of_radio
from sim.truth.wired_values import expected_of_wired
from sim.truth.wrong_rows import CLOCK_TOLERANCE_S

Rows = dict[Key, Decimal | None]
_EPOCH: Final = date(1970, 1, 1)
_INTERVALS: Final = 2
_ENERGY, _VOLUME = "energy_kwh", "volume_m3"
REGISTERS: Final[Mapping[int, tuple[str, str]]] = {
    0x02: ("1-0:1.8", _ENERGY), 0x03: ("7-0:3.0", _VOLUME), 0x04: ("6-0:1.0", _ENERGY), 0x06: ("9-0:1.0", _VOLUME),
    0x07: ("8-0:1.0", _VOLUME), 0x08: ("4-0:1.0", "units"), 0x0C: ("6-0:1.0", _ENERGY),
}  # fmt: skip
"""Device type -> the register that is delivered of it, but for its tariff, and the column that says it: heat cost
allocators count units, heat and electricity meters energy, gas and water meters volume."""


class WrongValue(NamedTuple):
    """`has` and `must`: amounts; "missing" and "nothing" where there is no row, or none is to be."""

    meter: str
    taf: int
    obis: str
    until_s: int
    has: str
    must: str

    def __str__(self) -> str:
        return f"{self.meter}, TAF {self.taf}, {self.obis}, until {self.until_s}: {self.has}, must be {self.must}"


def wrong_values(truth: Truth) -> list[WrongValue]:
    """Of every attached meter. Raises StoreError, TypeError for another system than smgw."""
    must, under_way = expected(truth), expected(truth, waiting=True)
    has = _as_received([one for one in truth.world.system.delivered() if one.receiver != GRID_OPERATOR])
    world = truth.world
    grid = expected_of_grid(world), expected_of_grid(world, waiting=True), has_of_grid(world)
    return [*_wrong(must, under_way, has), *_wrong(*grid)]


def _wrong(must: Rows, under_way: Rows, has: Rows) -> list[WrongValue]:
    """Of one receiver."""
    found = []
    may = {**under_way, **must}
    for key in sorted({*must, *has}, key=str):
        meter, taf, obis, _, until_s = key
        got, wanted = (_text(side[key]) if key in side else "" for side in (has, may))
        if got != wanted:
            found.append(WrongValue(meter, taf, obis, until_s, got or "missing", wanted or "nothing"))
    return found


def _text(amount: Decimal | None) -> str:
    return "None" if amount is None else format(amount.normalize(), "f")


def expected(truth: Truth, *, waiting: bool = False) -> dict[Key, Decimal | None]:
    """What the final receiver must have by now, but for gateways that are off or cut off. `waiting`: of these alone,
    what it may have."""
    world = truth.world
    system = smgw(world.system)
    rules, attached = system.settings, system.attached
    fleet, yardstick = world.fleet, Yardstick(world.fleet)
    air_ns = fleet_radios(world.spec.fleet, fleet.population.group, fleet.population.length_bytes).duration_ns
    groups = gateway_groups(world.spec)
    must: dict[Key, Decimal | None] = {}
    epoch_s = int(world.calendar.start.timestamp())
    demanded: dict[str, list[int]] = {}
    for asked in world.history.of(SnapshotAsked):
        if asked.taken and asked.due_s <= epoch_s + world.now_ns // NS_PER_S:
            demanded.setdefault(asked.gateway, []).append(asked.due_s)
    periods = list(periods_of(rules.taf, rules.delivery_s, epoch_s, epoch_s + world.now_ns // NS_PER_S))
    begun = truth.begun()
    for meter, own in enumerate(attached.tolist()):
        if own < 0 or waiting is not (not world.gateways[own].up or bool(world.gateways[own].waiting)):
            continue
        offset_s = groups[own].clock_offset_s
        sent = begun.get(meter)
        register = REGISTERS.get(fleet.kind(meter).device_type)
        if not sent or register is None or register[1] not in said_by(fleet.kind(meter)):
            continue
        times = [start_ns + int(air_ns[meter]) + ns(offset_s) for start_ns, _ in sent]
        invalid = abs(offset_s) > CLOCK_TOLERANCE_S and rules.flag_clock and rules.time_over_tls
        line = _Line(truth, yardstick, meter, register, times, [k for _, k in sent])
        must.update(line.set_dates())
        if not invalid:
            must.update(line.on_demand(demanded.get(world.gateways[own].id, ())))
            for start_s, end_s in periods:
                must.update(line.period(rules.taf, start_s, end_s))
    must.update(
        expected_of_wired(
            world, rules.taf, partial(periods_of, rules.taf, rules.delivery_s),
            lambda own: rules.flag_clock and abs(groups[own].clock_offset_s) > CLOCK_TOLERANCE_S, waiting=waiting,
        )
    )  # fmt: skip
    must.update(expected_of_radio(world, rules.taf, periods, CLOCK_TOLERANCE_S, waiting=waiting))
    return must


def _as_received(rows: Sequence[Delivered]) -> dict[Key, Decimal | None]:
    """The latest row of a key counts: a value at a set date may be corrected."""
    return {(one.meter, one.taf, one.obis, one.from_s, one.until_s): one.amount for one in rows}


class _Line:
    """One meter as its gateway received it: `times` by the gateway's clock, `ks` the telegrams."""

    def __init__(
        self, truth: Truth, yardstick: Yardstick, meter: int, register: tuple[str, str], times: list[int],
        ks: list[int],
    ) -> None:  # fmt: skip
        world = truth.world
        self.epoch_s = int(world.calendar.start.timestamp())
        self._quantity, column = register
        self._name = str(world.fleet.address(meter))
        interval_s = world.spec.fleet[int(world.fleet.population.group[meter])].interval_s
        self._good_ns = ns(_INTERVALS * interval_s)
        k = np.array(ks, dtype=np.int64)
        day, units = yardstick.at_set_date(np.full(len(k), meter, dtype=np.int64), k)
        self._at_set_date = dict(zip(day.tolist(), units.tolist(), strict=True))
        """The latest telegram of a set date counts."""
        begun = day.tolist() if column == "units" else [None] * len(k)
        counted = yardstick.exactly(column, meter, k)
        # What says nothing in the register is no value of it, and the one before stands.
        self._stands = [
            (at_ns, Stands(amount, since))
            for at_ns, amount, since in zip(times, counted, begun, strict=True) if amount is not None
        ]  # fmt: skip

    def value(self, at_s: int) -> Stands | None:
        """What stands for a quarter hour."""
        at_ns = (at_s - self.epoch_s) * NS_PER_S
        place = bisect_right(self._stands, at_ns, key=itemgetter(0)) - 1
        if place < 0 or at_ns - self._stands[place][0] > self._good_ns:
            return None
        return self._stands[place][1]

    def set_dates(self) -> Iterator[tuple[Key, Decimal]]:
        """Each set date that a telegram named, with the units that the latest of these named."""
        for day, units in self._at_set_date.items():
            if NONE not in (day, units):
                until_s = midnight_s(_EPOCH + timedelta(days=day + 1))
                yield (self._name, 6, f"{self._quantity}.0*1", None, until_s), Decimal(units)

    def on_demand(self, dues_s: Iterable[int]) -> Iterator[tuple[Key, Decimal]]:
        """What stands for each instant that somebody asked for; of one for which nothing stands there is no row."""
        for due_s in dues_s:
            said = self.value(due_s)
            if said is not None:
                yield (self._name, 6, f"{self._quantity}.0*255", None, due_s), said.units

    def period(self, taf: int, start_s: int, end_s: int) -> Iterator[tuple[Key, Decimal | None]]:
        """Rows of one period."""
        return of_period(self._name, self._quantity, self.value, taf, start_s, end_s)


__all__ = ["WrongValue", "expected", "wrong_values"]
