"""What each gateway must have stored of its radio meters of security profile C, and what the final receiver must have
of them: from what the air carried to a gateway that had power, and from nothing that gateways kept.

A message reached its gateway when its last frame did; frames before it were acknowledged by then. Its value stands from
the next full second of the gateway's clock on, for two intervals.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

from sim.core.clock import NS_PER_S, ns
from sim.site_plan import gateway_groups
from sim.smart_metering.lmn.radio_plan import address_of
from sim.smgw.obis_codes import of_text
from sim.systems._smgw_running import smgw
from sim.truth.periods_in_words import Key, Stands, of_period
from sim.truth.wrong_rows import CLOCK_TOLERANCE_S, TIME_INVALID, WrongRow, energy, stored, unlike

if TYPE_CHECKING:
    from sim.world import World

_INTERVAL_S, _INTERVALS = 300, 2
_KWH_OF_TENTH_WH: Final = -4
_QUANTITIES: Final = ("1-0:1.8", "1-0:2.8")


def radio_count(world: World) -> int:
    """Radio meters of profile C of each gateway."""
    return smgw(world.system).settings.wireless


def _reached(world: World, gateway: int) -> dict[str, list[tuple[int, tuple[int, ...]]]]:
    """Meter -> (second, registers) by time, as the gateway's clock has it."""
    ahead_ns = ns(gateway_groups(world.spec)[gateway].clock_offset_s)
    epoch_s = int(world.calendar.start.timestamp())
    found: dict[str, list[tuple[int, tuple[int, ...]]]] = {}
    for one in smgw(world.system).radio_meters.accounts[gateway].reached:
        at_s = epoch_s - -(one.end_ns + ahead_ns) // NS_PER_S
        found.setdefault(one.meter, []).append((at_s, tuple(one.counted)))
    return found


def expected_of_radio(
    world: World, taf: int, periods: Sequence[tuple[int, int]], tolerance_s: float, *, waiting: bool
) -> Iterator[tuple[Key, Decimal | None]]:
    """See delivered_values.expected. Values of a clock that is known to be wrong are marked and not billed."""
    settings = smgw(world.system).settings
    for number, gateway in enumerate(world.gateways):
        is_waiting = not gateway.up or bool(gateway.waiting)
        offset_s = gateway_groups(world.spec)[number].clock_offset_s
        marked = settings.flag_clock and settings.time_over_tls and abs(offset_s) > tolerance_s
        if not radio_count(world) or is_waiting is not waiting or marked:
            continue
        for meter, said in _reached(world, number).items():
            for place, quantity in enumerate(_QUANTITIES):
                line = [(at_s, counted[place]) for at_s, counted in said]
                for start_s, end_s in periods:
                    yield from of_period(meter, quantity, partial(_stands, line), taf, start_s, end_s)


def _stands(line: Sequence[tuple[int, int]], at_s: int) -> Stands | None:
    place = bisect_right(line, at_s, key=lambda one: one[0]) - 1
    if place < 0 or at_s - line[place][0] > _INTERVALS * _INTERVAL_S:
        return None
    return Stands(Decimal(line[place][1]).scaleb(_KWH_OF_TENTH_WH))


def wrong_rows(world: World) -> list[WrongRow]:
    """Rows of a gateway that no meter said so, in any of their columns, and rows that are missing. A gateway learns at
    a window's end that its clock is off, so where it is a row's word may say so and need not."""
    found: list[WrongRow] = []
    count = radio_count(world)
    for number, gateway in enumerate(smgw(world.system).gateways):
        side = gateway.radio
        if side is None or not gateway.up:
            continue
        reached = _reached(world, number)
        off = abs(gateway_groups(world.spec)[number].clock_offset_s) > CLOCK_TOLERANCE_S
        for meter in map(str, map(address_of, range(number * count, (number + 1) * count))):
            for place, quantity in enumerate(_QUANTITIES):
                has = stored(side.store, meter, of_text(f"{quantity}.0*255"))
                said_off = {at_s for at_s, row in has.items() if off and row.word & TIME_INVALID}
                must = {at_s: energy(counted[place], off=at_s in said_off) for at_s, counted in reached.get(meter, [])}
                found += unlike(meter, quantity, has, must)
    return found
