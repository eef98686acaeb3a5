"""What a record can carry, as data: each quantity is one row of a table, made of twelve operations.

A row says which operation gives the number and with which parameters. `days_steps` turns it into numbers for one day
of the calendar, `evaluate` works it out for one meter, `fill_kernels` for many; these know operations and no names. A
new quantity is a new row here, or in a meter type's own `quantities`.

Counts: `of` is what is counted; the count from `begin` to `end`, times `times`, divided by `per` and rounded down. The
sources count millionths of a unit on a radiator, millilitres, and milliwatt hours in two tariffs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sim.meters.physics.formulas import FLAT_KWH_A_UNIT, HEAT, HIGH_TARIFF, LOW_TARIFF, WATER
from sim.meters.physics.rooms import MICRO

SPREAD_CK: Final = 1_000
LITRES_A_KWH: Final = 86  # 3.6 MJ over 4.18 kJ/(kg K) and ten kelvin
_MILLI: Final = 1_000

CONSTANT, DATE, COUNT, CLOCK, OWN, ROOM, RADIATOR, PIPE, POWER, SPREAD, FAULT_TIME, SINCE = range(12)
"""The operations. CONSTANT: a number of the type. DATE: of `end`, `days` later. COUNT: see above. CLOCK: the meter's
time. OWN: what the meter holds (`of`: NUMBER, UNMEASURED, FLAGS). ROOM, RADIATOR: temperature, mK divided by `per` and
rounded. PIPE: of the water beside a heat meter, whole degrees C, `offset_ck` off the radiator while heat flows. POWER:
of the heat in a heat meter's pipes (no electricity), W, times `times` divided by `per`. SPREAD: `times` while heat
flows, else 0. FAULT_TIME: of the first fault. SINCE: time since it stopped counting in this accounting year (`of`:
STOP), or since the first fault (FAULT), in `per` ms."""

NOW, SET_DATE, MONTH, HALF = range(4)
"""Instants: now; the last set date; the midnight with which the month, or the half of a month (from the 1st or the
16th), began so many back as the record's field says."""
START: Final = -1  # as a count's `begin`: since the tables begin, so it never returns to zero
WHOLE, DIFFERENCE, INCREMENT = range(3)
"""A count as it is; less the one of the month or half month before; the same, but whole after a set date."""
NUMBER, UNMEASURED, FLAGS = range(3)
STOP, FAULT = range(2)
POSITIVE, ONE_HOUR = 1 << 14, 1 << 46  # of type I: local time is so much ahead of UTC


class Quantity(NamedTuple):
    """One row: `op` and what it needs. `sources`: so many from `of` on are counted and added. `begin` of a count is
    START, or SET_DATE: the set date before `end`. `form`: the encoding of a date ("G", "F" or "I"). `weekday`: type I
    says it. `bits`: set in every type I time, daylight savings deviation for one. `unit`: what one of it is, in the
    words of wmbus.vif, times ten to the power of `exponent`; "": it counts in none, and its VIF names none."""

    op: int
    of: int = 0
    sources: int = 1
    end: int = NOW
    begin: int = START
    less: int = WHOLE
    times: int = 1
    per: int = 1
    form: str = ""
    days: int = 0
    offset_ck: int = 0
    weekday: bool = False
    bits: int = 0
    unit: str = ""
    exponent: int = 0

    @property
    def latched(self) -> bool:
        """Does it stay the same between two half months' boundaries, whatever the meter does?"""
        return self.op in (COUNT, DATE) and self.end != NOW


_UNITS = Quantity(COUNT, HEAT, begin=SET_DATE, per=MICRO, unit="HCA")
_LAST_DAY = Quantity(DATE, days=-1, form="G")
_FIRST_DAY = Quantity(DATE, form="G")
_VOLUME = Quantity(COUNT, WATER, per=_MILLI, unit="m3", exponent=-3)

QUANTITIES: Final[dict[str, Quantity]] = {
    "units": _UNITS,
    "set_date": _LAST_DAY._replace(end=SET_DATE),
    "set_day_after": _FIRST_DAY._replace(end=SET_DATE),
    "set_date_units": _UNITS._replace(end=SET_DATE),
    "month_end": _LAST_DAY._replace(end=MONTH),
    "month_first": _FIRST_DAY._replace(end=MONTH),
    "month_units": _UNITS._replace(end=MONTH),
    "month_increment": _UNITS._replace(end=MONTH, less=INCREMENT),
    "half_end": _LAST_DAY._replace(end=HALF),
    "half_units": _UNITS._replace(end=HALF),
    "half_increment": _UNITS._replace(end=HALF, less=INCREMENT),
    "half_difference": _UNITS._replace(end=HALF, less=DIFFERENCE),
    "date": _FIRST_DAY._replace(end=NOW),
    "datetime": Quantity(CLOCK, form="F"),
    "datetime_s": Quantity(CLOCK, form="I", weekday=True),
    "error_date": Quantity(FAULT_TIME, form="G"),
    "error_datetime": Quantity(FAULT_TIME, form="F"),
    "error_flags": Quantity(OWN, FLAGS),
    "fabrication": Quantity(OWN, NUMBER),
    "room_dc": Quantity(ROOM, per=100, unit="°C", exponent=-1),
    "room_cc": Quantity(ROOM, per=10, unit="°C", exponent=-2),
    "radiator_dc": Quantity(RADIATOR, per=100, unit="°C", exponent=-1),
    "radiator_cc": Quantity(RADIATOR, per=10, unit="°C", exponent=-2),
    "minutes_unmeasured": Quantity(SINCE, STOP, per=60_000, unit="min"),
    "minutes_unmeasured_year": Quantity(OWN, UNMEASURED, unit="min"),
    "seconds_tampered": Quantity(SINCE, FAULT, per=1_000, unit="s"),
    "volume_l": _VOLUME,
    "set_date_volume_l": _VOLUME._replace(end=SET_DATE),
    "month_volume_l": _VOLUME._replace(end=MONTH),
    # A flat's heat meter: it sees what some nine of its radiators' meters count.
    "energy_kwh": Quantity(COUNT, HEAT, times=FLAT_KWH_A_UNIT, per=MICRO, unit="Wh", exponent=3),
    "heating_volume_l": _VOLUME._replace(of=HEAT, times=FLAT_KWH_A_UNIT * LITRES_A_KWH, per=MICRO),
    "power_w": Quantity(POWER, unit="W"),
    "flow_l_h": Quantity(POWER, times=LITRES_A_KWH, per=1_000, unit="m3/h", exponent=-3),
    "flow_c": Quantity(PIPE, offset_ck=SPREAD_CK // 2, unit="°C"),
    "return_c": Quantity(PIPE, offset_ck=-(SPREAD_CK // 2), unit="°C"),
    "spread_ck": Quantity(SPREAD, times=SPREAD_CK, unit="K", exponent=-2),
    "energy_wh": Quantity(COUNT, HIGH_TARIFF, sources=2, per=_MILLI, unit="Wh"),
    "tariff_1_wh": Quantity(COUNT, HIGH_TARIFF, per=_MILLI, unit="Wh"),
    "tariff_2_wh": Quantity(COUNT, LOW_TARIFF, per=_MILLI, unit="Wh"),
}
