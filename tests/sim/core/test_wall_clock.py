"""The wall's clock: the order of the virtual one, woken from outside, its lateness kept. No time is asserted."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sim.core.clock import NS_PER_MS, NS_PER_S
from sim.core.clock_spec import WallClockSpec
from sim.core.settings import Place, SpecError, build
from sim.core.virtual_clock import VirtualClock
from sim.core.wall_clock import Lateness, WallClock
from sim.world import World
from tests.small_worlds import dozen

FAST = 1_000_000.0


@pytest.fixture
def wall():
    clock = WallClock(FAST)
    yield clock
    clock.close()


def walk(clock) -> list[tuple[str, int]]:
    """Three processes that meet at some instants, over two calls."""
    seen: list[tuple[str, int]] = []

    def steps(name: str, delay_ns: int):
        for _ in range(6):
            yield clock.timeout(delay_ns)
            seen.append((name, clock.now_ns))

    for name, delay_ns in (("a", 2_000), ("b", 3_000), ("c", 6_000)):
        clock.process(steps(name, delay_ns))
    clock.run_until(6_000)  # what is due at that very instant happens in the next call
    seen.append(("run", clock.now_ns))
    clock.run_until(40_000)
    return seen


def test_the_order_is_that_of_the_virtual_clock(wall: WallClock) -> None:
    assert walk(wall) == walk(VirtualClock())


def test_each_instant_is_late_once(wall: WallClock) -> None:
    walk(wall)
    assert wall.lateness.instants == len({0, 2, 3, 4, 6, 8, 9, 10, 12, 15, 18, 24, 30, 36})
    assert wall.lateness.worst_ns >= wall.lateness.percentile_ns(99) >= wall.lateness.percentile_ns(50) >= 0


def test_the_wall_reaches_the_end_before_the_call_returns() -> None:
    clock = WallClock(1.0)
    clock.run_until(3 * NS_PER_MS)
    assert clock.now_ns == 3 * NS_PER_MS
    assert clock.lateness.instants == 0
    clock.close()
    clock.close()


def test_a_call_from_a_thread_happens_between_what_is_planned() -> None:
    clock = WallClock(1.0)
    happened: list[int] = []
    rung = threading.Event()

    def steps():
        yield clock.timeout(NS_PER_MS)
        threading.Thread(target=lambda: (clock.call(lambda: happened.append(clock.now_ns)), rung.set())).start()
        rung.wait(10)
        yield clock.timeout(20 * NS_PER_MS)
        happened.append(-clock.now_ns)

    clock.process(steps())
    clock.run_until(30 * NS_PER_MS)
    clock.close()
    assert clock.woken == 1
    assert NS_PER_MS <= happened[0] < 21 * NS_PER_MS
    assert happened[1:] == [-21 * NS_PER_MS]


def test_a_descriptor_wakes_until_it_is_forgotten() -> None:
    clock = WallClock(1.0)
    read_end, write_end = os.pipe()
    got: list[bytes] = []

    def one_byte() -> None:
        got.append(os.read(read_end, 1))
        if len(got) == 3:
            clock.forget(read_end)

    clock.watch(read_end, one_byte)
    os.write(write_end, b"abcde")
    clock.run_until(5 * NS_PER_MS)
    clock.close()
    os.close(read_end)
    os.close(write_end)
    assert got == [b"a", b"b", b"c"]
    assert clock.woken == 3


def test_what_is_called_while_no_time_passes_waits_for_the_next_run(wall: WallClock) -> None:
    happened: list[int] = []
    wall.run_until(10)
    wall.call(lambda: happened.append(wall.now_ns))
    assert happened == []
    wall.run_until(20)
    assert happened and 10 <= happened[0] < 20


def test_a_caller_may_plan_something() -> None:
    clock = WallClock(1.0)
    seen: list[int] = []

    def later():
        yield clock.timeout(0)
        seen.append(clock.now_ns)

    clock.call(lambda: clock.process(later()))
    clock.run_until(2 * NS_PER_MS)
    clock.close()
    assert len(seen) == 1


@pytest.mark.parametrize(("late_ns", "complains"), [(0, False), (7, False), (8, True)])
def test_lateness_is_judged_by_its_worst(late_ns: int, complains: bool) -> None:
    lateness = Lateness(7)
    for one in (0, late_ns, 1):
        lateness.note(one)
    assert bool(lateness.complaint) is complains
    assert lateness.worst_ns == max(1, late_ns)


def test_a_late_world_is_late_once_and_not_stretched() -> None:
    """An event that takes longer than the time to the next makes that one late, and the one after it is in time."""
    clock = WallClock(1.0)
    begun: list[int] = []

    def steps():
        for wait_ms in (1, 1, 60):
            yield clock.timeout(wait_ms * NS_PER_MS)
            begun.append(clock.now_ns)
            if len(begun) == 1:
                threading.Event().wait(0.02)

    clock.process(steps())
    clock.run_until(70 * NS_PER_MS)
    clock.close()
    assert begun == [NS_PER_MS, 2 * NS_PER_MS, 62 * NS_PER_MS]
    assert clock.lateness.worst_ns >= 10 * NS_PER_MS  # it slept through the second, so this cannot be less
    assert clock.at_wall_ns(clock.wall_at_ns(62 * NS_PER_MS)) == 62 * NS_PER_MS


def test_the_settings_have_limits() -> None:
    place = Place("w.toml", {})
    assert build(WallClockSpec, {"kind": "wall", "rate": 2}, place).make().rate == 2
    for rate in (0, -1, 2_000_000):
        with pytest.raises(SpecError, match="rate"):
            build(WallClockSpec, {"kind": "wall", "rate": rate}, place)
    with pytest.raises(ValueError, match="no rate"):
        WallClock(0)


def test_a_world_has_one_history_by_both_clocks(tmp_path: Path) -> None:
    digests = set()
    for kind in ("virtual", "wall"):
        spec = dozen(tmp_path, clock__kind=kind)
        if kind == "wall":
            spec = spec.with_setting("clock.rate", FAST).with_setting("clock.late_most_s", 3_600.0)
        with World(spec, 7, tmp_path / kind) as world:
            world.run(600 * NS_PER_S)
            world.finish()
            digests.add(world.history.digest)
            assert world.stored.count_readings() > 100
    assert len(digests) == 1


def test_in_real_time_the_world_goes_first_and_what_it_starts_does_not() -> None:
    clock = WallClock(real_time=True)
    before = os.sched_getscheduler(0)
    seen: list[tuple[int, str]] = []

    def look() -> None:
        words = [sys.executable, "-c", "import os; print(os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK)"]
        child = subprocess.run(words, capture_output=True, text=True, check=True)
        seen.append((os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, child.stdout))

    clock.call(look)
    clock.run_until(NS_PER_S // 100)
    clock.close()
    ((policy, child),) = seen
    assert os.sched_getscheduler(0) == before
    assert (policy == os.SCHED_FIFO) == (clock.ordinary == "")
    assert int(child) == before, "a gateway's program is not to go before ours"


def test_a_machine_that_permits_no_real_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    clock = WallClock(real_time=True)
    clock.run_until(NS_PER_S // 100)
    clock.close()
    assert clock.ordinary == "no real time: Operation not permitted; CAP_SYS_NICE or ulimit -r 10 permits it"
