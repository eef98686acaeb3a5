"""What the final receiver must have of wired meters, and what each gateway must have stored of them: from the houses
themselves and from the faults that struck, by the rule in words and by nothing that the gateways kept.

A gateway meets its meters at each quarter hour of its clock and, after a power cut, at the end of the next window. What
a meter measured until the last meeting at which the wire was whole, the gateway has, and every period that ended by
then is whole: the difference of each quarter hour is in the zone that rules it, none is in the register 63.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

from sim.core.clock import NS_PER_S, ns
from sim.faults.gateway_power_cut import PowerCut
from sim.faults.wired_bus_cut import WiredBusCut
from sim.meters.physics.household_power import Household, Registers
from sim.site_plan import gateway_groups
from sim.smart_metering.lmn.wired_plan import house_of, meter_name, numbers_of
from sim.smgw.obis_codes import of_text
from sim.systems._smgw_running import smgw
from sim.truth.periods_in_words import QUARTER_S, Key, Stands, of_period
from sim.truth.wrong_rows import CLOCK_TOLERANCE_S, WrongRow, energy, stored, unlike

if TYPE_CHECKING:
    from sim.world import World

_DRAWN, _FED_IN = "1-0:1.8", "1-0:2.8"
_MWH_OF_TENTH_WH: Final = 100
_KWH_OF_TENTH_WH: Final = -4
_REGISTERS: Final[dict[str, Callable[[Registers], int]]] = {
    "1-0:1.8.0": lambda one: (one.high + one.low) // _MWH_OF_TENTH_WH,
    "1-0:1.8.1": lambda one: one.high // _MWH_OF_TENTH_WH,
    "1-0:1.8.2": lambda one: one.low // _MWH_OF_TENTH_WH,
    "1-0:2.8.0": lambda one: one.fed_in // _MWH_OF_TENTH_WH,
}
"""What a gateway must store of each."""


def counted(house: Household, quantity: str, at_s: int) -> int:
    """What a register shows, tenths of a watt hour."""
    one = house.registers(at_s)
    return (one.high + one.low if quantity == _DRAWN else one.fed_in) // _MWH_OF_TENTH_WH


def wired_count(world: World) -> int:
    """Wired meters of each gateway."""
    return smgw(world.system).settings.wired


def met_ns(world: World, gateway: int) -> list[int]:
    """World times at which the gateway met its wired meters over a whole wire, in order: at each quarter hour of its
    clock, and at a window's end where it did not in that quarter hour since it was switched on."""
    now_ns, window_ns = world.now_ns, ns(world.spec.window_s)
    ahead_ns = ns(int(world.calendar.start.timestamp()) + gateway_groups(world.spec)[gateway].clock_offset_s)
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
                    value = partial(_stands, house, quantity)
                    for key, amount in of_period(name, quantity, value, taf, begin_s, end_s):
                        yield key, None if marked else amount


def _stands(house: Household, quantity: str, at_s: int) -> Stands | None:
    """A first period that begins beside the raster has no value of its own instants."""
    if at_s % QUARTER_S:
        return None
    return Stands(Decimal(counted(house, quantity, at_s)).scaleb(_KWH_OF_TENTH_WH))


def wrong_rows(world: World) -> list[WrongRow]:
    """Stored rows of wired meters that are not what the house counted, in any of their columns, and rows that are
    missing up to the last meeting. Each row's word says whether the gateway's clock was right."""
    count = wired_count(world)
    found: list[WrongRow] = []
    start_s = -(-int(world.calendar.start.timestamp()) // QUARTER_S) * QUARTER_S
    for number, gateway in enumerate(smgw(world.system).gateways):
        side = gateway.wired
        until_s = last_met_s(world, number)
        if side is None or not gateway.up or until_s is None:
            continue
        off = abs(gateway_groups(world.spec)[number].clock_offset_s) > CLOCK_TOLERANCE_S
        for meter in numbers_of(number, count):
            house, name = house_of(world.seeds, meter), meter_name(meter)
            for register, tenths in _REGISTERS.items():
                has = stored(side.store, name, of_text(f"{register}*255"))
                must = {at_s: energy(tenths(house.registers(at_s)), off=off)
                        for at_s in range(start_s, until_s + 1, QUARTER_S)}  # fmt: skip
                found += unlike(name, register, has, must)
    return found
