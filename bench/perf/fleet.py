"""What a fleet's telegrams cost, one at a time and many at once: the figures of docs/models/meters.md.

    python -m bench.perf.fleet        prints them, in half a minute

Rates are telegrams a second of processor time, best of several rounds; who shares the machine counts little.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from arrays import ciphers
from bench.perf.bytes import fleet_of
from sim.core.seeds import Seeds
from sim.core.vocabulary import SECURITIES
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds

_NOON = 48  # telegram 48 of an interval of 900 s: all clocks show one day
_MANY = 100_000
START = datetime(2026, 1, 5, tzinfo=UTC)


def best(step: Callable[[int], object], count: int, rounds: int = 4) -> float:
    """`count` divided by the processor seconds of step(round), best of the rounds; the first one is not counted."""
    rates = []
    for number in range(rounds + 1):
        begin = time.process_time()
        step(number)
        rates.append(count / (time.process_time() - begin))
    return max(rates[1:])


def single(fleet: Fleet, count: int = 1_000) -> float:
    return best(lambda n: [fleet.telegram(meter, _NOON + n) for meter in range(count)], count)


def many(fleet: Fleet, meter: np.ndarray) -> float:
    return best(lambda n: fleet.telegrams(meter, np.full(len(meter), _NOON + n), crcs=True), len(meter))


def main() -> None:
    for security in SECURITIES:
        print(f"single telegrams, vipa-c10, {security}: {single(fleet_of(1_000, security)):,.0f}/s")
    others = [
        single(Fleet([FleetSpec("one", id_, 300, security="mode5", interval_s=900.0)], Seeds(1), start=START), 300)
        for id_ in kinds()
    ]
    print(f"single telegrams, each type, mode5: {min(others):,.0f} to {max(others):,.0f}/s")
    in_order = np.arange(_MANY)
    at_random = np.argsort(Seeds(1).u64("perf order", np.arange(1_000_000)))[:_MANY]
    for security in SECURITIES:
        fleet = fleet_of(1_000_000, security)
        print(f"many, compiled, {security}: {many(fleet, in_order) / 1e6:.1f} M/s in order of meters, ", end="")
        print(f"{many(fleet, at_random) / 1e6:.1f} in another; ", end="")
        ciphers.use("tables")
        print(f"AES by tables {many(fleet, in_order) / 1e6:.2f}")
        ciphers.use(None)
    print(f"a fleet of a million is made in {1 / best(lambda _: fleet_of(1_000_000, 'mode5'), 1, 2):.2f} s")


if __name__ == "__main__":
    main()
