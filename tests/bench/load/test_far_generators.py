"""Generators whose clock is another one than the controller's: the times of a load are right all the same, and what
their clock is known to is told. The far end is a thread here, its pipe a real one, its clock shifted."""

from __future__ import annotations

import multiprocessing
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.load import far_generators, far_process, generator, load_trial
from bench.load.far_generators import Door, FarGenerator, FarPipe, Reading, on_cluster, read_clock, spread
from bench.load.far_orders import WHAT_TIME, FarOrder, Hello, Machine
from bench.load.far_process import ClockedPipe, dialled
from bench.load.load_orders import Generated
from bench.load.load_trial import Stand
from bench.run_errors import CannotRun
from sim.core.clock import wall_s
from tests.bench.load.load_stand import SENT, Threaded, stand

SHIFT_S = 4_321.5


def beside(shift_s: float, clock_s: Callable[[], float] = wall_s) -> Callable[[], float]:
    """A clock that began at another time."""
    return lambda: clock_s() + shift_s


class FarEnd(Threaded):
    """A generator's process on a worker, as a thread."""

    def __init__(self, folder: Path) -> None:
        super().__init__(lambda pipe: generator.serve(ClockedPipe(pipe, folder)))


@contextmanager
def far(
    patch: pytest.MonkeyPatch,
    folder: Path,
    clock_s: Callable[[], float],
    *,
    kept: Callable[[Path], None] = lambda _: None,
) -> Iterator[Stand]:
    """A stand with two of them, both with that clock. `kept`: told of the folder of each before it ends."""
    for room in (generator, far_process):
        patch.setattr(room, "wall_s", clock_s)

    @contextmanager
    def made(scheduler: str, count: int, most: int, broker: Any) -> Iterator[list[FarGenerator]]:
        ends, found = [], []
        for at in range(count):
            place = folder / f"far-{at}"
            place.mkdir()
            ends.append(FarEnd(place))
            hello = Hello("", 0, Machine("another", "", ""))
            found.append(FarGenerator(f"tcp://far:{at}", ends[-1].pipe, hello, None, broker.own))
        try:
            yield found
            for at in range(count):
                kept(folder / f"far-{at}")
        finally:
            for one in ends:
                one.stop()

    patch.setattr(load_trial, "on_cluster", made)
    with stand(patch, folder, workers=2, scheduler="tcp://far:1") as one:
        yield one


@pytest.mark.parametrize("shift_s", [SHIFT_S, -SHIFT_S])
def test_with_a_clock_hours_beside_times_are_right(
    shift_s: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def shown(folder: Path) -> None:
        assert {path.stat().st_mode & 0o777 for path in folder.glob("*.key")} == {0o600}

    with far(monkeypatch, tmp_path, beside(shift_s), kept=shown) as made:
        found = made.trial(20.0)
        again = made.trial(20.0)
    for one in (found, again):
        assert one.broken == (), one.as_json(20.0)
        assert (one.accounts.lost, one.accounts.liars, one.readings, one.accounts.due) == (0, 0, 60, 60)
        # Published when they were due, and not when a clock that is hours beside says so.
        assert one.accounts.own.most_us < 1e6 * SHIFT_S / 2
        assert all(0 <= mean < 60 for mean in one.accounts.stages_s.values())
        assert 0 < one.clock_s < 60 and one.accounts.latencies.percentile_s(0.01) >= one.clock_s * 0.99
        assert {"generator 1", "generator 2"} <= set(one.used)


def test_without_the_measurement_it_would_break(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(far_generators, "read_clock", lambda pipe, place: Reading(0.0, 1e-6))
    with far(monkeypatch, tmp_path, beside(SHIFT_S)) as made:
        found = made.trial(20.0)
    assert found.accounts.liars and found.late_by_itself(20.0)


def test_a_clock_that_moves_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is set by half a minute between the begin and the end."""
    looks = 0

    def jumps(pipe: Any, place: str) -> Reading:
        nonlocal looks
        looks += 1
        return read_clock(pipe, place)._replace(beside_s=30.0 * (looks > 2), uncertain_s=0.001)

    monkeypatch.setattr(far_generators, "read_clock", jumps)
    with far(monkeypatch, tmp_path, beside(0.0)) as made:
        found = made.trial(20.0)
    assert len(found.clocks_moved) == 2
    assert found.clocks_moved[0].startswith("the clock of worker tcp://far:0 moved by 30000.000 ms in the trial")
    assert found.clock_s > 30 and "known to 30.001 s only" in found.late_by_itself(20.0)


# --- the parts -------------------------------------------------------------------------------------------------


class Scripted:
    """A pipe whose other end has a clock 100 s ahead; the way there takes the first of each pair of times, the way
    back the second."""

    def __init__(self, clock: list[float], ways: list[tuple[float, float]]) -> None:
        self._clock, self._ways = clock, iter(ways)
        self._answer: Any = None
        self._back_s = 0.0
        self.sent: list[Any] = []

    def send(self, obj: Any, /) -> None:
        self.sent.append(obj)
        if obj == WHAT_TIME:
            there_s, self._back_s = next(self._ways)
            self._clock[0] += there_s
            self._answer = self._clock[0] + 100.0

    def poll(self, timeout: float | None = 0.0, /) -> bool:
        return True

    def recv(self) -> Any:
        self._clock[0] += self._back_s
        return self._answer

    def close(self) -> None: ...


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [7.0]
    monkeypatch.setattr(far_generators, "wall_s", lambda: now[0])
    return now


def test_the_shortest_round_trip_counts(clock: list[float]) -> None:
    ways = [(0.5, 0.5), (0.01, 0.03), (3.0, 0.1)] * far_generators.ROUND_TRIPS
    found = read_clock(Scripted(clock, ways), "w")
    assert found.uncertain_s == pytest.approx(0.02)
    assert abs(found.beside_s - 100.0) <= found.uncertain_s + 1e-9
    assert found.beside_s == pytest.approx(99.99)  # the way back was the longer one, and nobody can tell


def test_orders_and_answers_are_brought_from_clock_to_clock(clock: list[float]) -> None:
    wire = Scripted(clock, [(0.001, 0.001)] * far_generators.ROUND_TRIPS)
    pipe = FarPipe(wire, "w", own=False)
    pipe._clock = read_clock(wire, "w")
    pipe.send(50.0)
    assert wire.sent[-1] == pytest.approx(150.0)
    pipe.send(None)
    assert wire.sent[-1] is None
    told = Generated(np.arange(2), np.array([150.0, np.nan]), np.array([151.0, np.nan]))
    pipe._brought_here(told, pipe._clock)
    np.testing.assert_allclose(told.handled_s, [50.0, np.nan], atol=1e-9)
    np.testing.assert_allclose(told.sent_s, [51.0, np.nan], atol=1e-9)
    assert told.uncertain_s == pytest.approx(0.001) and not told.clock_moved


def test_a_name_that_is_a_public_host_there_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of the controller is kept by each generator, whose name server is another."""
    ours, theirs = multiprocessing.Pipe()
    with stand(monkeypatch, tmp_path) as made:
        made.broker.start(tmp_path / "broker")
        (order,) = made.orders(made.setting.shape.schedule(made.setting.load(20.0)), "ours", 1)
    pipe = FarPipe(ours, "w", own=False)
    pipe.send(order)
    far_order = theirs.recv()
    assert isinstance(far_order, FarOrder) and far_order.order.identities == {}
    assert len(far_order.files) == 2 * SENT.gateways + 1 and not far_order.own
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("192.0.2.1", 1))])
    ours.send(far_order)
    with pytest.raises(CannotRun, match="what others share is not attacked"):
        ClockedPipe(theirs, tmp_path).recv()
    assert not list(tmp_path.glob("*.key"))


def test_who_has_not_the_key_does_not_come_in() -> None:
    class Pending:
        def done(self) -> bool:
            return False

    door = Door("tcp://127.0.0.1:1", "tcp://127.0.0.1:9")
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(door.entered(Pending())))
    waiting.start()
    with pytest.raises((multiprocessing.AuthenticationError, OSError, EOFError)):
        dialled(door.host, door.port, b"guessed")
    with dialled(door.host, door.port, door.key) as connection:
        waiting.join(60)
        connection.send("hello")
        assert found[0].recv() == "hello"
        found[0].close()
    door.close()


def test_the_first_workers_are_on_as_many_hosts_as_there_are() -> None:
    workers = ["tcp://10.0.0.1:1", "tcp://10.0.0.1:2", "tcp://10.0.0.1:3", "tcp://10.0.0.2:1"]
    assert [one.rpartition(":")[0][-1] for one in spread(workers)] == ["1", "2", "1", "1"]


def test_a_cluster_that_promises_tls_is_refused() -> None:
    with (
        pytest.raises(CannotRun, match=r"without TLS, which that cluster promises; name a tcp:// scheduler"),
        on_cluster("tls://127.0.0.1:1", 1, 1, None),  # type: ignore[arg-type]
    ):
        pass
