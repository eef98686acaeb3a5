"""Random small worlds for holding the engine against the reference: one description, played by both."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from hypothesis import Phase
from hypothesis import strategies as st
from small_air import Stage, radios, sorted_schedule

from sim.core.history import FrameBatch
from sim.core.seeds import Seeds
from sim.radio.capture_effect import fsk
from sim.radio.emissions import Schedule
from sim.radio.engine import Engine
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.links import Links, Radios
from sim.radio.receiver_profile import ReceiverProfile, profile, profiles
from sim.radio.sweep_arrays import Frames

T = air_time_ns(Mode.T1, 63)
CURVE = fsk(300, 1.5, 64)
# A failing world takes minutes to shrink, so that is done on demand: WMBENCH_SHRINK=1 python -m pytest tests/sim/radio
PHASES = tuple(phase for phase in Phase if phase is not Phase.shrink or os.environ.get("WMBENCH_SHRINK"))
LENGTHS = np.array([31, 47, 63])


@dataclass(frozen=True)
class World:
    """A drawn world; everything else follows from these by seeds."""

    seed: int
    meters: int
    frames: int
    load: float  # frames an air time
    receivers: int
    gateways: int
    demodulators: int
    fading_cdb: int
    capture: int | str
    grid_ns: int  # starts are multiples of this: large grids make ties and frames that touch
    bursts: int
    visits: int
    outages: int
    windows: tuple[int, ...]  # lengths in thousandths of the whole

    @property
    def span_ns(self) -> int:
        return max(T, round(self.frames * T / self.load))


WORLDS = st.builds(
    World,
    seed=st.integers(0, 2**64 - 1), meters=st.integers(1, 40), frames=st.integers(1, 160),
    load=st.sampled_from([0.05, 0.3, 1.0, 3.0]), receivers=st.integers(1, 4), gateways=st.integers(1, 4),
    demodulators=st.integers(0, 3), fading_cdb=st.sampled_from([0, 300, 900]),
    capture=st.sampled_from([800, 300, 20_000, -20_000, "fsk", *profiles()]),
    grid_ns=st.sampled_from([7, 1_000, T // 2, T]),
    bursts=st.integers(0, 6), visits=st.integers(0, 8), outages=st.sampled_from([0, 1, 4, 40]),
    windows=st.lists(st.integers(1, 999), max_size=6, unique=True).map(lambda cuts: tuple(sorted(cuts))),
)  # fmt: skip


def profile_of(world: World) -> ReceiverProfile:
    """What the world's receivers have: a threshold, a curve, or a profile of the folder."""
    if isinstance(world.capture, int):
        return ReceiverProfile.plain(world.capture)
    return ReceiverProfile.plain(CURVE) if world.capture == "fsk" else profile(world.capture)


class Play:
    """One world, played twice."""

    def __init__(self, world: World) -> None:
        self.world = world
        seeds = Seeds(world.seed)
        self.seeds = seeds
        fleet = radios(world.meters)
        meter = np.arange(world.meters)
        mode = seeds.below("test mode", 3, meter) + 1
        length = LENGTHS[seeds.below("test length", 3, meter)]
        stretch = seeds.below("test chip rate", 21, meter) - 10
        duration = [air_time_ns(Mode(m), n, 10_000 * s) // world.grid_ns * world.grid_ns or world.grid_ns
                    for m, n, s in zip(mode.tolist(), length.tolist(), stretch.tolist(), strict=True)]  # fmt: skip
        self.fleet = Radios(mode, length, fleet.power_cdbm, np.array(duration))
        self.places = seeds.below("test place", 6_000, meter[:, None], np.arange(3)) / 100
        frame = np.arange(world.frames)
        grid = max(1, world.span_ns // world.grid_ns)
        start = seeds.below("test start", grid, frame) * world.grid_ns
        who = seeds.below("test meter", world.meters, frame)
        _, single = np.unique(who * (1 << 40) + start, return_index=True)  # a meter begins one frame at a time
        order = np.lexsort((start[single], who[single]))
        self.schedule = sorted_schedule(start[single][order], who[single][order], frame[: len(single)])
        edges = [0, *(world.span_ns * cut // 1000 for cut in world.windows), world.span_ns]
        self.edges = [*sorted(set(edges)), world.span_ns + 60 * T + 1, world.span_ns + 10**9]
        self.stage = self._stage()

    def _stage(self) -> Stage:
        world, seeds = self.world, self.seeds
        stage = Stage(world.meters, fleet=self.fleet, positions=self.places,
                      profile=profile_of(world),
                      fading_cdb=world.fading_cdb, shadowing_cdb=800, gateways=min(world.gateways, world.receivers),
                      seed=world.seed)  # fmt: skip
        for r in range(world.receivers):
            x, y = (int(v) / 100 for v in seeds.below("test receiver", 6_000, r, np.arange(2)))
            links = [(Mode.T1, Mode.C1, Mode.S1), (Mode.T1,), (Mode.C1, Mode.S1)][seeds.one_below("test links", 3, r)]
            stage.listen(x=x, y=y, links=links, sensitivity_cdbm=-7_000, demodulators=world.demodulators)
        self.intruders: list = []
        add = stage.air._medium.add_intruder
        stage.air._medium.add_intruder = lambda one: (self.intruders.append(one), add(one))[1]
        for kind, count in (("burst", world.bursts), ("visit", world.visits)):
            place = seeds.below("test visitor", 6_000, 0 if kind == "burst" else 1, np.arange(3)) / 100
            source = stage.air.add_transmitter(place)
            for k in range(count):
                stage.env.process(self._visitor(stage, kind, source, k))
        for number in range(world.outages):
            stage.env.process(self._outage(stage, number))
        return stage

    def _at(self, purpose: str, k: int) -> int:
        grid = max(1, self.world.span_ns // self.world.grid_ns)
        return self.seeds.one_below(purpose, grid, k) * self.world.grid_ns

    def _visitor(self, stage: Stage, kind: str, source: int, k: int):
        yield stage.env.timeout(self._at(f"test {kind} start", k))
        mode = Mode(self.seeds.one_below(f"test {kind} mode", 3, k) + 1)
        power = self.seeds.one_below(f"test {kind} power", 4_000, k) - 3_000
        if kind == "burst":
            duration = max(1, self.seeds.one_below("test burst length", 4 * T, k))
            stage.air.emit(source, k, mode, 0, power, duration_ns=duration, jammer=True)
        else:
            stage.air.emit(source, k, mode, 20, power, frame=bytes(20))

    def _outage(self, stage: Stage, number: int):
        yield stage.env.timeout(self._at("test outage", number))
        receiver = stage.air.receivers[self.seeds.one_below("test outage where", self.world.receivers, number)]
        receiver.up = False
        longest_ns = 2 * T if number % 4 == 0 else T // 4
        yield stage.env.timeout(self.seeds.one_below("test outage length", longest_ns, number))
        receiver.up = True

    def _window(self, begin: int, end: int) -> Schedule:
        low, high = np.searchsorted(self.schedule.start_ns, [begin, end])
        return self.schedule.part(int(low), int(high))

    def reference(self) -> list:
        """(frames sent, frames heard, rows) of each window."""
        told = []
        for begin, end in zip([0, *self.edges[1:]], self.edges[1:], strict=False):
            self.stage.air.play(self._window(begin, end))
            self.stage.env.run(until=end)
            counts = self.stage.air.end_window()
            told.append((counts.frames_sent, counts.frames_heard, counts.fates, rows_of(counts.batch)))
        return told

    def engine(self) -> list:
        """The same from the engine. After `reference`, which says what visitors sent and when receivers were down."""
        air = self.stage.air
        demodulators = [r.listener.demodulators for r in air.receivers]
        engine, quick = (
            Engine(air.propagation, air.receiver_arrays, air.links, self.fleet, demodulators, gateways=air.gateways)
            for _ in range(2)
        )  # fmt: skip
        told = []
        for begin, end in zip([0, *self.edges[1:]], self.edges[1:], strict=False):
            intruders = [v for v in self.intruders if begin <= v.emission.start_ns < end]
            known = [[[down, up] for down, up in r.listener.outages if down < end] for r in air.receivers]
            frames = Frames.of(self._window(begin, end), self.world.meters)
            result = engine.window(end, frames, intruders, known, detail=True)
            assert result.batch is not None
            told.append((result.frames_sent, result.frames_heard, result.fates, rows_of(result.batch)))
            assert result.counts.sum() == len(result.batch)
            brief = quick.window(end, frames, intruders, known)  # without detail there are short cuts
            assert np.array_equal(brief.counts, result.counts)
            assert np.array_equal(brief.heard, result.heard)
        return told


def rows_of(batch: FrameBatch) -> list[tuple[int, ...]]:
    table = np.stack([getattr(batch, name) for name in FrameBatch.__slots__], axis=1)
    return sorted(map(tuple, table.tolist()))


__all__ = ["PHASES", "WORLDS", "Links", "Play", "World", "rows_of"]
