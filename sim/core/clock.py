"""Time. World time is integer nanoseconds since the world began; wall time enters through this file only.

Rules kept here: inside the world no code reads a machine's clock, and no time is a float, so a run can be
repeated bit for bit on any machine. A meter shows local time without a zone; the world runs in UTC without
summer time, as the meters' own clocks do.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import simpy

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
NS_PER_HOUR = 3_600 * NS_PER_S
NS_PER_DAY = 24 * NS_PER_HOUR


def ns(seconds: float) -> int:
    """Seconds as integer nanoseconds, rounded to the nearest."""
    if isinstance(seconds, int):
        return seconds * NS_PER_S
    return round(seconds * NS_PER_S)


def seconds(time_ns: int) -> float:
    """Nanoseconds as seconds, for people and plots; never for arithmetic inside the world."""
    return time_ns / NS_PER_S


def world_time(time_ns: int) -> str:
    """World time for people: "1 d 02:03:04.567"; the days are left out on the first."""
    sign, time_ns = ("-", -time_ns) if time_ns < 0 else ("", time_ns)
    ms = time_ns // 1_000_000
    days, ms = divmod(ms, 86_400_000)
    clock = f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
    return f"{sign}{days} d {clock}" if days else f"{sign}{clock}"


class Calendar:
    """World nanoseconds to calendar time and back. `start` is the instant of world time 0 (UTC, naive or aware)."""

    __slots__ = ("start",)

    def __init__(self, start: datetime) -> None:
        self.start = start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)

    @classmethod
    def since_1970(cls) -> Calendar:
        """Of nanoseconds as `unix_ns` counts them."""
        return cls(datetime(1970, 1, 1, tzinfo=UTC))

    def at(self, time_ns: int) -> datetime:
        """The calendar instant (UTC) of a world time; truncated to microseconds."""
        return self.start + timedelta(microseconds=time_ns // 1_000)

    def ns(self, instant: datetime) -> int:
        """World time of an instant; naive instants are UTC. Negative before the world began."""
        aware = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
        delta = aware - self.start
        return ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1_000


# --- what moves it ---------------------------------------------------------------------------------------------


class Occurrence(Protocol):
    """Something that steps wait for by yielding it; the yield returns its value."""

    @property
    def triggered(self) -> bool: ...

    def succeed(self, value: object = None) -> object:
        """It happens now, with this value."""


Steps = Generator[Occurrence, Any, None]
"""What an attacker or a fault does, as a process on the clock: it yields what it waits for."""


class Clock(Protocol):
    """World time, and the processes that wait for it: as fast as the simulation can (sim.core.virtual_clock), or with
    the wall's (sim.core.wall_clock)."""

    @property
    def now_ns(self) -> int: ...

    @property
    def env(self) -> simpy.Environment:
        """The event loop underneath, for the models of the air, which hang their callbacks into it."""

    def run_until(self, time_ns: int) -> None:
        """Let time pass up to an instant. What is due at that very instant happens in the next call."""

    def timeout(self, delay_ns: int) -> Occurrence: ...

    def event(self) -> Occurrence:
        """Happens when its `succeed` is called."""

    def process(self, steps: Steps) -> Occurrence:
        """Begin these steps at this instant; happens when they end."""

    def close(self) -> None:
        """Idempotent; leaves no open file. World time can still be read."""


# --- the door to wall time -------------------------------------------------------------------------------------


def wall_s() -> float:
    """Monotonic wall seconds, for deadlines on real sockets and for measuring ourselves."""
    return time.monotonic()


def processor_s() -> float:
    """Seconds of processor time of this process, for rates on a machine that is shared."""
    return time.process_time()


def wall_ns() -> int:
    """The same as whole nanoseconds: when something from outside came, and how late we were with it."""
    return time.monotonic_ns()


def unix_ns() -> int:
    """Nanoseconds since 1970 by the machine's calendar clock, which may be set meanwhile: for stamps."""
    return time.time_ns()


_BEGAN_NS = time.time_ns() - time.monotonic_ns()


def stamp_ns() -> int:
    """Nanoseconds since 1970 that never go back: the calendar clock's at the start, carried on by `wall_ns`."""
    return stamp_of(wall_ns())


def stamp_of(wall_at_ns: int) -> int:
    """The same for an instant that `wall_ns` told in this program."""
    return _BEGAN_NS + wall_at_ns


def wall_now() -> datetime:
    """The present instant (UTC), for run directories and certificates."""
    return datetime.now(UTC)


def wall_sleep(seconds_s: float) -> None:
    """Wait in wall time (a process to start, a socket to close)."""
    time.sleep(seconds_s)
