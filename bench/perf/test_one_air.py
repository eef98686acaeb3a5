"""Deferred gateways against prompt ones: one air, as worlds use it, played in whole windows and frame by frame.

    pytest bench/perf/test_one_air.py        figures: extra_info of --benchmark-json
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import simpy

from bench.perf.air import WINDOW_NS
from sim.core.history import History
from sim.core.seeds import Seeds
from sim.radio.air import ARRAYS, REFERENCE, Air
from sim.radio.emissions import Schedule
from sim.radio.fleet_frames import FleetFrames
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.links import Radios
from sim.radio.propagation import Propagation
from sim.radio.site import Site
from sim.radio.site_spec import SiteSpec


def window(engine: str, meters: int, gateways: int) -> tuple[float, str]:
    """(CPU seconds, digest) of the second of two windows in which each meter sends once."""
    env, history, seeds = simpy.Environment(), History(), Seeds(1)
    spec = SiteSpec(path_loss_exponent=4.0)
    site, meter = Site(spec, meters, gateways), np.arange(meters)
    air = Air(env, Propagation.of(spec, seeds), history=history, engine=engine)
    radios = Radios(*(np.full(meters, v) for v in (Mode.T1, 63, 700, air_time_ns(Mode.T1, 63))))
    air.add_fleet(site.meters, radios, FleetFrames(lambda source, k: b"", lambda sources, ks: [b""] * len(sources)))
    for number in range(gateways):
        place = site.gateways[number]
        air.add_receiver(f"gateway {number}", place, -10_000, tuple(Mode), lambda *_: None, deferred=True)
    took_s = 0.0
    for k in range(2):
        start = (seeds.u64("perf start", meter, k) / 2.0**64 * WINDOW_NS).astype(np.int64) + k * WINDOW_NS
        order = np.argsort(start, kind="stable")
        begin_s = time.process_time()
        air.play(Schedule(start[order], meter[order], np.full(meters, k)))
        env.run(until=(k + 1) * WINDOW_NS)
        air.end_window()
        took_s = time.process_time() - begin_s
    return took_s, history.digest


@pytest.mark.parametrize(("meters", "gateways", "least"), [(1_000, 8, 1.3), (10_000, 20, 2.5)])  # 2.9, 6.0
def test_deferred_gateways_make_the_air_faster(benchmark: Any, meters: int, gateways: int, least: float) -> None:
    benchmark.pedantic(lambda: window(ARRAYS, meters, gateways), rounds=1)
    arrays, reference = (min(window(engine, meters, gateways) for _ in range(3)) for engine in (ARRAYS, REFERENCE))
    assert arrays[1] == reference[1]
    benchmark.extra_info.update(times_reference=reference[0] / arrays[0], us_a_frame=arrays[0] / meters * 1e6)
    assert reference[0] / arrays[0] > least
