"""A household at its electricity meter: what it drew from the grid in two tariffs, what it fed in, and the grid itself.

Consumption is the load profile of one habit; a house with panels has a sun of its own shape, so it draws when it uses
more than they give and feeds in when it uses less. Every week is like every other, and power is even within an hour: as
with the load profile, enough for registers that grow at a credible pace, and every value is a pure function of (seed,
house, instant). Voltages and frequency are drawn anew each second, around 230 V and 50 Hz.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final, NamedTuple

from sim.core.seeds import Seeds
from sim.meters.physics.load_profile import is_high, used_mwh
from sim.meters.physics.rooms import HABITS, HOURS_A_WEEK

WEEK_EPOCH_S: Final = 946_684_800
"""Saturday 2000-01-01 00:00 UTC, when weeks of the load profile begin."""
_HOUR_S: Final = 3_600
_WEEK_S: Final = HOURS_A_WEEK * _HOUR_S
_SUN: Final = (0, 0, 0, 0, 0, 0, 2, 8, 18, 29, 38, 43, 44, 41, 34, 24, 13, 4, 0, 0, 0, 0, 0, 0)
"""Of the peak power of panels, hundredths by hour."""
_PANEL_W: Final = (0, 0, 2_400, 5_200)
_FACTOR_ONE: Final = 1 << 16
_FACTORS: Final = tuple(_FACTOR_ONE * percent // 100 for percent in (45, 60, 75, 90, 100, 115, 140, 180))
_FIRST_MWH: Final = 4_000_000_000
"""So that no register begins at nothing: 4 000 kWh."""


class Registers(NamedTuple):
    """Milliwatt hours since the meter was made."""

    high: int
    low: int
    fed_in: int

    @property
    def drawn(self) -> int:
        return self.high + self.low


class GridValues(NamedTuple):
    """Of three phases: tenths of a volt, hundredths of an ampere, degrees between voltage and current; hundredths of a
    hertz."""

    voltages: tuple[int, int, int]
    currents: tuple[int, int, int]
    angles: tuple[int, int, int]
    frequency: int


@dataclass(frozen=True)
class Household:
    """House number `index` of a seed."""

    seeds: Seeds
    index: int

    def _draw(self, what: str, below: int, at: int = 0) -> int:
        return self.seeds.one_u64(f"household {what}", self.index, at) % below

    @cached_property
    def panel_w(self) -> int:
        """Peak power of its panels; 0: it has none."""
        return _PANEL_W[self._draw("panels", len(_PANEL_W))]

    @cached_property
    def _net_mwh(self) -> tuple[int, ...]:
        """Drawn (below 0: fed in) in each hour of the week."""
        factor = _FACTORS[self._draw("factor", len(_FACTORS))]
        habit = self._draw("habit", len(HABITS))
        high, low = (used_mwh(tariff)[habit] for tariff in (True, False))
        hours = range(HOURS_A_WEEK)
        used = [(high[h + 1] - high[h] + low[h + 1] - low[h]) * factor >> 16 for h in hours]
        return tuple(one - self.panel_w * _SUN[h % 24] * 10 for h, one in enumerate(used))

    @cached_property
    def _week(self) -> tuple[tuple[int, ...], ...]:
        """High, low, fed in: 169 sums from Saturday midnight on."""
        net = self._net_mwh
        parts = (
            [max(0, one) if is_high(h) else 0 for h, one in enumerate(net)],
            [max(0, one) if not is_high(h) else 0 for h, one in enumerate(net)],
            [max(0, -one) for one in net],
        )
        return tuple(tuple(accumulate(part, initial=0)) for part in parts)

    def registers(self, at_s: int) -> Registers:
        """At an instant, seconds since 1970."""
        weeks, within_s = divmod(at_s - WEEK_EPOCH_S, _WEEK_S)
        hour, second = divmod(within_s, _HOUR_S)
        out = []
        for sums in self._week:
            part = (sums[hour + 1] - sums[hour]) * second // _HOUR_S
            out.append(weeks * sums[-1] + sums[hour] + part)
        first = self._draw("first", _FIRST_MWH)
        return Registers(first + out[0], first // 3 + out[1], out[2])

    def power_w(self, at_s: int) -> int:
        """Drawn from the grid; below 0: fed in."""
        return self._net_mwh[(at_s - WEEK_EPOCH_S) % _WEEK_S // _HOUR_S] // 1_000

    def grid(self, at_s: int) -> GridValues:
        """At an instant."""
        voltages = tuple(2_300 + self._draw(f"voltage {phase}", 101, at_s) - 50 for phase in range(3))
        power_w = self.power_w(at_s)
        currents = tuple(abs(power_w) * 1_000 // 3 // volts for volts in voltages)
        angles = tuple(
            (self._draw(f"angle {phase}", 21, at_s) - 10 + (180 if power_w < 0 else 0)) % 360 for phase in range(3)
        )
        frequency = 5_000 + self._draw("frequency", 7, at_s) - 3
        return GridValues(_three(voltages), _three(currents), _three(angles), frequency)


def _three(values: tuple[int, ...]) -> tuple[int, int, int]:
    one, two, three = values
    return one, two, three
