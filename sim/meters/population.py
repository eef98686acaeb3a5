"""The arrays of a fleet: one row a meter, made from the spec's groups and the run's seed.

No two meters of a type share an id: numbers come from an affine walk over the type's range, seeded, whose step shares
no factor with the range's length. Keys are sixteen drawn bytes a meter, or one for a group that says "shared".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.core.clock import ns
from sim.core.seeds import Seeds
from sim.core.settings import SpecError
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import Kind, kind
from sim.meters.physics import rooms
from sim.meters.physics.formulas import FACTOR_ONE
from wmbus.link import Address
from wmbus.telegram import length

I64 = NDArray[np.int64]

MASK_WORKDAYS: Final = "workdays 08-18"
CLOCK_SIGMA_MS: Final = 20_000
BATTERY_LOW_DAYS: Final = (-90, 3_560)  # a fleet is of mixed age: low power shows from a day in this span on
FACTOR_MEDIAN_Q16: Final = round(0.55 * FACTOR_ONE)
FACTOR_SIGMA: Final = 0.55  # of the logarithm
FACTOR_LIMITS_Q16: Final = (round(0.12 * FACTOR_ONE), round(3.2 * FACTOR_ONE))
UNMEASURED_MEAN_MINUTES: Final = 400
COUNTER_START_BELOW: Final = 1 << 24
_FACTOR_STEPS = 4_096
METER: Final = np.dtype(
    [
        ("t0_ns", np.int64), ("period_ns", np.int64), ("key_first", np.uint64), ("key_last", np.uint64),
        ("drift_ppb", np.int32), ("clock_offset_ms", np.int32), ("counter0", np.uint32), ("number", np.uint32),
        ("factor_q16", np.uint32), ("unmeasured_minutes", np.uint16), ("battery_low_day", np.int16),
        ("acc0", np.uint8), ("room", np.uint8),
    ],
    align=True,
)  # fmt: skip
"""A row of `Population.packed`: its arrays of these names, and the key as two words."""


class Population:
    """`group` is the index of the spec's group, `number` the id, `factor_q16` the rating factor; times are world ns.
    `start_day`: days since 2000 when the world begins. `only`: these meters of the world, ascending, as rows
    0, 1, ..."""

    def __init__(self, groups: Sequence[FleetSpec], seeds: Seeds, start_day: int, only: I64 | None = None) -> None:
        if not groups:
            raise SpecError("a fleet needs at least one group of meters")
        self.kinds: list[Kind] = [kind(spec.type) for spec in groups]
        for spec, one in zip(groups, self.kinds, strict=True):
            _check(spec, one)
        counts = [spec.count for spec in groups]
        total = sum(counts)
        self.groups = tuple(groups)
        meters = np.arange(total, dtype=np.int64) if only is None else only
        self.n = len(meters)
        self.group = np.searchsorted(np.cumsum(counts), meters, side="right").astype(np.uint16)
        self.number = self._numbers(seeds, meters, counts)
        self.keys = self._keys(seeds, meters)

        first = seeds.blocks("meter schedule", meters).astype(np.int64)
        self.acc0: NDArray[np.uint8] = (first[:, 0] & 255).astype(np.uint8)
        self.counter0: NDArray[np.uint32] = (first[:, 1] % COUNTER_START_BELOW).astype(np.uint32)
        ppb_limit = self._each([round(spec.drift_ppm * 1_000) for spec in groups])
        self.drift_ppb: NDArray[np.int32] = (first[:, 2] % (2 * ppb_limit + 1) - ppb_limit).astype(np.int32)
        interval_ns = self._each([ns(spec.interval_s) for spec in groups])
        # A clock that gains has short intervals.
        self.period_ns: I64 = interval_ns - interval_ns // 1_000 * self.drift_ppb // 1_000_000
        step_ns = self._each([0 if spec.in_step_s is None else ns(spec.in_step_s) for spec in groups])
        within_ns = np.where(step_ns > 0, np.minimum(step_ns, self.period_ns), self.period_ns)
        self.t0_ns: I64 = (first[:, 3] >> 8) * (within_ns >> 16) >> 8
        self.acc0[step_ns > 0] = 0
        clock_offset_ms = seeds.normal_q16("meter clock", meters) * CLOCK_SIGMA_MS >> 16
        self.clock_offset_ms: NDArray[np.int32] = clock_offset_ms.astype(np.int32)

        second = seeds.blocks("meter room", meters).astype(np.int64)
        set_point = _dealt(second[:, 0], rooms.SET_POINT_SHARES)
        habit = _dealt(second[:, 1], rooms.HABIT_SHARES)
        self.room: NDArray[np.uint8] = (set_point * len(rooms.HABITS) + habit).astype(np.uint8)
        self.unmeasured_minutes: NDArray[np.uint16] = (second[:, 2] % (2 * UNMEASURED_MEAN_MINUTES)).astype(np.uint16)
        self.factor_q16: NDArray[np.uint32] = _factors(seeds.normal_q16("radiator", meters))
        low_day, high_day = BATTERY_LOW_DAYS
        battery_low_day = start_day + low_day + second[:, 3] % (high_day - low_day)
        self.battery_low_day: NDArray[np.int16] = battery_low_day.astype(np.int16)

        def small(values: list[int], dtype: Any) -> NDArray[Any]:
            return self._each(values).astype(dtype)

        self.power_cdbm: NDArray[np.int16] = small([round(spec.power_dbm * 100) for spec in groups], np.int16)
        self.length_bytes: NDArray[np.uint8] = small(
            [
                length(one.payload_bytes(spec.security), spec.security, one.tpl_for(spec.security))
                for spec, one in zip(groups, self.kinds, strict=True)
            ],
            np.uint8,
        )
        self.masked: NDArray[np.bool_] = small([spec.mask == MASK_WORKDAYS for spec in groups], np.bool_)
        self.any_masked = bool(self.masked.any())
        self._order: NDArray[np.int64] | None = None

    def _each(self, values: Sequence[int]) -> I64:
        """One value a group -> one a meter."""
        return np.array(values, dtype=np.int64)[self.group]

    def _numbers(self, seeds: Seeds, meters: I64, counts: Sequence[int]) -> NDArray[np.uint32]:
        begins = np.cumsum(counts) - counts
        out = np.empty(self.n, dtype=np.uint32)
        for one in dict.fromkeys(self.kinds):
            groups = [index for index, of in enumerate(self.kinds) if of is one]
            mine = np.isin(self.group, groups)
            count = sum(counts[index] for index in groups)
            low, high = one.id_range
            room = high - low + 1
            if count > room:
                raise SpecError(f"{count} meters of type {one.id}, but its ids {low} to {high} are only {room}")
            step = seeds.one_below(f"id step {one.id}", room, 0) | 1
            while math.gcd(step, room) != 1:
                step += 2
            begin = seeds.one_below(f"id begin {one.id}", room, 0)
            # Where each stands among all meters of its type: step and place are below 2**27, so the product fits.
            before = np.zeros(len(counts), dtype=np.int64)
            before[groups] = np.cumsum([counts[index] for index in groups]) - [counts[index] for index in groups]
            place = meters[mine] + (before - begins)[self.group[mine]]
            out[mine] = (low + (begin + place * (step % room)) % room).astype(np.uint32)
        return out

    def _keys(self, seeds: Seeds, meters: I64) -> NDArray[np.uint8]:
        keys = seeds.bytes16("meter key", meters)
        for index, spec in enumerate(self.groups):
            if spec.key == "shared":
                keys[self.group == index] = seeds.bytes16("shared key", index)
        return keys

    @cached_property
    def packed(self) -> NDArray[np.void]:
        """What compiled code reads of each meter, one METER a row, as the arrays are when it is first asked for. A
        meter is 64 bytes in one place: in another order than that of meters, memory costs more than the work."""
        out = np.zeros(self.n, dtype=METER)
        for name in METER.names or ():
            if not name.startswith("key"):
                out[name] = getattr(self, name)
        out["key_first"], out["key_last"] = self.keys.view(np.uint64).T
        return out

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in vars(self).values() if isinstance(array, np.ndarray))

    def find(self, address: str) -> int:
        """Index of the meter of this whole address, -1 when there is none."""
        parts = address.split()
        if len(parts) != 4 or not parts[1].isdecimal():
            return -1
        if self._order is None:
            self._order = np.argsort(self.number, kind="stable")
        number = int(parts[1])
        at = int(np.searchsorted(self.number, number, sorter=self._order))
        while at < self.n and int(self.number[self._order[at]]) == number:
            meter = int(self._order[at])
            one = self.kinds[self.group[meter]]
            if str(Address(one.manufacturer, parts[1], one.version, one.device_type)) == address:
                return meter
            at += 1
        return -1


def _check(spec: FleetSpec, one: Kind) -> None:
    if spec.security not in one.securities:
        raise SpecError(f"fleet '{spec.name}': {one.id} sends {', '.join(one.securities)}, not {spec.security}")
    if spec.link not in one.links:
        raise SpecError(f"fleet '{spec.name}': {one.id} has links {', '.join(one.links)}, not {spec.link}")


def _dealt(words: I64, shares: Sequence[int]) -> I64:
    """Draws -> which of the shares (which sum to a hundred) they fall in."""
    of_each: I64 = np.repeat(np.arange(len(shares)), shares)
    return of_each[words % len(of_each)]


def _factors(normal_q16: I64) -> NDArray[np.uint32]:
    """Log-normal rating factors, by a table of powers so that no libm is asked a million times."""
    steps = np.arange(-7 * _FACTOR_STEPS, 7 * _FACTOR_STEPS + 1, 64)
    table = np.array([round(FACTOR_MEDIAN_Q16 * math.exp(FACTOR_SIGMA * s / _FACTOR_STEPS)) for s in steps.tolist()])
    index = ((normal_q16 >> 4) - int(steps[0])) // 64
    factors: NDArray[np.uint32] = np.clip(table[index], *FACTOR_LIMITS_Q16).astype(np.uint32)
    return factors
