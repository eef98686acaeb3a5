"""What a meter's telegram says, worked out the long way: one meter, one instant, one function a quantity.

Production turns quantities into data, a day of the calendar into steps and those into compiled code; here each quantity
is a name with a formula of its own, dates come from the standard library, and nothing is remembered. Only the tables of
`physics` are shared: the counts of every room class by hour, temperatures, and the households' days and weeks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from sim.meters.fleet import Fleet
from sim.meters.physics import formulas, load_profile, rooms, water_draw
from wmbus.dates import encode_f, encode_g, encode_i
from wmbus.link import add_crcs_a
from wmbus.telegram import build

EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001  a meter has no zone
DAY_ONE = EPOCH.date()
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NO_DATE, NO_TIME = 0xFFFF, 0x2000
DST_DEVIATION = {"clock": 1 << 14 | 1 << 46}  # Amiplus: one hour ahead of UTC


class Meter:
    """One meter of a fleet at a world time, by its own clock."""

    def __init__(self, fleet: Fleet, meter: int, time_ns: int) -> None:
        who = fleet.population
        self.heat, self.kind, self.meter = fleet.heat, fleet.kind(meter), meter
        self.room, self.factor, self.number = int(who.room[meter]), int(who.factor_q16[meter]), int(who.number[meter])
        self.ms = self.clock(fleet, time_ns)
        self.now = EPOCH + timedelta(milliseconds=self.ms)
        self.lost_minutes = int(who.unmeasured_minutes[meter])
        self.low_power = self.now.date() >= DAY_ONE + timedelta(days=int(who.battery_low_day[meter]))
        past = [tamper for tamper in fleet.tampers(meter) if tamper.at_ns <= time_ns and tamper.end_ns > time_ns]
        self.faults = [self.kind.faults[tamper.how] for tamper in past]
        self.fault_ms = min((self.clock(fleet, tamper.at_ns) for tamper in past), default=None)
        stops = [self.clock(fleet, tamper.at_ns) for tamper in past if tamper.how != "opened"]
        self.stop_ms = min(stops, default=None)
        burst = fleet.leaks().get(meter)
        self.leak = None if burst is None else (
            self.clock(fleet, burst.at_ns), round(burst.litres_an_hour * 1_000),
        )  # fmt: skip
        self.heat.cover(self.ms)

    def clock(self, fleet: Fleet, time_ns: int) -> int:
        """Milliseconds since 2000 that it shows."""
        gained_ns = time_ns // 1_000_000 * int(fleet.population.drift_ppb[self.meter]) // 1_000
        return fleet.epoch_ms + int(fleet.population.clock_offset_ms[self.meter]) + (time_ns + gained_ns) // 1_000_000

    @property
    def stopped(self) -> bool:
        return self.stop_ms is not None and self.stop_ms <= self.ms

    # --- the calendar ---------------------------------------------------------------------------------------------

    def month_start(self, back: int) -> date:
        """The first of this month, or of the one so many back."""
        months = self.now.year * 12 + self.now.month - 1 - back
        return date(months // 12, months % 12 + 1, 1)

    def half_start(self, back: int) -> date:
        """The 1st or 16th with which this half month began, or the one so many back."""
        months, second = divmod((self.now.year * 12 + self.now.month - 1) * 2 + (self.now.day > 15) - back, 2)
        return date(months // 12, months % 12 + 1, 16 if second else 1)

    def set_date_before(self, boundary: date) -> date:
        """The last first day of an accounting year that is earlier than a boundary."""
        month = self.kind.set_month + 1
        year = boundary.year if date(boundary.year, month, 1) < boundary else boundary.year - 1
        return date(year, month, 1)

    @property
    def last_set_date(self) -> date:
        return self.set_date_before(self.now.date() + timedelta(days=1))

    # --- counting -------------------------------------------------------------------------------------------------

    def until(self, when: date | None) -> int:
        """Milliseconds from the tables' beginning to a midnight, or to now; no more once it has stopped."""
        ms = self.ms if when is None else (when - DAY_ONE).days * DAY_MS
        if self.stop_ms is not None:
            ms = min(ms, self.stop_ms)
        return ms - self.heat.first_hour * HOUR_MS

    def micro_units(self, when: date | None) -> int:
        hour, rest = divmod(self.until(when), HOUR_MS)
        counts = self.heat.plain.counts
        here, next_ = counts[hour * 64 + self.room], counts[(hour + 1) * 64 + self.room]
        return (here + (next_ - here) * rest // HOUR_MS) * self.factor // 65_536

    def units(self, end: date | None, begin: date) -> int:
        return (self.micro_units(end) - self.micro_units(begin)) // 1_000_000

    def latched(self, boundary: date) -> int:
        return self.units(boundary, self.set_date_before(boundary))

    def since_boundary_before(self, boundary: date, before: date, *, whole_after_set_date: bool) -> int:
        if whole_after_set_date and before == self.set_date_before(boundary):
            return self.latched(boundary)
        return self.latched(boundary) - self.latched(before)

    def litres(self, when: date | None) -> int:
        """What was to be drawn by a draw's turn is drawn; of those that have begun, the draws whose time has come."""
        expected_ml = self.since_tables(water_draw.drawn_ml()[self.room % 8], self.until(when)) * self.factor // 65_536
        draws: list[tuple[int, int]] = []  # (when, in ml expected of its half; how much)
        small, large = expected_ml // 2, expected_ml - expected_ml // 2
        turn = small // 8_000
        size = formulas._word(self.number, 2 * turn) // 8_000 % 8_000
        draws.append((formulas._word(self.number, 2 * turn) % 8_000, size))
        draws.append((formulas._word(self.number, 2 * turn + 1) % 8_000, 8_000 - size))
        in_turns = turn * 8_000 + sum(much for at, much in draws if at <= small % 8_000)
        baths = large // 48_000
        if formulas._word(self.number + 1, baths) % 48_000 <= large % 48_000:
            baths += 1
        return (in_turns + 48_000 * baths + self.leaked_ml(when)) // 1_000

    def leaked_ml(self, when: date | None) -> int:
        if self.leak is None:
            return 0
        begin_ms, an_hour_ml = self.leak
        return max(0, self.until(when) + self.heat.first_hour * HOUR_MS - begin_ms) * an_hour_ml // HOUR_MS

    def watt_hours(self, high: bool) -> int:
        """By weeks from the Saturday before the tables begin, less what was used before they did."""
        used = load_profile.used_mwh(high=high)[self.room % 8]
        return self.since_tables(used, self.until(None)) * self.factor // 65_536 // 1_000

    def since_tables(self, used: tuple[int, ...], until_ms: int) -> int:
        begin_ms = self.heat.first_hour * HOUR_MS

        def since_2000(ms: int) -> int:
            week, rest = divmod(ms, 7 * DAY_MS)
            hour, rest = divmod(rest, HOUR_MS)
            return week * used[168] + used[hour] + (used[hour + 1] - used[hour]) * rest // HOUR_MS

        return since_2000(until_ms + begin_ms) - since_2000(begin_ms)

    # --- temperatures and power -----------------------------------------------------------------------------------

    def wanted_and_free(self) -> tuple[int, int]:
        hour = self.ms // HOUR_MS
        return (
            int(rooms.wanted_mk()[hour % 168, self.room]),
            int(self.heat.plain.free[hour - self.heat.first_hour]),
        )

    def room_mk(self) -> int:
        return max(self.wanted_and_free())

    def radiator_mk(self) -> int:
        wanted, free = self.wanted_and_free()
        heating = free - rooms.GAINS_MK < rooms.HEATING_LIMIT_MK
        load = min(max(wanted - free, 0), rooms.MAX_LOAD_MK) if heating else 0
        over = 0 if self.stopped else rooms.over_of_load()[load // rooms.LOAD_STEP_MK]
        return self.room_mk() + over

    def power_w(self) -> int:
        if self.stopped:
            return 0
        hour, counts = self.ms // HOUR_MS - self.heat.first_hour, self.heat.plain.counts
        micro_units = (counts[(hour + 1) * 64 + self.room] - counts[hour * 64 + self.room]) * self.factor // 65_536
        return micro_units * 9 * 1_000 // 1_000_000

    def pipe_c(self, half_spread_ck: int) -> int:
        return ((self.radiator_mk() + 5) // 10 + (half_spread_ck if self.power_w() else 0) + 50) // 100

    # --- faults ---------------------------------------------------------------------------------------------------

    def fault(self) -> datetime | None:
        return None if self.fault_ms is None else EPOCH + timedelta(milliseconds=self.fault_ms)

    def minutes_unmeasured(self) -> int:
        if self.stop_ms is None:
            return 0
        return (self.ms - max(self.stop_ms, (self.last_set_date - DAY_ONE).days * DAY_MS)) // 60_000


def g(when: date) -> int:
    return int.from_bytes(encode_g(when), "little")


def f(when: datetime) -> int:
    return int.from_bytes(encode_f(when), "little")


def i(when: datetime, weekday: bool) -> int:
    leap = when.year % 4 == 0  # 2000 to 2080
    seconds = int.from_bytes(encode_i(when), "little")
    return seconds | leap << 6 | (when.isoweekday() << 21 if weekday else 0)


def eve(when: date) -> date:
    return when - timedelta(days=1)


QUANTITIES: dict[str, Callable[[Meter, int], int]] = {
    "units": lambda m, _: m.units(None, m.last_set_date),
    "set_date": lambda m, _: g(eve(m.last_set_date)),
    "set_day_after": lambda m, _: g(m.last_set_date),
    "set_date_units": lambda m, _: m.latched(m.last_set_date),
    "month_end": lambda m, back: g(eve(m.month_start(back))),
    "month_first": lambda m, back: g(m.month_start(back)),
    "month_units": lambda m, back: m.latched(m.month_start(back)),
    "month_increment": lambda m, back: m.since_boundary_before(
        m.month_start(back), m.month_start(back + 1), whole_after_set_date=True
    ),
    "half_end": lambda m, back: g(eve(m.half_start(back))),
    "half_units": lambda m, back: m.latched(m.half_start(back)),
    "half_increment": lambda m, back: m.since_boundary_before(
        m.half_start(back), m.half_start(back + 1), whole_after_set_date=True
    ),
    "half_difference": lambda m, back: m.since_boundary_before(
        m.half_start(back), m.half_start(back + 1), whole_after_set_date=False
    ),
    "date": lambda m, _: g(m.now.date()),
    "datetime": lambda m, _: f(m.now),
    "datetime_s": lambda m, _: i(m.now, weekday=True),
    "clock": lambda m, _: i(m.now, weekday=False) | DST_DEVIATION["clock"],
    "error_date": lambda m, _: NO_DATE if (at := m.fault()) is None else g(at.date()),
    "error_datetime": lambda m, _: NO_TIME if (at := m.fault()) is None else f(at),
    "error_flags": lambda m, _: sum({bit for fault in m.faults for bit in (1, 2, 4, 8) if fault.flags & bit}),
    "fabrication": lambda m, _: m.number,
    "room_dc": lambda m, _: (m.room_mk() + 50) // 100,
    "room_cc": lambda m, _: (m.room_mk() + 5) // 10,
    "radiator_dc": lambda m, _: (m.radiator_mk() + 50) // 100,
    "radiator_cc": lambda m, _: (m.radiator_mk() + 5) // 10,
    "minutes_unmeasured": lambda m, _: m.minutes_unmeasured(),
    "minutes_unmeasured_year": lambda m, _: m.lost_minutes,
    "seconds_tampered": lambda m, _: 0 if m.fault_ms is None else (m.ms - m.fault_ms) // 1_000,
    "volume_l": lambda m, _: m.litres(None),
    "set_date_volume_l": lambda m, _: m.litres(m.last_set_date),
    "month_volume_l": lambda m, back: m.litres(m.month_start(back)),
    "energy_kwh": lambda m, _: m.micro_units(None) * 9 // 1_000_000,
    "heating_volume_l": lambda m, _: m.micro_units(None) * 9 * 86 // 1_000_000,
    "power_w": lambda m, _: m.power_w(),
    "flow_l_h": lambda m, _: m.power_w() * 86 // 1_000,
    "flow_c": lambda m, _: m.pipe_c(500),
    "return_c": lambda m, _: m.pipe_c(-500),
    "spread_ck": lambda m, _: 1_000 if m.power_w() else 0,
    "energy_wh": lambda m, _: m.watt_hours(high=True) + m.watt_hours(high=False),
    "tariff_1_wh": lambda m, _: m.watt_hours(high=True),
    "tariff_2_wh": lambda m, _: m.watt_hours(high=False),
}


def values(fleet: Fleet, meter: int, time_ns: int) -> dict[str, int]:
    """What a telegram sent at this world time says, by slot label."""
    one = Meter(fleet, meter, time_ns)
    constants = one.kind.constants
    unsaid = {slot.quantity for slot in one.kind.slots} - {*constants, *QUANTITIES}
    assert not unsaid, f"{one.kind.id}: say {sorted(unsaid)} in words, in QUANTITIES of {__name__}"
    return {
        slot.label: constants[slot.quantity]
        if slot.quantity in constants
        else QUANTITIES[slot.quantity](one, slot.back)
        for slot in one.kind.slots
    }


def telegram(fleet: Fleet, meter: int, k: int, *, crcs: bool = False) -> bytes:
    """The bytes of telegram k."""
    start_ns = fleet.start_ns(meter, k)
    one, security = Meter(fleet, meter, start_ns), fleet.security(meter)
    records = one.kind.records(list(values(fleet, meter, start_ns).values()))
    sts = one.kind.idle_sts | (one.kind.low_power_sts if one.low_power else 0)
    for fault in one.faults:
        sts |= fault.sts
    made = build(
        fleet.address(meter), fleet.acc(meter, k), sts,
        one.kind.unencrypted_prefix + records if security == "none" else records, security=security,
        key=fleet.key(meter), counter=fleet.counter(meter, k) if security == "mode7" else None,
        c_field=one.kind.c_field, tpl=one.kind.tpl_for(security),
        cfg_flags=one.kind.cfg_flags_unencrypted if security == "none" else 0,
    )  # fmt: skip
    return add_crcs_a(made) if crcs else made
