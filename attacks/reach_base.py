"""What every attacker has: a place, a watch, and a diary that the history keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from attacks.attack import Record
from sim.core.clock import Occurrence, Steps, ns, stamp_ns
from sim.core.events import AttackActed
from sim.radio.site import F64

if TYPE_CHECKING:
    from sim.world import World


@dataclass(frozen=True, slots=True)
class Place:
    """Where the attacker's radio is: `beside` a gateway's index, that many metres away. Whoever has several radios puts
    the receiver at `ear` and the transmitter at `mouth`; the jammer stays here."""

    beside: int = 0
    metres: float = 6.0
    power_dbm: float = 12.0
    sensitivity_dbm: float = -105.0
    ear: Place | None = None
    mouth: Place | None = None


def position_of(world: World, place: Place) -> F64:
    """Where a radio stands."""
    return world.site.beside_gateway(place.beside, place.metres)


class Base:
    """What everyone can do: wait, and write the diary that the history keeps."""

    def __init__(self, world: World, record: Record, place: Place) -> None:
        self._world = world
        self._record = record
        self._place = place
        self._position = position_of(world, place)

    @property
    def now_ns(self) -> int:
        """The attacker's watch (world ns)."""
        return self._world.now_ns

    @property
    def wall_ns(self) -> int:
        """What a clock on the wall shows (clock.stamp_ns). Sessions move while world time stands still."""
        return stamp_ns()

    @property
    def place(self) -> int:
        """How many records the history has: what has happened by now stands before it."""
        return self._world.history.written

    def today(self) -> datetime:
        """What the same watch shows: date and time, as meters show it (naive)."""
        return self._world.calendar.at(self.now_ns).replace(tzinfo=None)

    def today_utc(self) -> datetime:
        """The same instant, with its zone."""
        return self._world.calendar.at(self.now_ns)

    def wait(self, seconds: float) -> Occurrence:
        """Until so many seconds of world time have passed."""
        return self._world.clock.timeout(ns(seconds))

    def wait_until(self, seconds: float) -> Occurrence:
        """Until this many seconds after the world began; at once when that is past."""
        return self._world.clock.timeout(max(0, ns(seconds) - self.now_ns))

    def event(self) -> Occurrence:
        """Something to wait for that the attack itself will let happen."""
        return self._world.clock.event()

    def go(self, steps: Steps) -> Occurrence:
        """Do something beside the main process."""
        return self._world.clock.process(steps)

    def note(self, action: str, detail: str) -> None:
        """Write what it does into the history."""
        self._world.history.record(AttackActed(self.now_ns, self._record.id, action, detail))
