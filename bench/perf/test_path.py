"""The whole path: a thousand meters for a day at 900 s, through Mosquitto with mutual TLS, to stored readings.

Goal on two cores: under 30 s. Processor time is held to it, ours and the broker's, and so is the wall, which counts the
disk's and the broker's waits too. A machine that others use shows on the wall what they do, so there the better of two
days counts. The run is checked before its time is believed.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

from bench.rig.scenario import load_world
from sim.core.clock import NS_PER_DAY
from sim.endpoint.port import Endpoint
from sim.world import World

LIMIT_S = 30.0


def broker_s(broker: Endpoint) -> float:
    """Processor seconds of the broker so far."""
    fields = Path(f"/proc/{broker.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_thousand_meters_for_a_day(benchmark: Any, tmp_path: Path) -> None:
    spec = load_world("day-1000")
    processor_s = 0.0

    def day() -> int:
        nonlocal processor_s
        begin = time.process_time()
        with World(spec, 1, tmp_path / "world") as world:
            world.run(NS_PER_DAY)
            processor_s = time.process_time() - begin + broker_s(world.endpoint)
            assert world.truth.altered_readings == 0
            assert world.truth.missing() == []
            return world.truth.stored

    readings = benchmark.pedantic(day, rounds=1, iterations=1)
    wall_s = benchmark.stats.stats.min
    if wall_s >= LIMIT_S:
        shutil.rmtree(tmp_path / "world")
        begin = time.perf_counter()
        day()
        wall_s = time.perf_counter() - begin
    benchmark.extra_info.update(
        readings=readings, processor_s=round(processor_s, 1), readings_per_s=round(readings / processor_s)
    )
    assert readings > 90_000
    assert processor_s < LIMIT_S
    assert wall_s < LIMIT_S
