"""The air with its two engines: one world with every kind of visitor, told the same way by both, to the byte."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_air import AIR_TIME_NS, Stage, radios, sorted_schedule
from worlds import CURVE, WORLDS, Play, World, rows_of

from sim.radio import windowed
from sim.radio.air import ARRAYS, ENGINES, REFERENCE, Air
from sim.radio.links import Links
from sim.radio.modes import Mode

T = AIR_TIME_NS
REACTION_NS = T // 20

VISITED = WORLDS.flatmap(
    lambda world: st.builds(
        replace, st.just(world), meters=st.integers(1, 25), frames=st.integers(1, 100), receivers=st.integers(1, 3),
        gateways=st.integers(1, 5), windows=st.lists(st.integers(1, 999), max_size=4, unique=True).map(tuple),
    )
)  # fmt: skip


class Visited(Play):
    """A drawn world whose first receivers are patient, among a noise, bursts, frames, a trigger that jams what it has
    read the header of, an ear that sends again what it hears, receivers that come late, and somebody who looks."""

    def __init__(self, world: World, engine: str) -> None:
        self.engine_name = engine
        super().__init__(world)
        self.edges = sorted({*self.edges, *(edge + 1 for edge in self.edges[:-2:2])})  # and windows of a nanosecond

    def _stage(self) -> Stage:
        world = self.world
        stage = Stage(
            world.meters, fleet=self.fleet, positions=self.places,
            capture_cdb=CURVE if world.capture == "fsk" else world.capture, fading_cdb=world.fading_cdb,
            shadowing_cdb=800, gateways=world.gateways, seed=world.seed, engine=self.engine_name,
        )  # fmt: skip
        self.told: list[tuple[Any, ...]] = []
        self.tapped: list[tuple[Any, ...]] = []
        stage.air.taps.append(lambda e, *what: self.tapped.append(
            (e.start_ns, e.source, e.k, e.end_ns, e.mode, e.jammer, e.length_bytes, e.power_cdbm, e.telegram, *what)
        ))  # fmt: skip
        for number in range(world.receivers):
            self._receive(stage, number, patient=True)
        for number, (kind, count) in enumerate((("burst", world.bursts), ("visit", world.visits), ("noise", 1))):
            source = stage.air.add_transmitter(self._spot(number))
            for k in range(count):
                stage.env.process(self._visitor(stage, kind, source, k))
        self._reactive(stage)
        for number in range(world.outages):
            stage.env.process(self._outage(stage, number))
        for number in range(3):
            stage.env.process(self._late(stage, number))
            stage.env.process(self._look(stage, number))
        return stage

    def _spot(self, number: int) -> Any:
        return self.seeds.below("test spot", 6_000, number, np.arange(3)) / 100

    def _receive(self, stage: Stage, number: int, *, patient: bool, on_frame: Any = None, on_header: Any = None) -> None:
        links = [(Mode.T1, Mode.C1, Mode.S1), (Mode.T1,), (Mode.C1, Mode.S1)][
            self.seeds.one_below("test links", 3, number)
        ]
        index = len(stage.air.receivers)

        def told(telegram: bytes, end_ns: int, level: int) -> None:
            self.told.append((index, telegram, end_ns, level, int(stage.env.now)))
            if on_frame is not None:
                on_frame(telegram)

        stage.air.add_receiver(
            f"r{index}", self._spot(10 + number), -7_800, links, told, on_header, self.world.demodulators,
            patient=patient,
        )  # fmt: skip

    def _reactive(self, stage: Stage) -> None:
        """Both stand beside the first receiver or far from it, as the spots fall."""
        jammer, speaker = (stage.air.add_transmitter(self._spot(20 + i)) for i in range(2))
        sent = {jammer: 0, speaker: 0}

        def again(source: int, wait_ns: int, **what: Any) -> Any:
            yield stage.env.timeout(wait_ns)
            sent[source] += 1
            stage.air.emit(source, sent[source], Mode.T1, power_cdbm=1_000, **what)

        def header(_first: bytes, now_ns: int, level: int, mode: Mode, remaining_ns: int) -> None:
            self.told.append(("header", now_ns, level, mode, remaining_ns))
            if remaining_ns > REACTION_NS and sent[jammer] < 6:
                rest = {"length_bytes": 0, "duration_ns": remaining_ns - REACTION_NS, "jammer": True}
                stage.env.process(again(jammer, REACTION_NS, **rest))

        def replayed(telegram: bytes) -> None:
            if sent[speaker] < 6:
                stage.env.process(again(speaker, 3 * T, frame=telegram.ljust(20), length_bytes=20))

        self._receive(stage, 20, patient=False, on_header=header)
        self._receive(stage, 21, patient=False, on_frame=replayed)

    def _visitor(self, stage: Stage, kind: str, source: int, k: int) -> Any:
        if kind != "noise":
            yield from super()._visitor(stage, kind, source, k)
            return
        yield stage.env.timeout(self._at("test noise", k))
        stage.air.emit(source, k, Mode.S1, 0, 500, duration_ns=self.world.span_ns // 2 + 1, jammer=True)

    def _late(self, stage: Stage, number: int) -> Any:
        yield stage.env.timeout(self._at("test late", number))
        self._receive(stage, 30 + number, patient=number != 1)

    def _look(self, stage: Stage, number: int) -> Any:
        yield stage.env.timeout(self._at("test look", number))
        stage.air.catch_up()
        self.told.append(("looked", number, int(stage.env.now)))

    def all(self) -> dict[str, Any]:
        """Everything that anybody notes of the whole run."""
        counts = self.reference()  # plays it, with whatever engine it has
        listeners = sorted({name for name, *_ in self.told}, key=str)
        return {
            "windows": counts,
            "told": {name: [what for who, *what in self.told if who == name] for name in listeners},
            "in order of": [one for one in self.told if one[0] == "looked" or self._patient(one[0])],
            "taps": sorted(self.tapped),
            "digest": self.stage.history.digest,
        }

    def _patient(self, who: Any) -> bool:
        return isinstance(who, int) and self.stage.air.receivers[who].patient


@pytest.mark.parametrize("compile_from", [0, windowed.COMPILE_FROM])
def test_any_air_with_any_visitors_is_told_the_same_way_by_both_engines(compile_from: int) -> None:
    @given(world=VISITED)
    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    def same(world: World) -> None:
        with mock.patch.object(windowed, "COMPILE_FROM", compile_from):
            assert Visited(world, ARRAYS).all() == Visited(world, REFERENCE).all()

    same()
