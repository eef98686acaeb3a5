"""World time on the wall's: real time or a multiple, for what cannot be told to hurry: hardware, foreign programs.

Rules kept here. What the world plans happens in the order in which a virtual clock lets it happen, so a world in which
nothing comes from outside has the same history by both clocks. Between planned events the clock waits and can be woken:
by `call` from any thread, or by a file descriptor that it watches. What wakes it happens at the present world time, in
the thread that runs the world. When the world computes for longer than its next event allows, that event is late: time
is not stretched, each lateness is kept, and a run whose worst is above a stated limit proves nothing.

Simpy's own real-time environment sleeps and cannot be woken.
"""

from __future__ import annotations

import contextlib
import os
import select
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from sim.core import clock
from sim.core.clock import NS_PER_MS, NS_PER_S
from sim.core.percentile import percentile
from sim.core.virtual_clock import PlannedEvents

_ROUGH_NS: Final = NS_PER_MS  # epoll counts whole milliseconds; the rest of a wait is slept exactly
_PRIORITY: Final = 10  # of 1 to 99: below the kernel's own threads that serve a line
_KEPT: Final = 1 << 20  # latenesses; a longer run keeps every second one, then every fourth, and always the worst


class Lateness:
    """How late events came, in wall nanoseconds: one entry for each instant of world time at which something was
    due."""

    def __init__(self, most_ns: int) -> None:
        self.most_ns = most_ns
        self.instants = 0
        self.worst_ns = 0
        self._kept: array[int] = array("q")
        self._every = 1

    def note(self, late_ns: int) -> None:
        self.worst_ns = max(self.worst_ns, late_ns)
        if self.instants % self._every == 0:
            self._kept.append(late_ns)
            if len(self._kept) >= _KEPT:
                self._kept, self._every = self._kept[::2], 2 * self._every
        self.instants += 1

    def percentile_ns(self, percent: float) -> int:
        return percentile(self._kept, percent)

    @property
    def complaint(self) -> str:
        """Why a run with this lateness proves nothing; "" when it was in time."""
        if self.worst_ns <= self.most_ns:
            return ""
        behind = f"the world was {self.worst_ns / NS_PER_S:.3f} s behind its wall clock, the limit is"
        return f"{behind} {self.most_ns / NS_PER_S:g} s ({self}); a lower clock.rate or fewer meters give it time"

    def __str__(self) -> str:
        p50, p99 = (self.percentile_ns(percent) / NS_PER_MS for percent in (50, 99))
        worst = self.worst_ns / NS_PER_MS
        return f"late by {p50:.3f} ms (p50), {p99:.3f} ms (p99), {worst:.3f} ms (most), {self.instants} instants"


class WallClock(PlannedEvents):
    """See clock.Clock. Begins at 0; time begins to pass with the first `run_until`. `rate`: world seconds a wall
    second. `real_time`: while time passes, the thread that runs the world goes before all ordinary ones (SCHED_FIFO),
    and what it starts does not; `ordinary` says why it could not. Close it."""

    def __init__(self, rate: float = 1.0, *, late_most_ns: int = NS_PER_S // 2, real_time: bool = False) -> None:
        if not rate > 0:
            raise ValueError(f"a clock's rate of {rate} is no rate")
        super().__init__()
        self.rate = rate
        self.lateness = Lateness(late_most_ns)
        self.woken = 0
        """How often something from outside did."""
        self.ordinary = ""
        self._real_time = real_time
        self._began_ns: int | None = None  # on the wall, of world time 0
        self._calls: deque[Callable[[], None]] = deque()
        self._epoll = select.epoll()
        self._watched: dict[int, Callable[[], None]] = {}
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._bell, select.EPOLLIN)

    # --- the clock's own verbs ------------------------------------------------------------------------------------

    def run_until(self, time_ns: int) -> None:
        """See clock.Clock. Returns when the wall has come to `time_ns` too, and not before."""
        with self._first() if self._real_time else contextlib.nullcontext():
            self._run_until(time_ns)

    @contextlib.contextmanager
    def _first(self) -> Iterator[None]:
        before = os.sched_getscheduler(0), os.sched_getparam(0)
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(_PRIORITY))
        except OSError as error:
            self.ordinary = f"no real time: {error.strerror}; CAP_SYS_NICE or ulimit -r {_PRIORITY} permits it"
            yield
            return
        try:
            yield
        finally:
            os.sched_setscheduler(0, *before)

    def _run_until(self, time_ns: int) -> None:
        if self._began_ns is None:
            self._began_ns = clock.wall_ns() - self._on_wall_ns(self.now_ns)
        instant = None
        while True:
            planned = self.env.peek() < time_ns
            next_ns = int(self.env.peek()) if planned else time_ns
            late_ns = clock.wall_ns() - self.wall_at_ns(next_ns)
            if late_ns < 0 or self._calls:
                self._wait_ns(max(0, -late_ns), next_ns)
            elif not planned:
                break
            else:
                if next_ns != instant:
                    instant = next_ns
                    self.lateness.note(late_ns)
                self.env.step()
        if time_ns > self.now_ns:
            self.env.run(until=time_ns)

    # --- the wall -------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Time passes: the first `run_until` was called."""
        return self._began_ns is not None

    def wall_at_ns(self, time_ns: int) -> int:
        """The wall's nanoseconds (`clock.wall_ns`) at a world time. Raises RuntimeError before time passes."""
        if self._began_ns is None:
            raise RuntimeError("time does not pass yet: nobody knows when this instant will be")
        return self._began_ns + self._on_wall_ns(time_ns)

    def at_wall_ns(self, wall_ns: int) -> int:
        """The world time at a wall instant. Raises RuntimeError before time passes."""
        if self._began_ns is None:
            raise RuntimeError("time does not pass yet")
        gone_ns = wall_ns - self._began_ns
        return gone_ns if self.rate == 1 else round(gone_ns * self.rate)

    def _on_wall_ns(self, time_ns: int) -> int:
        return time_ns if self.rate == 1 else round(time_ns / self.rate)

    # --- from outside ---------------------------------------------------------------------------------------------

    def call(self, what: Callable[[], None]) -> None:
        """Do this at the present world time, in the thread that runs the world. Any thread may ask, at any time; what
        is asked while no time passes is done when it passes again."""
        self._calls.append(what)
        os.eventfd_write(self._bell, 1)

    def watch(self, descriptor: int, what: Callable[[], None]) -> None:
        """Do this whenever the file descriptor has something to read. The world's thread only. Another event loop's
        epoll descriptor will do."""
        self._watched[descriptor] = what
        self._epoll.register(descriptor, select.EPOLLIN)

    def forget(self, descriptor: int) -> None:
        """Watch it no longer. Before it is closed."""
        if self._watched.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def close(self) -> None:
        """Idempotent. World time can still be read."""
        if self._bell >= 0:
            self._epoll.close()
            os.close(self._bell)
            self._bell = -1

    def _wait_ns(self, most_ns: int, limit_ns: int) -> None:
        """Until something from outside, at most so long, and let it happen; before world time `limit_ns`."""
        happened = False
        for descriptor, _ in self._epoll.poll(max(0, most_ns - _ROUGH_NS) // NS_PER_MS / 1_000):
            if descriptor == self._bell:
                os.eventfd_read(self._bell)
            elif descriptor in self._watched:
                self._happen(self._watched[descriptor], limit_ns)
                happened = True
        for _ in range(len(self._calls)):
            self._happen(self._calls.popleft(), limit_ns)
            happened = True
        if not happened and most_ns <= _ROUGH_NS:
            clock.wall_sleep(most_ns / NS_PER_S)

    def _happen(self, what: Callable[[], None], limit_ns: int) -> None:
        """At the present world time, between what is planned."""
        self.woken += 1
        now_ns = min(self.at_wall_ns(clock.wall_ns()), limit_ns - 1)
        if now_ns > self.now_ns:
            self.env.run(until=now_ns)
        what()
