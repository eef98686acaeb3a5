"""One value of one meter at one instant: the operations of `quantities`, each a branch, over the formulas of `physics`.

`fill_kernels` has the same branches for many healthy meters, over the same formulas; only here do faults play a part.
"""

from __future__ import annotations

from typing import NamedTuple

from sim.meters import civil, quantities
from sim.meters.day_steps import DAYS, MINUTES, NONE, Step
from sim.meters.physics.formulas import (
    CLASSES,
    HEAT,
    HOURS_A_WEEK,
    MS_PER_DAY,
    MS_PER_HOUR,
    WATER,
    Tables,
    between,
    drawn,
    heat_cell,
    load_step,
    minutes_word,
    pipe_c,
    power_w,
    profile_row,
    rated,
    room_mk,
    seconds_word,
)  # fmt: skip


class Instant(NamedTuple):
    """A meter at an instant of its own clock. `ms`, `stop_ms` (it stopped counting) and `fault_ms` (the first fault)
    count since the tables begin; the latter two lie beyond any time where nothing happened. `own`: its number, minutes
    it lost last year, its error flags, in the order of `quantities.NUMBER`, UNMEASURED, FLAGS. `leak`: from when on how
    much water runs through it beside what is drawn, ml an hour."""

    room: int
    factor: int
    ms: int
    stop_ms: int
    fault_ms: int
    own: tuple[int, int, int]
    leak: tuple[int, int]


def value(step: Step, meter: Instant, tables: Tables) -> int:
    """The integer that stands in the record."""
    op = step.op
    if op == quantities.CONSTANT:
        return step.value
    if op == quantities.COUNT:
        out = _count(step, step.end, step.begin, meter, tables)
        return out if step.less_end == NONE else out - _count(step, step.less_end, step.less_begin, meter, tables)
    if op == quantities.CLOCK:
        ms_of_day = meter.ms % MS_PER_DAY
        return step.value | (minutes_word(ms_of_day) if step.of == MINUTES else seconds_word(ms_of_day))
    if op == quantities.OWN:
        return meter.own[step.of]
    if op == quantities.ROOM:
        return (room_mk(*_wanted_and_free(meter, tables)) + step.per // 2) // step.per
    if op == quantities.RADIATOR:
        return (_radiator_mk(meter, tables) + step.per // 2) // step.per
    if op == quantities.PIPE:
        return pipe_c(_radiator_mk(meter, tables), step.value if _power_w(meter, tables) else 0)
    if op == quantities.POWER:
        return _power_w(meter, tables) * step.times // step.per
    if op == quantities.SPREAD:
        return step.times if _power_w(meter, tables) else 0
    if op == quantities.FAULT_TIME:
        return _fault_time(step, meter, tables)
    if op == quantities.SINCE:
        return _since(step, meter)
    raise ValueError(f"quantities has no operation {op}")


def _count(step: Step, end: int, begin: int, meter: Instant, tables: Tables) -> int:
    out = 0
    for source in range(step.of, step.of + step.sources):
        amount = _amount(source, end, meter, tables)
        if begin != NONE:
            amount -= _amount(source, begin, meter, tables)
        out += amount * step.times // step.per
    return out


def _amount(source: int, hour: int, meter: Instant, tables: Tables) -> int:
    """Counted by an hour, or by now; no more once it has stopped."""
    if hour == NONE:
        ms = min(meter.ms, meter.stop_ms)
    else:
        ms = min(hour * MS_PER_HOUR, meter.stop_ms)
    hour = ms // MS_PER_HOUR
    if source == HEAT:
        cell = heat_cell(hour, meter.room)
        before, after = tables.counts[cell], tables.counts[cell + CLASSES]
        return rated(between(before, after, ms - hour * MS_PER_HOUR), meter.factor)
    row, week = profile_row(source, meter.room), hour // HOURS_A_WEEK
    cell = row + hour - week * HOURS_A_WEEK
    before, after = tables.profiles[cell], tables.profiles[cell + 1]
    of_week = between(before, after, ms - hour * MS_PER_HOUR)
    used = rated(week * tables.profiles[row + HOURS_A_WEEK] + of_week, meter.factor)
    if source != WATER:
        return used
    from_ms, ml_an_hour = meter.leak
    return drawn(used, meter.own[quantities.NUMBER]) + max(0, ms - from_ms) * ml_an_hour // MS_PER_HOUR


def _wanted_and_free(meter: Instant, tables: Tables) -> tuple[int, int]:
    hour = meter.ms // MS_PER_HOUR
    of_week = (hour + tables.first_hour) % HOURS_A_WEEK
    return tables.wanted[heat_cell(of_week, meter.room)], tables.free[hour]


def _radiator_mk(meter: Instant, tables: Tables) -> int:
    """A meter off its radiator, or with a broken sensor, has the room's temperature."""
    wanted, free = _wanted_and_free(meter, tables)
    over = 0 if meter.stop_ms <= meter.ms else tables.over[load_step(wanted, free)]
    return room_mk(wanted, free) + over


def _power_w(meter: Instant, tables: Tables) -> int:
    if meter.stop_ms <= meter.ms:
        return 0
    cell = heat_cell(meter.ms // MS_PER_HOUR, meter.room)
    return power_w(tables.counts[cell], tables.counts[cell + CLASSES], meter.factor)


def _fault_time(step: Step, meter: Instant, tables: Tables) -> int:
    if meter.fault_ms > meter.ms:
        return civil.NONE_G if step.of == DAYS else civil.NONE_F
    ms = meter.fault_ms + tables.first_hour * MS_PER_HOUR
    return int(civil.type_g(ms // MS_PER_DAY) if step.of == DAYS else civil.type_f(ms // 60_000))


def _since(step: Step, meter: Instant) -> int:
    if step.of == quantities.FAULT:
        return (meter.ms - min(meter.fault_ms, meter.ms)) // step.per
    begin_ms = max(min(meter.stop_ms, meter.ms), step.begin * MS_PER_HOUR)
    return (meter.ms - begin_ms) // step.per
