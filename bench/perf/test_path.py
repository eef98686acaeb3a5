"""The whole path: a thousand meters for a day at 900 s, through Mosquitto with mutual TLS, to stored readings.

Goal on two cores: under 30 s. The run is checked before its time is believed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.scenario import load_world
from sim.clock import NS_PER_DAY
from sim.world import World

LIMIT_S = 30.0


def test_a_thousand_meters_for_a_day(benchmark: Any, tmp_path: Path) -> None:
    spec = load_world("day-1000")

    def day() -> int:
        with World(spec, 1, tmp_path / "world") as world:
            world.run(NS_PER_DAY)
            assert world.truth.altered_readings == 0
            assert world.truth.missing() == []
            return len(world.truth.readings)

    readings = benchmark.pedantic(day, rounds=1, iterations=1)
    benchmark.extra_info["readings"] = readings
    benchmark.extra_info["readings_per_s"] = round(readings / benchmark.stats.stats.mean)
    assert readings > 90_000
    assert benchmark.stats.stats.mean < LIMIT_S
