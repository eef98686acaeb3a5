"""The engine against the reference: the same fate for every frame at every receiver, on drawn worlds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from small_air import AIR_TIME_NS, Stage, radios, sorted_schedule
from worlds import PHASES, WORLDS, Play, World

from sim.radio.engine import MAX_WINDOW_NS, Engine, EngineLimit
from sim.radio.sweep_arrays import Frames

T = AIR_TIME_NS


@given(world=WORLDS)
@settings(max_examples=350, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow],
          phases=PHASES)
def test_any_world_in_any_windows_has_the_reference_s_fates(world: World):
    play = Play(world)
    expected = play.reference()
    assert play.engine() == expected


@given(world=WORLDS.map(lambda world: replace(world, bursts=0, visits=0, outages=0)))
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow],
          phases=PHASES)
def test_a_world_without_intruders_or_outages_too(world: World):
    """Here the short cut for frames alone on the air is taken."""
    play = Play(world)
    expected = play.reference()
    assert play.engine() == expected


def engine_of(stage: Stage) -> Engine:
    air = stage.air
    demodulators = [r.listener.demodulators for r in air.receivers]
    return Engine(air.propagation, air.receiver_arrays, air.links, air.radios, demodulators)


def test_a_window_that_is_too_long_is_refused():
    stage = Stage(2)
    stage.listen()
    engine = engine_of(stage)
    none = Frames.of(sorted_schedule([], [], []), 2)
    for until_ns in (0, MAX_WINDOW_NS):
        with pytest.raises(EngineLimit, match="window"):
            engine.window(until_ns, none)
    with pytest.raises(ValueError, match="outside the window"):
        engine.window(10, Frames.of(sorted_schedule([10], [0], [0]), 2))


def test_heard_marks_the_frames_in_the_order_of_meters():
    stage = Stage(3, fleet=radios(3))
    stage.listen()
    engine = engine_of(stage)
    frames = Frames.of(sorted_schedule([0, 5, 9 * T, 20 * T], [2, 1, 0, 2], [4, 4, 4, 5]), 3)
    result = engine.window(100 * T, frames)
    assert frames.meter().tolist() == [0, 1, 2, 2]
    assert result.heard.tolist() == [1, 0, 0, 1]
    assert result.fates["receiver busy"] == 1
    assert np.array_equal(result.counts.sum(axis=1), [4])


@pytest.mark.parametrize(("gap_ns", "received"), [(0, 2), (-1, 0)])
def test_intervals_are_half_open_on_the_short_cut_too(gap_ns, received):
    stage = Stage(2, capture_cdb=20_000)
    stage.listen(demodulators=0)
    engine = engine_of(stage)
    frames = Frames.of(sorted_schedule([7, 7 + T + gap_ns], [0, 1], [0, 0]), 2)
    assert engine.window(100 * T, frames).fates["received"] == received


def test_a_frame_across_the_edge_of_a_window_is_reported_by_the_window_it_ends_in():
    stage = Stage(2)
    stage.listen()
    engine = engine_of(stage)
    first = engine.window(T, Frames.of(sorted_schedule([1], [0], [3]), 2))
    second = engine.window(4 * T, Frames.of(sorted_schedule([T + 1], [1], [5]), 2), detail=True)
    assert (first.frames_sent, first.frames_heard) == (0, 0)
    assert (second.frames_sent, second.frames_heard) == (2, 2)
    assert second.batch is not None
    assert sorted(zip(second.batch.start_ns.tolist(), second.batch.k.tolist(), strict=True)) == [(1, 3), (T + 1, 5)]


def test_what_the_engine_cannot_hold_is_refused():
    stage = Stage(1)
    stage.listen()
    stage.air.radios.duration_ns[:] = 1 << 31
    with pytest.raises(EngineLimit, match="longer than"):
        engine_of(stage)
    with pytest.raises(ValueError, match="one after the other"):
        Frames.of(sorted_schedule([5, 5], [0, 0], [0, 1]), 1)
