"""The whole path: a thousand meters for a day at 900 s, through Mosquitto with mutual TLS, to stored readings."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.rig.scenario import load_world
from sim.core.clock import NS_PER_HOUR
from sim.endpoint.port import Endpoint
from sim.world import World


@dataclass(frozen=True, slots=True)
class Day:
    """`processor_s`: ours and the broker's, the world's making included; `wall_s` counts the disk's and the broker's
    waits too."""

    readings: int
    processor_s: float
    wall_s: float


def broker_s(broker: Endpoint | None) -> float:
    """Processor seconds of the broker so far."""
    assert broker is not None
    return process_s(broker.pid)


def process_s(pid: int | None) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def day(hours: int = 24) -> Day:
    """The day, or its first hours. The run is checked before its time is believed."""
    with tempfile.TemporaryDirectory(prefix="wmbench-path-") as folder:
        begin_s, begin_wall_s = time.process_time(), time.perf_counter()
        with World(load_world("day-1000"), 1, Path(folder)) as world:
            world.run(hours * NS_PER_HOUR)
            took_s = time.process_time() - begin_s + broker_s(world.system.endpoint)
            wall_s = time.perf_counter() - begin_wall_s
            assert world.truth.altered_readings == 0
            assert world.truth.missing() == []
            return Day(world.truth.stored, took_s, wall_s)
