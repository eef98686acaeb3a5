"""What the fleet's bytes cost: telegrams built, encrypted and CRC'd a second, and memory a meter."""

from __future__ import annotations

import time
import tracemalloc
from datetime import UTC, datetime

import numpy as np

from bench.perf.air import City
from sim.core.seeds import Seeds
from sim.core.vocabulary import Security
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec

_BATCH = 65_536
_NOON = 48  # telegram 48 of an interval of 900 s: all clocks show one day


def fleet_of(meters: int, security: Security) -> Fleet:
    spec = FleetSpec("city", "vipa-c10", meters, security=security, interval_s=900.0)
    return Fleet([spec], Seeds(1), start=datetime(2026, 1, 5, tzinfo=UTC))


def telegram_rate(security: Security, meters: int = 400_000, rounds: int = 5) -> float:
    """On-air telegrams a second of processor time, each of another meter and key, in order of meters and in batches, as
    a city's radio cells hand them over."""
    fleet, meter = fleet_of(meters, security), np.arange(meters)
    best = 0.0
    for round_ in range(rounds + 1):  # the first compiles
        k = np.full(meters, _NOON + round_)
        begin = time.process_time()
        made = sum(
            len(fleet.telegrams(meter[low : low + _BATCH], k[low : low + _BATCH], crcs=True))
            for low in range(0, meters, _BATCH)
        )
        best = max(best, made / (time.process_time() - begin)) if round_ else best
    return best


def bytes_a_meter(meters: int = 200_000) -> float:
    """All that Python holds for a fleet with keys and the engine with two links a meter, once they are made."""
    small = fleet_of(1_000, "mode5"), City(1_000, 2)  # tables, modules and compiled code are nobody's meter
    small[1].window()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = fleet_of(meters, "mode5"), City(meters, meters // 500)
        kept[1].window()
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    del small
    return held / meters
