"""Many clients on one thread and one epoll.

Nothing moves until `turn` is called, which is what makes a run on real sockets repeatable. paho-mqtt's own threaded
loop uses select() and stops silently at 339 clients; this one drives paho's external loop (loop_read, loop_write,
loop_misc) for as many clients as there are file descriptors.

Limits: at most DIALS_AT_ONCE attempts under way to one address (a broker's listen queue is about 100 long; and clients
that hang at a dead address must not keep others from theirs), DIAL_DEADLINE_S for TCP, TLS and CONNACK together.
"""

from __future__ import annotations

import contextlib
import heapq
import resource
import select
from collections import deque
from collections.abc import Callable
from typing import Protocol

from sim.core import clock
from sim.endpoint.port import Address

DIALS_AT_ONCE = 64
DIAL_DEADLINE_S = 5.0
IDLE_S = 0.02  # the longest nap between two questions whether we are done
MISC_S = 1.0


class Watched(Protocol):
    """What it serves: a session."""

    def ready(self, mask: int) -> None:
        """Its socket is ready for reading or writing."""

    def misc(self) -> None:
        """Now and then: keep-alive."""


class EventLoop:
    """Owns the epoll object, the timers and the queue of those who want to dial."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Watched] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._timer_count = 0
        self._dialling: dict[Address, int] = {}
        self._queues: dict[Address, deque[Callable[[], None]]] = {}
        self._next_misc_s = 0.0
        _raise_file_limit()

    @property
    def descriptor(self) -> int:
        """Of the epoll: readable when a turn has something to do, timers left out. For a loop around this one."""
        return self._epoll.fileno()

    # --- sockets -----------------------------------------------------------------------------------------------

    def watch(self, fd: int, watched: Watched, mask: int) -> None:
        if fd in self._watched:
            self._epoll.modify(fd, mask)
        else:
            self._epoll.register(fd, mask)
        self._watched[fd] = watched

    def forget(self, fd: int) -> None:
        if self._watched.pop(fd, None) is not None:
            with contextlib.suppress(OSError):  # closed already: the kernel forgot it too
                self._epoll.unregister(fd)

    # --- time --------------------------------------------------------------------------------------------------

    def after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call once, at a turn `delay_s` wall seconds from now. The caller checks whether it still matters."""
        self._timer_count += 1
        heapq.heappush(self._timers, (clock.wall_s() + delay_s, self._timer_count, call))

    def queue_dial(self, address: Address, call: Callable[[], None]) -> None:
        """Call when fewer than DIALS_AT_ONCE attempts to this address are under way; then `dial_ended` must follow."""
        self._queues.setdefault(address, deque()).append(call)

    def dial_ended(self, address: Address) -> None:
        self._dialling[address] -= 1

    def _start_dials(self) -> None:
        for address, queue in self._queues.items():
            # A call that finds its session closed ends its dial at once, so this count may fall inside the loop.
            while queue and self._dialling.get(address, 0) < DIALS_AT_ONCE:
                self._dialling[address] = self._dialling.get(address, 0) + 1
                queue.popleft()()

    # --- turning -----------------------------------------------------------------------------------------------

    def turn(self, most_s: float = IDLE_S) -> None:
        """Handle what is due and what is ready; sleep at most `most_s` when nothing is."""
        now_s = clock.wall_s()
        while self._timers and self._timers[0][0] <= now_s:
            heapq.heappop(self._timers)[2]()
        self._start_dials()
        nap_s = min(most_s, IDLE_S)
        if self._timers:
            nap_s = min(nap_s, max(0.0, self._timers[0][0] - now_s))
        for fd, mask in self._epoll.poll(nap_s, 4_096):
            watched = self._watched.get(fd)
            if watched is not None:
                watched.ready(mask)
        if now_s >= self._next_misc_s:
            self._next_misc_s = now_s + MISC_S
            for watched in list(self._watched.values()):
                watched.misc()

    def settle(self, done: Callable[[], bool], deadline_s: float) -> bool:
        """Turn until done() or the deadline in wall seconds; True when done."""
        end_s = clock.wall_s() + deadline_s
        while not done():
            left_s = end_s - clock.wall_s()
            if left_s <= 0:
                return False
            self.turn(left_s)
        return True

    def close(self) -> None:
        self._watched.clear()
        self._timers.clear()
        self._queues.clear()
        self._epoll.close()


def _raise_file_limit() -> None:
    """A thousand gateways need some thousand descriptors; the soft limit is often 1 024, the hard one is not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
