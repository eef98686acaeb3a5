"""The world as a whole: equal runs are equal, windows and brokers do not matter, faults lose nothing that was stored,
and whatever happens it leaves nothing behind."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from attacks.jam import Jam
from attacks.reach import Place, reach_for
from attacks.replay import Replay
from sim.core import garbage
from sim.core.clock import NS_PER_S, Steps
from sim.core.events import RunEnded, WindowEnded
from sim.endpoint.port import EndpointError
from sim.faults.gateway_power_cut import PowerCut
from sim.portal.store import StoreError
from sim.radio.air import ENGINES
from sim.systems.keyless import Keyless
from sim.world import World
from tests.small_worlds import dozen

MINUTE = 60 * NS_PER_S


def digest_of(folder: Path, seed: int, **settings: object) -> str:
    folder.mkdir()
    with World(dozen(folder, **settings), seed, folder / "world") as world:
        world.run(5 * MINUTE)
        world.finish()
        assert world.truth.stored > 100
        return world.history.digest


def brokers(folder: Path) -> list[str]:
    """Command lines of processes that use this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(entry.read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it ended while we looked
            continue
    return [line for line in found if "mosquitto" in line and str(folder) in line]


def open_files(folder: Path) -> list[str]:
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            links.append(os.readlink(entry))
        except OSError:
            continue
    return [link for link in links if link.startswith(str(folder))]


# --- determinism -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "mosquitto"])
def test_the_same_seed_gives_the_same_digest_and_another_seed_another(tmp_path: Path, kind: str) -> None:
    first = digest_of(tmp_path / "a", 1, endpoint__kind=kind)
    assert digest_of(tmp_path / "b", 1, endpoint__kind=kind) == first
    assert digest_of(tmp_path / "c", 2, endpoint__kind=kind) != first


def test_the_window_does_not_change_what_is_received(tmp_path: Path) -> None:
    received = []
    for window_s in (15.0, 60.0, 300.0):
        folder = tmp_path / str(window_s)
        folder.mkdir()
        with World(dozen(folder, window_s=window_s, portal__checks=[]), 3, folder / "world") as world:
            world.run(5 * MINUTE)
            rows = [(r.meter, r.gateway, r.received_ns, r.fingerprint, r.units) for r in world.truth.readings]
            received.append((sorted(rows), list(world.truth.sent()), world.history.fates, world.frames_sent))
    assert received[0] == received[1] == received[2]


def attacked(folder: Path, engine: str) -> tuple[object, ...]:
    """What a world leaves behind in which somebody jams, somebody replays, a gateway loses its power in mid-window and
    somebody looks in mid-window."""
    folder.mkdir()
    jam = Jam(from_s=60.0, until_s=200.0, noise_from_s=250.0, noise_until_s=270.0)
    replay = Replay(learn_s=70.0, wrap=False)
    with World(dozen(folder, portal__checks=[]), 2, folder / "world", engine=engine) as world:
        for one in (jam, replay):
            world.clock.process(one.run(reach_for(one.record, world, Place(metres=3.0))))

        def look() -> Steps:
            yield world.clock.timeout(156 * NS_PER_S + 7)
            world.deliver()

        world.fault(PowerCut(gateway=0, after_s=95, duration_s=11))
        world.clock.process(look())
        world.run(6 * MINUTE)
        world.finish()
        assert world.history.fates["jammed"] > 20
        assert world.history.fates["gateway down"] > 0
        assert sum(bool(spoken.taken) for spoken in world.truth.spoken()) > 5
        left = (
            world.history.digest,
            list(world.truth.sent()),
            [(one.source, one.k, one.start_ns, one.telegram, sorted(one.taken)) for one in world.truth.spoken()],
            world.truth.readings,
            [outcome for one in (jam, replay) for outcome in one.outcomes(world.truth)],
        )
    history = (folder / "world" / "events.jsonl").read_text(encoding="utf-8")
    return (*left, re.sub(r'"wall_ns":\d+', "", history))  # the machine's time, not the world's


def test_both_engines_leave_the_same_world_behind(tmp_path: Path) -> None:
    """To the byte of every bundle and to the order of every event."""
    arrays, reference = (attacked(tmp_path / engine, engine) for engine in ENGINES)
    assert arrays == reference


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("look", [World.deliver, lambda world: world.settle(lambda: True, 0.0)])
def test_who_looks_in_mid_window_finds_what_gateways_have_received(
    tmp_path: Path, engine: str, look: Callable[[World], object]
) -> None:
    found = []
    with World(dozen(tmp_path), 1, tmp_path / "world", engine=engine) as world:

        def looks() -> Steps:
            yield world.clock.timeout(20 * NS_PER_S)
            found.append([len(gateway.open_bundle) for gateway in world.gateways])
            look(world)
            found.append([len(gateway.open_bundle) for gateway in world.gateways])

        world.clock.process(looks())
        world.run(MINUTE)
    before, after = found
    assert before == [0, 0]
    assert all(10 <= count <= 12 for count in after)  # a telegram each 20 s from each of a dozen meters


def test_two_runs_in_a_row_are_one_run(tmp_path: Path) -> None:
    with World(dozen(tmp_path), 1, tmp_path / "one") as world:
        world.run(4 * MINUTE)
        whole = (list(world.truth.sent()), world.history.fates)
    with World(dozen(tmp_path), 1, tmp_path / "two") as world:
        for _ in range(4):
            world.run(MINUTE)
        assert (list(world.truth.sent()), world.history.fates) == whole


def test_every_frame_sent_is_in_some_window(tmp_path: Path) -> None:
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        world.run(3 * MINUTE)
        windows = world.history.of(WindowEnded)
        assert len(windows) == 3
        assert sum(w.frames_sent for w in windows) == world.frames_sent > 80
        assert sum(w.readings_stored for w in windows) == world.truth.stored


# --- the end ---------------------------------------------------------------------------------------------------


def test_a_closed_world_leaves_nothing_behind(tmp_path: Path) -> None:
    world = World(dozen(tmp_path, endpoint__kind="mosquitto"), 1, tmp_path / "world")
    world.run(MINUTE)
    assert brokers(tmp_path)
    assert open_files(tmp_path)
    world.finish("interrupted")
    world.close()
    world.close()
    assert not brokers(tmp_path)
    assert not open_files(tmp_path)
    assert [ended.outcome for ended in world.history.of(RunEnded)] == ["interrupted"]


@pytest.mark.parametrize("part", ["_add_gateways", "_register", "_open_portal"])
def test_a_world_whose_making_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def fail(*_: object) -> None:
        assert brokers(tmp_path), "the broker runs by now, so there is something to stop"
        raise EndpointError("no more")

    monkeypatch.setattr(Keyless, part, fail)
    with pytest.raises(EndpointError, match="no more"):
        World(dozen(tmp_path, endpoint__kind="mosquitto"), 1, tmp_path / "world")
    assert not brokers(tmp_path)
    assert not open_files(tmp_path)


def test_an_air_that_cannot_be_made_leaves_no_open_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("sim.world.fleet_radios", fail)
    with pytest.raises(MemoryError):
        World(dozen(tmp_path), 1, tmp_path / "world")
    assert not open_files(tmp_path)


def test_one_part_that_cannot_be_closed_does_not_keep_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(dozen(tmp_path, endpoint__kind="mosquitto"), 1, tmp_path / "world")

    def fail() -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(world.gateways[1], "close", fail)
    with pytest.raises(StoreError, match="disk full"):
        world.close()
    assert not brokers(tmp_path)
    assert world.history._file is None
    world.close()


def test_what_a_world_leaves_out_of_collections_it_takes_back_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To look for garbage in what stands anyhow takes a program's time; to leave it out for good, its memory."""
    threshold = gc.get_threshold()
    monkeypatch.setattr(garbage, "_before", [])
    gc.unfreeze()
    try:
        with World(dozen(tmp_path), 1, tmp_path / "first") as first:
            with World(dozen(tmp_path), 2, tmp_path / "beside") as beside:
                assert gc.get_freeze_count()
                first.close()
                assert gc.get_freeze_count(), "the other world is open"
            assert not gc.get_freeze_count()
            beside.close()
        garbage.leave_out()  # a program
        with World(dozen(tmp_path), 1, tmp_path / "later"):
            pass
        assert gc.get_freeze_count(), "it was the program's"
        garbage.look_again()
        assert not gc.get_freeze_count()
        assert gc.get_threshold() == threshold
    finally:
        gc.freeze()
