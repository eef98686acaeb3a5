"""What the grid operator must have under TAF 9 and 10, held against what it has: value by value, from the houses and
the meetings alone, by the rule in words and not by the tariff engine.

For each quarter hour of the contract up to the last period's end: what the house fed in until then, which its meter
keeps; and power, voltages, currents, angles and frequency as they were when the gateway met the meter, where that was
within nine seconds of the quarter hour. One at which they did not meet is told as a gap. Under TAF 10 by event, a
voltage that is beyond its bounds and was not at the meeting before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sim.core.clock import NS_PER_S
from sim.meters.physics.household_power import Household
from sim.site_plan import gateway_groups
from sim.smart_metering.lmn.wired_plan import house_of, meter_name, numbers_of
from sim.systems._smgw_grid import GRID_OPERATOR
from sim.systems._smgw_running import Smgw, smgw
from sim.truth.periods_in_words import Key
from sim.truth.wired_values import counted, last_met_s, met_ns
from sim.truth.wrong_rows import CLOCK_TOLERANCE_S

if TYPE_CHECKING:
    from sim.world import World

_QUARTER_S: Final = 900
_NEAR_S: Final = 9
"""A hundredth of a quarter hour."""
_FED_IN: Final = "1-0:2.8"
_VOLTS: Final = ("1-0:32.7.0*255", "1-0:52.7.0*255", "1-0:72.7.0*255")
_NOMINAL_V: Final = 230
Row = tuple[Key, Decimal | None]


def expected_of_grid(world: World, *, waiting: bool = False) -> dict[Key, Decimal | None]:
    """What the grid operator must have by now, but for gateways that are off or cut off. `waiting`: of these alone,
    what it may have. Nothing where there is none."""
    system = smgw(world.system)
    out: dict[Key, Decimal | None] = {}
    epoch_s = int(world.calendar.start.timestamp())
    delivery_s = round(system.settings.delivery_s)
    for number, gateway in enumerate(world.gateways):
        is_waiting = not gateway.up or bool(gateway.waiting)
        until_s = last_met_s(world, number) if system.grid.tafs else None
        if until_s is None or is_waiting is not waiting:
            continue
        met_s = _by_instant(epoch_s + at_ns // NS_PER_S for at_ns in met_ns(world, number))
        offset_s = gateway_groups(world.spec)[number].clock_offset_s
        marked = system.settings.flag_clock and abs(offset_s) > CLOCK_TOLERANCE_S
        end_s = until_s // delivery_s * delivery_s
        for meter in numbers_of(number, system.settings.wired):
            house = house_of(world.seeds, meter)
            name = system.grid.named(meter_name(meter))
            for taf in system.grid.tafs:
                out.update(_of_meter(system, house, name, taf, met_s, (epoch_s, end_s), marked))
    return out


def _of_meter(
    system: Smgw, house: Household, name: str, taf: int, met_s: dict[int, int], span_s: tuple[int, int], marked: bool
) -> Iterator[Row]:  # fmt: skip
    settings = system.settings
    begin_s, end_s = span_s
    if taf == 10 and settings.grid_beside_v:
        yield from _crossed(house, name, met_s, span_s, Decimal(str(settings.grid_beside_v)))
        return
    every_s = round(settings.grid_every_s)
    for at_s in range((begin_s // every_s + 1) * every_s, end_s + 1, every_s):
        measured = _measured(house, met_s.get(at_s), taf)
        if taf == 9:
            fed_in = None if marked else Decimal(counted(house, _FED_IN, at_s)).scaleb(-4)
            measured[f"{_FED_IN}.0*255"] = fed_in
        for code, amount in measured.items():
            yield (name, taf, code, None, at_s), amount


def _measured(house: Household, at_s: int | None, taf: int) -> dict[str, Decimal | None]:
    """By code; None: they did not meet."""
    if taf == 9:
        return {"1-0:2.7.0*255": None if at_s is None else Decimal(max(0, -house.power_w(at_s)))}
    grid = house.grid(0 if at_s is None else at_s)
    said = {"1-0:16.7.0*255": Decimal(house.power_w(at_s or 0)), "1-0:14.7.0*255": Decimal(grid.frequency).scaleb(-2)}
    for place, code in enumerate(_VOLTS):
        said[code] = Decimal(grid.voltages[place]).scaleb(-1)
        said[f"1-0:{31 + 20 * place}.7.0*255"] = Decimal(grid.currents[place]).scaleb(-2)
        said[f"1-0:81.7.{(4, 15, 26)[place]}*255"] = Decimal(grid.angles[place])
    return dict.fromkeys(said) if at_s is None else dict(said)


def _crossed(
    house: Household, name: str, met_s: dict[int, int], span_s: tuple[int, int], far: Decimal
) -> Iterator[Row]:  # fmt: skip
    begin_s, end_s = span_s
    for place, code in enumerate(_VOLTS):
        was = False
        for instant, at_s in sorted(met_s.items()):
            if instant > end_s:
                break
            volts = Decimal(house.grid(at_s).voltages[place]).scaleb(-1)
            beyond = abs(volts - _NOMINAL_V) > far
            if beyond and not was and instant > begin_s:
                yield (name, 10, code, None, instant), volts
            was = beyond


def _by_instant(met_s: Iterable[int]) -> dict[int, int]:
    """Quarter hour -> the meeting that stands for it: the nearest, the first of two that are as near."""
    out: dict[int, int] = {}
    for at_s in met_s:
        nearest = (at_s + _QUARTER_S // 2) // _QUARTER_S * _QUARTER_S
        far_s = abs(at_s - nearest)
        if far_s <= _NEAR_S and (nearest not in out or far_s < abs(out[nearest] - nearest)):
            out[nearest] = at_s
    return out


def has_of_grid(world: World) -> dict[Key, Decimal | None]:
    """What it has; a value that came to it under another name or for somebody else is none that it must have."""
    return {
        (one.meter, one.taf, one.obis, one.from_s, one.until_s): one.amount
        for one in world.system.delivered()
        if one.receiver == GRID_OPERATOR
    }
