"""What the air's speed is measured with: a city on the engine, and what it is compared with in the same run, since
machines differ and are shared. Rates are per second of processor time, the best of several rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import simpy

from sim.city.next_frames import NextFrames
from sim.core.seeds import Seeds
from sim.radio.air import Air
from sim.radio.emissions import Schedule
from sim.radio.engine import Engine
from sim.radio.fleet_frames import FleetFrames
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.links import Links, Radios, Receivers
from sim.radio.propagation import Propagation
from sim.radio.receiver_profile import ReceiverProfile
from sim.radio.sweep_arrays import Frames

WINDOW_NS = 900 * 10**9


class City:
    """Meters with two links each, T1, 73 bytes on the air, every 900 s, in the individual intervals of EN 13757-4.
    `weaker_cdb`: than levels from -70 to -95 dBm at a sensitivity of -100 dBm."""

    def __init__(
        self, meters: int, gateways: int, *, fading_cdb: int = 0, profile: ReceiverProfile | None = None,
        window_ns: int = WINDOW_NS, weaker_cdb: int = 0,
    ) -> None:  # fmt: skip
        seeds, meter = Seeds(1), np.arange(meters)
        home = meter * gateways // meters
        pair = np.sort(np.stack([home, (home + 1) % gateways], axis=1), axis=1)
        level = -7_000 - weaker_cdb - seeds.below("perf level", 2_500, np.arange(2 * meters))
        links = Links(np.arange(meters + 1) * 2, pair.ravel(), level, np.ones(2 * meters, dtype=bool))
        receivers = Receivers.of([np.zeros(3, np.int64)] * gateways, [-10_000] * gateways, [frozenset(Mode)] * gateways,
                                 [profile] * gateways if profile else ())  # fmt: skip
        radios = Radios(*(np.full(meters, v) for v in (Mode.T1, 63, 700, air_time_ns(Mode.T1, 63))))
        propagation = Propagation(2_800, 400, 0, fading_cdb, seeds)
        self.engine = Engine(propagation, receivers, links, radios, [1] * gateways)
        t0 = (seeds.u64("perf phase", meter) / 2.0**64 * WINDOW_NS).astype(np.int64)
        self.upcoming = NextFrames(t0, np.full(meters, WINDOW_NS), seeds.below("perf acc", 256, meter))
        self.window_ns = window_ns
        self.sent = 0

    def frames(self) -> Frames:
        """The next window's frames."""
        return self.upcoming.until(self.engine.now_ns + self.window_ns)

    def window(self) -> None:
        frames = self.frames()
        self.engine.window(self.engine.now_ns + self.window_ns, frames)
        self.sent += len(frames.k)


def rate(step: Callable[[], object], counted: Callable[[], int], rounds: int) -> float:
    """Transmissions a second of CPU time, best of the rounds."""
    best = 0.0
    for _ in range(rounds):
        before, begin = counted(), time.process_time()
        step()
        best = max(best, (counted() - before) / (time.process_time() - begin))
    return best


def simpy_timeouts(processes: int = 10_000, steps: int = 12) -> float:
    """SimPy time-outs a second with so many processes."""
    env = simpy.Environment()

    def tick(period: int) -> Any:
        while True:
            yield env.timeout(period)

    for i in range(processes):
        env.process(tick(1_000 + i % 97))
    env.run(until=500)
    begin = time.process_time()
    env.run(until=500 + 1_000 * steps)
    return processes * steps / 1.05 / (time.process_time() - begin)


def reference_rate(meters: int = 10_000, frames: int = 30_000) -> float:
    """Frames a second of the event-by-event model, two receivers in reach of each."""
    env, seeds = simpy.Environment(), Seeds(1)
    air = Air(env, Propagation(2_800, 400, 0, 0, seeds))
    places = np.stack([np.arange(meters) % 100, np.arange(meters) / 100, np.ones(meters)], axis=1)
    radios = Radios(*(np.full(meters, v) for v in (Mode.T1, 63, 700, air_time_ns(Mode.T1, 63))))
    air.add_fleet(places, radios, FleetFrames(lambda source, k: b""))
    for x in (20.5, 80.5):
        air.add_receiver(f"at {x}", np.array([x, 50.5, 2.0]), -10_000, tuple(Mode), lambda *_: None)
    span = frames * WINDOW_NS // 1_000  # as many a receiver and window as in the city
    start = np.sort((seeds.u64("perf start", np.arange(frames)) / 2.0**64 * span).astype(np.int64))
    begin = time.process_time()
    air.play(Schedule(start, np.arange(frames) % meters, np.arange(frames) // meters))
    env.run(until=span + 10**9)
    air.end_window()
    return frames / (time.process_time() - begin)


def growth(fewest: int, most: int) -> float:
    """x of time ~ N^x for a window of N meters, 500 to a gateway."""
    rates = []
    for meters in (fewest, most):
        city = City(meters, meters // 500)
        city.window()
        rates.append(rate(city.window, lambda city=city: city.sent, 3 + 300_000 // meters))  # type: ignore[misc]
    return 1 + float(np.log(rates[0] / rates[1]) / np.log(most / fewest))
