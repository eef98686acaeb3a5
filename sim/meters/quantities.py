"""What a meter knows at one instant: every quantity that a record can carry, as an integer.

Quantities split in two: LATCHED ones stay the same between two boundaries, so a fleet may remember them; the others
are asked for each telegram.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sim.meters import civil
from sim.meters.at_instant import Moment
from sim.meters.meter_type import Kind
from sim.meters.physics.heat import MS_PER_DAY
from sim.meters.physics.rooms import MICRO

MS_PER_MINUTE: Final = 60_000
FLAT_KWH_A_UNIT: Final = 9
SPREAD_CK: Final = 1_000
LITRES_A_KWH: Final = 86  # 3.6 MJ over 4.18 kJ/(kg K) and ten kelvin


Quantity = Callable[[Moment, int], Any]


def _units(at: Moment, _back: int) -> Any:
    return at.since_set(at.ms, at.last_set(at.month))


def _set_date(at: Moment, _back: int) -> Any:
    return civil.type_g(civil.month_start(at.last_set(at.month)) - 1)


def _set_day_after(at: Moment, _back: int) -> Any:
    return civil.type_g(civil.month_start(at.last_set(at.month)))


def _set_date_units(at: Moment, _back: int) -> Any:
    return at.latched(at.last_set(at.month))


def _month_end(at: Moment, back: int) -> Any:
    return civil.type_g(civil.month_start(at.month - back) - 1)


def _month_first(at: Moment, back: int) -> Any:
    return civil.type_g(civil.month_start(at.month - back))


def _month_units(at: Moment, back: int) -> Any:
    return at.latched(at.month - back)


def _month_increment(at: Moment, back: int) -> Any:
    boundary = at.month - back
    before = at.latched(boundary - 1)
    begins_year = (boundary - 1 - at.set_month) % 12 == 0
    return at.latched(boundary) - at.reader.of.where(begins_year, 0, before)


def _half_end(at: Moment, back: int) -> Any:
    half = at.half_month - back
    return civil.type_g(civil.month_start(half // 2) + half % 2 * 15 - 1)


def _half_units(at: Moment, back: int) -> Any:
    return at.latched_half(at.half_month - back)


def _half_increment(at: Moment, back: int) -> Any:
    boundary = at.half_month - back
    before = at.latched_half(boundary - 1)
    begins_year = (boundary - 1 - 2 * at.set_month) % 24 == 0
    return at.latched_half(boundary) - at.reader.of.where(begins_year, 0, before)


def _half_difference(at: Moment, back: int) -> Any:
    """Simply this boundary's value less the one before: negative after a set date."""
    boundary = at.half_month - back
    return at.latched_half(boundary) - at.latched_half(boundary - 1)


def _date(at: Moment, _back: int) -> Any:
    return civil.type_g(at.day)


def _datetime(at: Moment, _back: int) -> Any:
    return civil.type_f_of(at.day, (at.ms - at.day * MS_PER_DAY) // MS_PER_MINUTE)


def _error_date(at: Moment, _back: int) -> Any:
    if at.healthy:
        return civil.NONE_G
    of = at.reader.of
    faulty = at.fault_ms <= at.ms
    return of.where(faulty, civil.type_g(of.minimum(at.fault_ms, at.ms) // MS_PER_DAY), civil.NONE_G)


def _error_datetime(at: Moment, _back: int) -> Any:
    if at.healthy:
        return civil.NONE_F
    of = at.reader.of
    faulty = at.fault_ms <= at.ms
    return of.where(faulty, civil.type_f(of.minimum(at.fault_ms, at.ms) // MS_PER_MINUTE), civil.NONE_F)


def _flags(at: Moment, _back: int) -> Any:
    return at.flags


def _fabrication(at: Moment, _back: int) -> Any:
    return at.number


def _room(per: int) -> Quantity:
    return lambda at, _back: (at.reader.room_mk(at.room, at.ms) + per // 2) // per


def _radiator(at: Moment, per: int) -> Any:
    """A meter off its radiator, or with a broken sensor, has the room's temperature."""
    if at.healthy:
        return (at.reader.radiator_mk(at.room, at.ms) + per // 2) // per
    off = at.stop_ms <= at.ms
    mk = at.reader.of.where(off, at.reader.room_mk(at.room, at.ms), at.reader.radiator_mk(at.room, at.ms))
    return (mk + per // 2) // per


def _minutes_unmeasured(at: Moment, _back: int) -> Any:
    """This accounting year: since it stopped counting."""
    if at.healthy:
        return 0
    of = at.reader.of
    begin = of.maximum(of.minimum(at.stop_ms, at.ms), civil.month_start(at.last_set(at.month)) * MS_PER_DAY)
    return (at.ms - begin) // MS_PER_MINUTE


def _minutes_unmeasured_year(at: Moment, _back: int) -> Any:
    return at.unmeasured


def _seconds_tampered(at: Moment, _back: int) -> Any:
    if at.healthy:
        return 0
    return (at.ms - at.reader.of.minimum(at.fault_ms, at.ms)) // 1_000


def _litres_at(at: Moment, ms: Any) -> Any:
    ms = at.reader.of.minimum(ms, at.stop_ms)
    return at.reader.millilitres(at.room, at.factor, ms) // 1_000


def _volume_l(at: Moment, _back: int) -> Any:
    return _litres_at(at, at.ms)


def _set_date_volume_l(at: Moment, _back: int) -> Any:
    return _litres_at(at, civil.month_start(at.last_set(at.month)) * MS_PER_DAY)


def _month_volume_l(at: Moment, back: int) -> Any:
    return _litres_at(at, civil.month_start(at.month - back) * MS_PER_DAY)


def _energy_kwh(at: Moment, _back: int) -> Any:
    """A flat's heat meter: it sees what some nine of its radiators' meters count, and never goes back to zero."""
    return at.count(at.ms) * FLAT_KWH_A_UNIT // MICRO


def _heating_volume_l(at: Moment, _back: int) -> Any:
    """Water through the heating circuit, at a spread of ten kelvin."""
    return at.count(at.ms) * FLAT_KWH_A_UNIT * LITRES_A_KWH // MICRO


def _power_w(at: Moment, _back: int) -> Any:
    running = at.ms < at.stop_ms
    rate = at.reader.rate(at.room, at.factor, at.ms) * FLAT_KWH_A_UNIT * 1_000 // MICRO
    return at.reader.of.where(running, rate, 0)


def _flow_l_h(at: Moment, back: int) -> Any:
    return _power_w(at, back) * LITRES_A_KWH // 1_000


def _spread_ck(at: Moment, back: int) -> Any:
    return at.reader.of.where(_power_w(at, back) > 0, SPREAD_CK, 0)


def _flow_c(at: Moment, back: int) -> Any:
    return (_radiator(at, 10) + _spread_ck(at, back) // 2 + 50) // 100


def _return_c(at: Moment, back: int) -> Any:
    return (_radiator(at, 10) - _spread_ck(at, back) // 2 + 50) // 100


QUANTITIES: Final[dict[str, Quantity]] = {
    "units": _units,
    "set_date": _set_date,
    "set_day_after": _set_day_after,
    "set_date_units": _set_date_units,
    "month_end": _month_end,
    "month_first": _month_first,
    "month_units": _month_units,
    "month_increment": _month_increment,
    "half_end": _half_end,
    "half_units": _half_units,
    "half_increment": _half_increment,
    "datetime": _datetime,
    "error_date": _error_date,
    "error_datetime": _error_datetime,
    "error_flags": _flags,
    "fabrication": _fabrication,
    "room_dc": _room(100),
    "room_cc": _room(10),
    "radiator_dc": lambda at, _back: _radiator(at, 100),
    "radiator_cc": lambda at, _back: _radiator(at, 10),
    "minutes_unmeasured": _minutes_unmeasured,
    "minutes_unmeasured_year": _minutes_unmeasured_year,
    "seconds_tampered": _seconds_tampered,
    "half_difference": _half_difference,
    "date": _date,
    "volume_l": _volume_l,
    "set_date_volume_l": _set_date_volume_l,
    "month_volume_l": _month_volume_l,
    "energy_kwh": _energy_kwh,
    "heating_volume_l": _heating_volume_l,
    "power_w": _power_w,
    "flow_l_h": _flow_l_h,
    "flow_c": _flow_c,
    "return_c": _return_c,
    "spread_ck": _spread_ck,
}

LATCHED: Final = frozenset({
    "set_date", "set_day_after", "set_date_units", "month_end", "month_first", "month_units", "month_increment",
    "half_end", "half_units", "half_increment", "half_difference", "set_date_volume_l", "month_volume_l",
})  # fmt: skip


class Recipe:
    """A type's values in order: which may be remembered until the next boundary and which are asked for each time."""

    def __init__(self, kind: Kind) -> None:
        self.blank = [0] * len(kind.slots)
        self.steps: list[tuple[Any, int]] = []
        self.latched: list[int] = []
        self.live: list[int] = []
        for index, slot in enumerate(kind.slots):
            if slot.quantity in kind.constants:
                self.blank[index] = kind.constants[slot.quantity]
                self.steps.append((lambda _at, _back, value=self.blank[index]: value, slot.back))
                continue
            self.steps.append((QUANTITIES[slot.quantity], slot.back))
            (self.latched if slot.quantity in LATCHED else self.live).append(index)
