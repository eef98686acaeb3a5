"""What the final receiver must have of wired meters, and what each gateway must have stored of them: from the houses
themselves and from the faults that struck, by the rule in words and by nothing that the gateways kept.

A gateway meets its meters at each quarter hour of its clock and, after a power cut, at the end of the next window. What
a meter measured until the last meeting at which the wire was whole, the gateway has, and every period that ended by
then is whole: the difference of each quarter hour is in the zone that rules it, none is in the register 63.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from sim.core.clock import NS_PER_S, ns
from sim.faults.gateway_power_cut import PowerCut
from sim.faults.wired_bus_cut import WiredBusCut
from sim.meters.physics.household_power import Household
from sim.site_plan import gateway_groups
from sim.smart_metering.lmn.wired_plan import house_of, meter_name, numbers_of
from sim.smgw.german_time import local
from sim.smgw.obis_codes import Obis, of_text

if TYPE_CHECKING:
    from sim.world import World

QUARTER_S: Final = 900
_DAY_HOURS: Final = range(6, 21)
_DRAWN, _FED_IN = "1-0:1.8", "1-0:2.8"
_MWH_OF_TENTH_WH: Final = 100
_KWH_OF_TENTH_WH: Final = -4
MISSING: Final = "missing"
Key = tuple[str, int, str, int | None, int]
"""Meter, TAF, OBIS code, from, until."""


def counted(house: Household, quantity: str, at_s: int) -> int:
    """What a register shows, tenths of a watt hour."""
    one = house.registers(at_s)
    return (one.high + one.low if quantity == _DRAWN else one.fed_in) // _MWH_OF_TENTH_WH


def wired_count(world: World) -> int:
    """Wired meters of each gateway; other systems have none."""
    return int(getattr(world.spec.system, "wired", 0))


def met_ns(world: World, gateway: int) -> list[int]:
    """World times at which the gateway met its wired meters over a whole wire, in order: at each quarter hour of its
    clock, and at a window's end where it did not in that quarter hour since it was switched on."""
    now_ns, window_ns = world.now_ns, ns(world.spec.window_s)
    ahead_ns = ns(gateway_groups(world.spec)[gateway].clock_offset_s)
    first = 1 + ahead_ns // ns(QUARTER_S)
    tried = {at_ns - ahead_ns for at_ns in range(first * ns(QUARTER_S), now_ns + ahead_ns + 1, ns(QUARTER_S))}
    tried.add(min(window_ns, now_ns))  # the first window's end
    off: list[tuple[int, int]] = []
    cut: list[tuple[int, int]] = []
    for one in world.injections:
        fault = one.fault
        if one.struck_ns is None or getattr(fault, "gateway", None) != gateway:
            continue
        until_ns = now_ns + 1 if one.healed_ns is None else one.healed_ns
        if isinstance(fault, PowerCut):
            off.append((one.struck_ns, until_ns))
            tried.add(-(-until_ns // window_ns) * window_ns)
        elif isinstance(fault, WiredBusCut):
            cut.append((one.struck_ns, until_ns))
    met: list[int] = []
    last = (0, 0)
    for at_ns in sorted(tried):
        if at_ns > now_ns or any(a < at_ns <= b for a, b in off):
            continue
        # The quarter hour, and how often it was switched on: it tries once in each.
        quarter = (at_ns + ahead_ns) // ns(QUARTER_S), 1 + sum(b < at_ns for _, b in off)
        if quarter != last and not any(a < at_ns <= b for a, b in cut):
            met.append(at_ns)
        last = quarter
    return met


def last_met_s(world: World, gateway: int) -> int | None:
    """The last quarter hour whose values the gateway has; None: it met nobody yet."""
    epoch_s = int(world.calendar.start.timestamp())
    met = met_ns(world, gateway)
    return (epoch_s + met[-1] // NS_PER_S) // QUARTER_S * QUARTER_S if met else None


def expected_of_wired(
    world: World,
    taf: int,
    periods: Callable[[int, int], Iterator[tuple[int, int]]],
    flagged: Callable[[int], bool],
    *,
    waiting: bool = False,
) -> Iterator[tuple[Key, Decimal | None]]:
    """`periods(start, until)`: of the contract. `flagged(gateway)`: its clock is wrong and it marks that, so that
    nothing is billed, and a load profile says that there is nothing."""
    count = wired_count(world)
    start_s = int(world.calendar.start.timestamp())
    for number, gateway in enumerate(world.gateways):
        marked = flagged(number)
        is_waiting = not gateway.up or bool(gateway.waiting)
        if not count or is_waiting is not waiting or (marked and taf != 7):
            continue
        until_s = last_met_s(world, number)
        if until_s is None:
            continue
        for meter in numbers_of(number, count):
            house, name = house_of(world.seeds, meter), meter_name(meter)
            for begin_s, end_s in periods(start_s, until_s):
                for quantity in (_DRAWN, _FED_IN):
                    for key, amount in _of_period(house, name, quantity, taf, begin_s, end_s):
                        yield key, None if marked else amount


def _of_period(
    house: Household, name: str, quantity: str, taf: int, begin_s: int, end_s: int
) -> Iterator[tuple[Key, Decimal | None]]:
    first_s = -(-begin_s // QUARTER_S) * QUARTER_S
    if taf == 7:
        for at_s in range(begin_s, end_s + 1, QUARTER_S):
            # A first period that begins beside the raster has no value of its own instants.
            amount = _kwh(counted(house, quantity, at_s)) if begin_s == first_s else None
            yield (name, 7, f"{quantity}.0*255", None, at_s), amount
        return
    sums = {1: 0, 2: 0, 63: 0} if taf == 2 else {1: 0}
    if taf == 1 and first_s != begin_s:
        return
    for at_s in range(first_s, end_s, QUARTER_S):
        zone = 2 if taf == 2 and local(at_s).hour in _DAY_HOURS else 1
        sums[zone] += counted(house, quantity, at_s + QUARTER_S) - counted(house, quantity, at_s)
    for zone, tenths in sums.items():
        yield (name, taf, f"{quantity}.{zone}*255", begin_s, end_s), _kwh(tenths)


def _kwh(tenths: int) -> Decimal:
    return Decimal(tenths).scaleb(_KWH_OF_TENTH_WH)


def wrong_rows(world: World) -> list[str]:
    """Stored rows of wired meters that are not what the house counted, and rows that are missing up to the last
    meeting."""
    return [str(one) for one in _rows(world)]


def altered_rows(world: World) -> list[str]:
    """Of these, rows that are there and are wrong."""
    return [str(one) for one in _rows(world) if one.has != MISSING]


class WrongRow(NamedTuple):
    meter: str
    quantity: str
    at_s: int
    has: int | str
    must: int | str

    def __str__(self) -> str:
        return f"{self.meter}, {self.quantity}, {self.at_s}: {self.has}, must be {self.must}"


def _rows(world: World) -> list[WrongRow]:
    count = wired_count(world)
    found: list[WrongRow] = []
    start_s = -(-int(world.calendar.start.timestamp()) // QUARTER_S) * QUARTER_S
    for number, gateway in enumerate(world.gateways):
        side = getattr(gateway, "wired", None)
        until_s = last_met_s(world, number)
        if side is None or not gateway.up or until_s is None:
            continue
        for meter in numbers_of(number, count):
            house, name = house_of(world.seeds, meter), meter_name(meter)
            for quantity in (_DRAWN, _FED_IN):
                has = {row.at_s: row.entry.value for row in side.store.of(name, _code(quantity))}
                must = {at_s: counted(house, quantity, at_s) for at_s in range(start_s, until_s + 1, QUARTER_S)}
                found += [
                    WrongRow(name, quantity, at_s, has.get(at_s, MISSING), must.get(at_s, "nothing"))
                    for at_s in sorted({*has, *must})
                    if has.get(at_s) != must.get(at_s)
                ]
    return found


def _code(quantity: str) -> Obis:
    return of_text(f"{quantity}.0*255")
