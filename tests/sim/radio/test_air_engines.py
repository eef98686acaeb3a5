"""The air with its two engines: one world with every kind of visitor, told the same way by both, to the byte."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_air import AIR_TIME_NS, Stage, sorted_schedule
from worlds import PHASES, WORLDS, Play, World, profile_of

from sim.radio import fleet_frames
from sim.radio.air import ARRAYS, ENGINES, REFERENCE
from sim.radio.engine import MAX_WINDOW_NS
from sim.radio.fleet_frames import FleetFrames
from sim.radio.link_modes import Mode
from sim.radio.reference import Reference

T = AIR_TIME_NS
REACTION_NS = T // 20

VISITED = WORLDS.flatmap(
    lambda world: st.builds(
        replace, st.just(world), meters=st.integers(1, 25), frames=st.integers(1, 100), receivers=st.integers(1, 3),
        gateways=st.integers(1, 5), windows=st.lists(st.integers(1, 999), max_size=4, unique=True).map(tuple),
    )
)  # fmt: skip


class Visited(Play):
    """A drawn world whose first receivers are deferred, among a noise, bursts, frames, a trigger that jams what it has
    read the header of, an ear that sends again what it hears, receivers that come late, and somebody who looks."""

    def __init__(self, world: World, engine: str) -> None:
        self.engine_name = engine
        super().__init__(world)
        self.edges = sorted({*self.edges, *(edge + 1 for edge in self.edges[:-2:2])})  # and windows of a nanosecond

    def _stage(self) -> Stage:
        world = self.world
        stage = Stage(
            world.meters, fleet=self.fleet, positions=self.places,
            profile=profile_of(world), fading_cdb=world.fading_cdb,
            shadowing_cdb=800, gateways=world.gateways, seed=world.seed, engine=self.engine_name,
        )  # fmt: skip
        self.told: list[tuple[Any, ...]] = []
        self.tapped: list[tuple[Any, ...]] = []
        stage.air.taps.append(lambda e, *what: self.tapped.append(
            (e.start_ns, e.source, e.k, e.end_ns, e.mode, e.jammer, e.length_bytes, e.power_cdbm, e.telegram, *what)
        ))  # fmt: skip
        for number in range(world.receivers):
            self._receive(stage, number, deferred=True)
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

    def _receive(
        self, stage: Stage, number: int, *, deferred: bool, on_frame: Any = None, on_header: Any = None
    ) -> None:
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
            deferred=deferred, profile=stage.profile,
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

        self._receive(stage, 20, deferred=False, on_header=header)
        self._receive(stage, 21, deferred=False, on_frame=replayed)

    def _visitor(self, stage: Stage, kind: str, source: int, k: int) -> Any:
        if kind != "noise":
            yield from super()._visitor(stage, kind, source, k)
            return
        yield stage.env.timeout(self._at("test noise", k))
        stage.air.emit(source, k, Mode.S1, 0, 500, duration_ns=self.world.span_ns // 2 + 1, jammer=True)

    def _late(self, stage: Stage, number: int) -> Any:
        yield stage.env.timeout(self._at("test late", number))
        self._receive(stage, 30 + number, deferred=number != 1)

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
            "in order of": [one for one in self.told if one[0] == "looked" or self._deferred(one[0])],
            "taps": sorted(self.tapped),
            "digest": self.stage.history.digest,
        }

    def _deferred(self, who: Any) -> bool:
        return isinstance(who, int) and self.stage.air.receivers[who].deferred


@given(world=VISITED)
@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow],
          phases=PHASES)
def test_any_air_with_any_intruders_is_told_the_same_way_by_both_engines(world: World) -> None:
    assert Visited(world, ARRAYS).all() == Visited(world, REFERENCE).all()


# --- single rules ------------------------------------------------------------------------------------------------


def one_receiver(engine: str, *starts_ns: int) -> Stage:
    """One deferred receiver, and frames of meters that do not meet."""
    stage = Stage(len(starts_ns), engine=engine)
    stage.listen(deferred=True)
    many = np.arange(len(starts_ns))
    stage.air.play(sorted_schedule(starts_ns, many, many))
    return stage


def ends(stage: Stage) -> list[int]:
    return [end_ns for _, _, end_ns, _ in stage.heard]


@pytest.mark.parametrize("engine", ENGINES)
def test_who_looks_sees_what_ended_before(engine: str) -> None:
    stage = one_receiver(engine, 0, 2 * T, 4 * T)
    seen = []

    def look() -> Any:
        yield stage.env.timeout(3 * T - 1)
        seen.append(ends(stage))
        yield stage.env.timeout(1)  # after whatever else happens in this instant
        stage.air.catch_up()
        seen.append(ends(stage))

    stage.env.process(look())
    stage.env.run(until=3 * T + 1)
    assert seen == [[], [T]]  # it waits, and is not told of what ends this instant
    stage.air.catch_up()
    stage.air.catch_up()
    assert ends(stage) == [T, 3 * T]
    stage.env.run(until=6 * T)
    assert stage.air.end_window().fates["received"] == 3
    assert ends(stage) == [T, 3 * T, 5 * T]


@pytest.mark.parametrize("engine", ENGINES)
def test_before_its_power_is_cut_a_receiver_is_told_what_it_has_received(engine: str) -> None:
    stage = one_receiver(engine, 0, 2 * T, 4 * T)
    told = []

    def cut() -> Any:
        yield stage.env.timeout(2 * T + 5)
        stage.air.receivers[0].up = False
        told.append(ends(stage))
        yield stage.env.timeout(5)
        stage.air.receivers[0].up = True

    stage.env.process(cut())
    stage.env.run(until=8 * T)
    fates = stage.air.end_window().fates
    assert told == [[T]]
    assert (fates["received"], fates["gateway down"]) == (2, 1)
    assert ends(stage) == [T, 5 * T]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_deferred_receiver_that_comes_in_mid_window_hears_what_begins_later(engine: str) -> None:
    stage = one_receiver(engine, 0, 2 * T, 4 * T)
    stage.env.run(until=2 * T)
    stage.listen(deferred=True)
    stage.env.run(until=8 * T)
    assert stage.air.end_window().fates["received"] == 4
    assert [(number, end_ns) for number, _, end_ns, _ in stage.heard] == [(0, T), (0, 3 * T), (0, 5 * T), (1, 5 * T)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_visitor_s_frame_counts_and_a_burst_does_not(engine: str) -> None:
    stage = one_receiver(engine, 0)
    visitor = stage.air.add_transmitter(np.array([9.0, 0.0, 1.0]))
    stage.env.run(until=2 * T)
    stage.air.emit(visitor, 0, Mode.T1, 0, 700, duration_ns=T, jammer=True)
    stage.env.run(until=4 * T)
    stage.air.emit(visitor, 1, Mode.T1, 12, 700, frame=b"a forged one")
    stage.env.run(until=8 * T)
    counts = stage.air.end_window()
    assert (counts.frames_sent, counts.frames_heard, counts.fates["received"]) == (2, 2, 2)
    assert [telegram for _, telegram, _, _ in stage.heard] == [b"0/0", b"a forged one"]


def test_a_large_fleet_is_asked_once_a_window_for_what_was_received() -> None:
    asked = []

    def many(meters: Any, ks: Any) -> list[bytes]:
        asked.append((meters.tolist(), ks.tolist()))
        return [b"%d" % meter for meter in meters.tolist()]

    stage = one_receiver(ARRAYS, 0, 2 * T, 4 * T, 4 * T + 1)  # the last two collide
    assert stage.air._windowed is not None
    stage.air._windowed.frames = FleetFrames(many=many)
    stage.env.run(until=8 * T)
    with mock.patch.object(fleet_frames, "MADE_AT_ONCE_FROM", 0):
        stage.air.end_window()
    assert [telegram for _, telegram, _, _ in stage.heard] == [b"0", b"1"]
    assert asked == [([0, 1], [0, 1])]


def test_a_window_may_be_longer_than_the_engine_s() -> None:
    stage = one_receiver(ARRAYS, 0, MAX_WINDOW_NS - T // 2, 2 * MAX_WINDOW_NS)
    stage.env.run(until=3 * MAX_WINDOW_NS)
    assert stage.air.end_window().fates["received"] == 3
    assert ends(stage) == [T, MAX_WINDOW_NS + T - T // 2, 2 * MAX_WINDOW_NS + T]
    stage.listen(deferred=True)  # who comes this late has nothing to catch up with
    stage.air.play(sorted_schedule([3 * MAX_WINDOW_NS + T], [0], [9]))
    stage.env.run(until=3 * MAX_WINDOW_NS + 3 * T)
    assert stage.air.end_window().fates["received"] == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_what_cannot_be_is_refused(engine: str) -> None:
    stage = one_receiver(engine, 0)
    with pytest.raises(ValueError, match="r1: a receiver that reacts to headers cannot be deferred"):
        stage.listen(deferred=True, on_header=lambda *_: None)
    with pytest.raises(ValueError, match="transmitter 0 is a meter"):
        stage.air.emit(0, 7, Mode.T1, 20, 700, frame=bytes(20))


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no engine 'fast'; there are arrays, reference"):
        Stage(1, engine="fast")


# --- who pays for an attacker ------------------------------------------------------------------------------------


def two_villages(engine: str) -> tuple[Stage, int]:
    """Two villages that do not hear each other, a gateway in each, and in the first somebody who jams what he has read
    the header of. Returns how often the medium was woken for an event."""
    places = np.array([[x + 3.0 * i, 5.0, 1.0] for x in (0, 50_000) for i in range(20)])
    stage = Stage(40, positions=places, gateways=2, engine=engine)
    for x in (0.0, 50_000.0):
        stage.listen(x=x, deferred=True)
    jammer = stage.air.add_transmitter(np.array([9.0, 9.0, 1.0]))

    def react(_header: bytes, now_ns: int, _level: int, _mode: Mode, remaining_ns: int) -> None:
        stage.air.emit(jammer, now_ns, Mode.T1, 0, 2_000, duration_ns=remaining_ns, jammer=True)

    stage.air.add_receiver("trigger", np.array([9.0, 9.0, 1.0]), -10_000, [Mode.T1], lambda *_: None, react)
    frames = np.arange(400)
    schedule = sorted_schedule(frames * 5 * T, frames % 40, frames)
    with mock.patch.object(Reference, "_event", autospec=True, side_effect=Reference._event) as event:
        stage.run(schedule, 2_000 * T, 100 * T)
    return stage, event.call_count


def test_a_reactive_attacker_narrows_the_window_for_nobody_but_himself() -> None:
    (stage, events), (slow, all_events) = two_villages(ARRAYS), two_villages(REFERENCE)
    assert stage.fates == slow.fates == {"received": 200, "jammed": 200}
    assert stage.history.digest == slow.history.digest
    # twenty windows of twenty frames, and one in which nothing begins: both gateways were played in windows
    assert stage.air._windowed is not None
    assert stage.air._windowed.windows == 20
    # the attacker's radio meets its own village's frames twice (header and end) and its bursts once
    assert events == 3 * 200
    assert all_events == 3 * 200 + 200
