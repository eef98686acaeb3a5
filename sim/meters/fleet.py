"""The fleet: every meter of a world as one row in arrays, and what each sends as a pure function of (seed, meter, k).

    population      the arrays themselves, made from the spec's groups
    sending_times   when telegram k begins
    day_steps       what the calendar makes of a type's quantities on a day
    evaluate        what the telegram says then
    meter_type      how that stands in bytes

A group with a transmit mask stays silent outside it while its schedule runs on: the access number counts the slots,
sent or not, as it must if a receiver is to predict the next one. A walk-by receiver on Monday sees the jump.

A meter's clock has an offset and a drift, and its intervals have the same drift, since one crystal drives both. What
happens at a date happens at the meter's own midnight.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.core.clock import NS_PER_MS, Calendar
from sim.core.seeds import Seeds
from sim.core.vocabulary import Security
from sim.meters import civil
from sim.meters.day_steps import Day, Step
from sim.meters.evaluate import Instant, value
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import TAMPERS, Kind
from sim.meters.physics.formulas import MS_PER_DAY, MS_PER_HOUR, WATER
from sim.meters.physics.heat import heat_of
from sim.meters.population import Population
from sim.meters.quantities import COUNT, QUANTITIES
from sim.meters.sending_times import first_at, one_start, starts
from sim.meters.sent_values import NEVER_MS, WELL, Leak, State, Tamper, Truth
from sim.meters.telegram_batch import Telegrams, Whole, telegrams
from sim.radio.emissions import Schedule
from wmbus.link import Address
from wmbus.telegram import build

if TYPE_CHECKING:
    from sim.meters.fill_kernels import Form

I64 = NDArray[np.int64]
_REMEMBERED = 1 << 16


class Fleet:
    """`start` is the calendar instant of world time 0; `only` these meters of the world, as its
    0, 1, ... Raises ValueError for a spec no fleet can be made of."""

    def __init__(
        self, groups: Sequence[FleetSpec], seeds: Seeds, *, start: datetime, outdoor_mean_c: float = 9.5,
        only: I64 | None = None,
    ) -> None:  # fmt: skip
        self.groups = tuple(groups)
        self._made_of = seeds, start, outdoor_mean_c, only
        calendar_start = Calendar(start).start.replace(tzinfo=None)
        self.epoch_ms = (calendar_start - civil.EPOCH) // timedelta(milliseconds=1)
        self.population = Population(self.groups, seeds, self.epoch_ms // MS_PER_DAY, only)
        self.n = self.population.n
        self.kinds = self.population.kinds
        self.longest_ns = int(self.population.period_ns.max())
        self.heat = heat_of(seeds.seed, outdoor_mean_c, calendar_start.year)
        self.changes = 0
        """How often something happened to a meter: what is made of the fleet before and kept says what it said then."""
        self._tampers: dict[int, list[Tamper]] = {}
        self._leaks: dict[int, Leak] = {}
        self._latched: dict[tuple[int, int, int], list[int]] = {}
        self._split = [_latched_and_live(kind) for kind in self.kinds]
        self._days: dict[tuple[int, int], tuple[Day, tuple[Step, ...]]] = {}
        self._forms: dict[tuple[int, int], Form] = {}

    def in_clear(self) -> Fleet:
        """The same meters, what happens to them included, as if none of them encrypted."""
        seeds, start, outdoor_mean_c, only = self._made_of
        groups = [dataclasses.replace(group, security="none") for group in self.groups]
        clear = Fleet(groups, seeds, start=start, outdoor_mean_c=outdoor_mean_c, only=only)
        clear._tampers, clear._leaks, clear._latched = self._tampers, self._leaks, self._latched
        return clear

    # --- identity -----------------------------------------------------------------------------------------------------

    def kind(self, meter: int) -> Kind:
        return self.kinds[int(self.population.group[meter])]

    def address(self, meter: int) -> Address:
        """The whole address; raises IndexError for a meter that is not there."""
        return _address(self.kind(self._checked(meter)), int(self.population.number[meter]))

    def find(self, address: Address | str) -> int:
        """The meter of this address, -1 when there is none."""
        return self.population.find(str(address))

    def key(self, meter: int) -> bytes | None:
        """Its key; None when it sends without encryption."""
        if self.security(meter) == "none":
            return None
        return bytes(self.population.keys[self._checked(meter)].data)

    def security(self, meter: int) -> Security:
        return self.groups[int(self.population.group[self._checked(meter)])].security

    def length_bytes(self, meter: int) -> int:
        """Bytes of each of its telegrams, without CRCs."""
        return int(self.population.length_bytes[meter])

    def _checked(self, meter: int) -> int:
        if not 0 <= meter < self.n:
            raise IndexError(f"meter {meter} of a fleet of {self.n}")
        return meter

    # --- when --------------------------------------------------------------------------------------------------

    def start_ns(self, meter: int, k: int) -> int:
        """World time at which telegram k begins. Raises ScheduleOverflow."""
        population = self.population
        return one_start(int(population.t0_ns[meter]), int(population.period_ns[meter]), int(population.acc0[meter]), k)

    def starts(self, meter: Whole, k: Whole) -> I64:
        """start_ns for arrays."""
        population = self.population
        numbers = np.asarray(k, dtype=np.int64)
        return starts(population.t0_ns[meter], population.period_ns[meter], population.acc0[meter], numbers)

    def acc(self, meter: int, k: int) -> int:
        """Access number of telegram k."""
        return int(self.population.acc0[meter]) + k & 255

    def counter(self, meter: int, k: int) -> int:
        """Message counter of mode 7: one more with each telegram, never twice in a life."""
        return int(self.population.counter0[meter]) + k

    def sends(self, meter: int, k: int) -> bool:
        """False where the transmit mask keeps it silent."""
        if not self.population.masked[meter]:
            return True
        return bool(_on_duty(np.array([self.clock_ms(meter, self.start_ns(meter, k))]))[0])

    def window(self, t0_ns: int, t1_ns: int) -> Schedule:
        """Every telegram that begins in [t0_ns, t1_ns). Cut in any way, windows together give the same telegrams."""
        population = self.population
        empty = np.empty(0, dtype=np.int64)
        if t1_ns <= t0_ns:
            return Schedule(empty, empty, empty)
        first = first_at(population.t0_ns, population.period_ns, population.acc0, t0_ns)
        count = first_at(population.t0_ns, population.period_ns, population.acc0, t1_ns) - first
        meter = np.repeat(np.arange(self.n, dtype=np.int64), count)
        k = np.arange(len(meter), dtype=np.int64) - np.repeat(np.cumsum(count) - count - first, count)
        start = self.starts(meter, k)
        if population.any_masked:
            duty = ~population.masked[meter] | _on_duty(self.clocks_ms(meter, start))
            meter, k, start = meter[duty], k[duty], start[duty]
        # Rows stand in order of meter and k, so a stable sort by start alone leaves ties in order of meter.
        order = np.argsort(start, kind="stable")
        return Schedule(start[order], meter[order], k[order])

    def clock_ms(self, meter: int, time_ns: int) -> int:
        """What the meter's clock shows, milliseconds since 2000-01-01, at a world time."""
        population = self.population
        gained_ns = time_ns // NS_PER_MS * int(population.drift_ppb[meter]) // 1_000
        return self.epoch_ms + int(population.clock_offset_ms[meter]) + (time_ns + gained_ns) // NS_PER_MS

    def clocks_ms(self, meter: Whole, time_ns: I64) -> I64:
        """clock_ms for arrays."""
        population = self.population
        gained_ns = time_ns // NS_PER_MS * population.drift_ppb[meter] // 1_000
        offset_ms = population.clock_offset_ms[meter].astype(np.int64)
        out: I64 = (time_ns + gained_ns) // NS_PER_MS + offset_ms + self.epoch_ms
        return out

    # --- what --------------------------------------------------------------------------------------------------

    def telegram(self, meter: int, k: int) -> bytes:
        """The bytes of telegram k, without CRCs."""
        meter, k = int(self._checked(meter)), int(k)
        group = self.groups[int(self.population.group[meter])]
        start_ns = self.start_ns(meter, k)
        ms = self._clock_ms(meter, start_ns)
        kind = self.kind(meter)
        records = kind.records(self._values(meter, ms, start_ns))
        if group.security == "none":
            records = kind.unencrypted_prefix + records
        return build(
            self.address(meter), self.acc(meter, k), self._sts(meter, ms, start_ns), records,
            security=group.security, key=self.key(meter),
            counter=self.counter(meter, k) if group.security == "mode7" else None,
            c_field=kind.c_field, tpl=kind.tpl_for(group.security),
            cfg_flags=kind.cfg_flags_unencrypted if group.security == "none" else 0,
        )  # fmt: skip

    def telegrams(self, meter: Whole, k: Whole, *, crcs: bool = False) -> Telegrams:
        """The bytes of many telegrams, each as `telegram` makes it; with `crcs` as on the air in frame format A."""
        return telegrams(self, meter, k, crcs=crcs)

    def units(self, meter: int, time_ns: int) -> int:
        """Units on the display at a world time: counted since the last set date."""
        ms = self._clock_ms(meter, time_ns)
        day, _ = self._day(int(self.population.group[meter]), ms // MS_PER_DAY)
        return value(day.step(QUANTITIES["units"], 0), self._instant(meter, ms, time_ns), self.heat.plain)

    def litres(self, meter: int, time_ns: int) -> int:
        """Litres on a water meter's display at a world time."""
        ms = self._clock_ms(meter, time_ns)
        day, _ = self._day(int(self.population.group[meter]), ms // MS_PER_DAY)
        return value(day.step(QUANTITIES["volume_l"], 0), self._instant(meter, ms, time_ns), self.heat.plain)

    def truth(self, meter: int, k: int) -> Truth:
        """What telegram k says."""
        meter, k = int(self._checked(meter)), int(k)
        start_ns = self.start_ns(meter, k)
        ms = self._clock_ms(meter, start_ns)
        kind = self.kind(meter)
        values = {slot.label: one for slot, one in zip(kind.slots, self._values(meter, ms, start_ns), strict=True)}
        day, _ = self._day(int(self.population.group[meter]), ms // MS_PER_DAY)
        set_day = int(civil.month_start(day.last_set(day.month))) - 1
        return Truth(
            meter=meter, k=k, start_ns=start_ns, acc=self.acc(meter, k),
            counter=self.counter(meter, k) if self.security(meter) == "mode7" else None,
            sts=self._sts(meter, ms, start_ns), meter_time=civil.datetime_of(ms // 60_000),
            units=values.get("units"), set_date=civil.datetime_of(set_day * 1_440).date(),
            set_date_units=values.get("set_date_units"), tampered=self.state(meter, start_ns).fault_ms <= ms,
            low_power=self._low_power(meter, ms), values=values,
        )  # fmt: skip

    def form(self, group: int, day: int) -> Form:
        """What compiled code fills for a group on a day of its meters' clocks, days since 2000; made once."""
        one = self._forms.get((group, day))
        if one is None:
            if len(self._forms) > 4 * len(self.groups):
                self._forms.clear()
            from sim.meters import compose_plan  # which loads the compiler

            _, steps = self._day(group, day)
            security = self.groups[group].security
            one = compose_plan.form(self.kinds[group], security, steps, day, self.epoch_ms)
            self._forms[group, day] = one
        return one

    def records_bytes(self, group: int) -> int:
        """Bytes of a group's records, with what stands before plain ones."""
        return self.kinds[group].payload_bytes(self.groups[group].security)

    def _day(self, group: int, day: int) -> tuple[Day, tuple[Step, ...]]:
        """A day of a group's calendar, and its type's steps on it; made once."""
        one = self._days.get((group, day))
        if one is None:
            if len(self._days) > 4 * len(self.groups):
                self._days.clear()
            its_day = Day(day, self.kinds[group].set_month, self.heat.first_hour)
            one = self._days[group, day] = its_day, its_day.steps(self.kinds[group])
        return one

    def _values(self, meter: int, ms: int, time_ns: int) -> list[int]:
        """One value a slot. The latched ones are remembered until the next boundary."""
        group = int(self.population.group[meter])
        day, steps = self._day(group, ms // MS_PER_DAY)
        latched, live = self._split[group]
        instant, tables = self._instant(meter, ms, time_ns), self.heat.plain
        key = (meter, day.half_month, instant.stop_ms)
        values = self._latched.get(key)
        if values is None:
            values = [0] * len(steps)
            for index in latched:
                values[index] = value(steps[index], instant, tables)
            if len(self._latched) >= _REMEMBERED:
                self._latched.clear()
            self._latched[key] = values
        values = values.copy()
        for index in live:
            values[index] = value(steps[index], instant, tables)
        return values

    def _clock_ms(self, meter: int, time_ns: int) -> int:
        """The meter's clock, milliseconds since 2000; the tables reach it."""
        ms = self.clock_ms(meter, time_ns)
        self.heat.cover(ms)
        return ms

    def _instant(self, meter: int, ms: int, time_ns: int) -> Instant:
        population, state = self.population, self.state(meter, time_ns)
        own = (int(population.number[meter]), int(population.unmeasured_minutes[meter]), state.flags)
        begin_ms = self.heat.first_hour * MS_PER_HOUR
        return Instant(
            int(population.room[meter]), int(population.factor_q16[meter]), ms - begin_ms, state.stop_ms - begin_ms,
            state.fault_ms - begin_ms, own, self._leak(meter, begin_ms),
        )  # fmt: skip

    # --- what happens to it ------------------------------------------------------------------------------------

    def tamper(self, meter: int, at_ns: int, how: str = "opened") -> None:
        """From this world time on the meter shows it, as its type does, until `reset`. `how`: opened, removed (it
        stops counting), sensor (it stops counting)."""
        if how not in TAMPERS:
            raise ValueError(f"a meter can be {', '.join(TAMPERS)}, not '{how}'")
        self._tampers.setdefault(self._checked(meter), []).append(Tamper(at_ns, how))
        self._changed()

    def reset(self, meter: int, at_ns: int) -> None:
        """A technician was there: from this world time on the meter shows nothing of what happened to it before, and
        counts as if it had never stopped. Telegrams that it sent until then stay what they were."""
        if every := self._tampers.get(self._checked(meter)):
            every[:] = [dataclasses.replace(one, end_ns=at_ns) if one.lasts(at_ns) else one for one in every]
            self._changed()

    def burst(self, meter: int, at_ns: int, litres_an_hour: float) -> None:
        """Behind this water meter a pipe bursts: from this world time on so much runs through it, day and night. Raises
        ValueError for a meter that has a burst pipe already, or counts no water."""
        if not self.counts_water(meter):
            raise ValueError(f"meter {self.address(meter)} counts no water")
        if meter in self._leaks:
            raise ValueError(f"meter {self.address(meter)} has a burst pipe already")
        self._leaks[meter] = Leak(at_ns, litres_an_hour)
        self._changed()

    def _changed(self) -> None:
        self.changes += 1
        self._latched.clear()

    def leaks(self) -> dict[int, Leak]:
        """The burst pipes: meter -> what runs through it."""
        return dict(self._leaks)

    def counts_water(self, meter: int) -> bool:
        """Is water drawn through this meter?"""
        kind = self.kind(self._checked(meter))
        said = [kind.quantity(slot.quantity) for slot in kind.slots]
        return any(quantity.op == COUNT and quantity.of == WATER for quantity in said)

    def _leak(self, meter: int, begin_ms: int) -> tuple[int, int]:
        """As Instant has it: on the meter's clock."""
        leak = self._leaks.get(meter)
        if leak is None:
            return NEVER_MS, 0
        return self.clock_ms(meter, leak.at_ns) - begin_ms, round(leak.litres_an_hour * 1_000)

    @property
    def singular(self) -> set[int]:
        """Meters whose telegrams compiled code does not know: something has happened to them or will."""
        return {*self._tampers, *self._leaks}

    def tampers(self, meter: int) -> tuple[Tamper, ...]:
        """What was done to the meter, in the order of the calls."""
        return tuple(self._tampers.get(meter, ()))

    @property
    def tampered(self) -> set[int]:
        """The meters to which something has happened or will."""
        return set(self._tampers)

    def state(self, meter: int, time_ns: int) -> State:
        """What has happened to a meter by a world time, as it shows."""
        if meter not in self._tampers:
            return WELL
        stop_ms = fault_ms = NEVER_MS
        flags = sts = 0
        for tamper in self._tampers[meter]:
            if tamper.lasts(time_ns):
                happened_ms = self.clock_ms(meter, tamper.at_ns)
                fault_ms = min(fault_ms, happened_ms)
                flags |= self.kind(meter).faults[tamper.how].flags
                sts |= self.kind(meter).faults[tamper.how].sts
                if tamper.how != "opened":
                    stop_ms = min(stop_ms, happened_ms)
        return State(stop_ms, fault_ms, flags, sts)

    def _low_power(self, meter: int, ms: int) -> bool:
        return ms >= int(self.population.battery_low_day[meter]) * MS_PER_DAY

    def _sts(self, meter: int, ms: int, time_ns: int) -> int:
        kind = self.kind(meter)
        power = kind.low_power_sts if self._low_power(meter, ms) else 0
        return kind.idle_sts | power | self.state(meter, time_ns).sts


def _latched_and_live(kind: Kind) -> tuple[list[int], list[int]]:
    """Which of a type's values may be remembered until the next half month, and which are worked out each time."""
    latched = [index for index, slot in enumerate(kind.slots) if kind.quantity(slot.quantity).latched]
    return latched, [index for index in range(len(kind.slots)) if index not in latched]


def _on_duty(clock_ms: I64) -> NDArray[np.bool_]:
    """Monday to Friday, 08 to 18 h by the meter's clock. Day 0 was a Saturday."""
    hour = clock_ms // MS_PER_HOUR
    return (hour // 24 % 7 >= 2) & (hour % 24 >= 8) & (hour % 24 < 18)


@lru_cache(maxsize=_REMEMBERED)
def _address(kind: Kind, number: int) -> Address:
    return Address(kind.manufacturer, f"{number:08d}", kind.version, kind.device_type)
