"""A day more takes no more memory: what a run keeps of a reading, and what checking it takes, counted in bytes."""

from __future__ import annotations

import functools
import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.rig import checks, secrets
from bench.rig.checks import heard_as_stored
from bench.rig.scenario import Stage, load_world
from sim.core.clock import NS_PER_HOUR

BYTES_A_READING = 18  # 50 MB for the 2.8 million readings of a thousand meters' month


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    spec = load_world("day-1000").with_setting("endpoint.kind", "memory")
    spec = spec.with_setting("fleet.count", 16).with_setting("fleet.interval_s", 300.0)
    stage = Stage(spec, 1, tmp_path / "run", "on")
    stage.run(hours=1)
    tracemalloc.start()
    yield stage
    tracemalloc.stop()
    stage.close()


def held_bytes(stage: Stage) -> int:
    """Without what caches of a bounded size hold."""
    secrets.said(stage.inner)
    gc.unfreeze()
    for one in gc.get_objects():
        if type(one) is functools._lru_cache_wrapper:  # a dead weak proxy answers no isinstance
            one.cache_clear()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.night  # every allocation is traced
def test_what_a_day_adds(stage: Stage) -> None:
    stage.run(hours=2)
    held, stored = held_bytes(stage), stage.truth.stored
    stage.run(hours=8)
    readings = stage.truth.stored - stored
    assert readings > 2_000
    assert held_bytes(stage) - held < BYTES_A_READING * readings


@pytest.mark.night  # every allocation is traced
def test_checking_a_day_takes_as_much_as_an_hour(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for one number or two of each bundle."""
    monkeypatch.setattr(heard_as_stored, "ROWS_AT_ONCE", 64)
    monkeypatch.setattr("sim.truth.ground_truth._ROWS_AT_ONCE", 64)
    taken = []
    for hours in (1, 4):
        stage.run(hours=hours)
        checks.apply(stage.inner, attacked=False)  # caches
        stage.truth.look_again()
        before = held_bytes(stage)
        tracemalloc.reset_peak()
        assert heard_as_stored.check(stage.inner, attacked=False) == []
        taken.append(tracemalloc.get_traced_memory()[1] - before)
    assert taken[1] - taken[0] < BYTES_A_READING * stage.truth.stored


def test_messages_are_looked_through_and_let_go(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "HELD_BYTES_MAX", 1 << 14)
    world = stage.inner
    search = secrets._searches[world]
    most = 0

    def look(*_: object) -> None:
        nonlocal most
        most = max(most, sum(len(text) for _, text in search._held))

    assert world.system.endpoint is not None
    world.system.endpoint.taps.append(look)
    world.run(2 * NS_PER_HOUR)
    assert (1 << 13) < most < (1 << 14) + (1 << 13)
