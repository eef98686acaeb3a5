"""Meters that can be told something, on a world's air: each sends by its interval and listens for a moment after that.

They are not of the fleet, whose meters only send: each has a transmitter and a receiver of its own near a gateway, and
is in the portal's books. What a receiver of theirs hears, no attacker heard.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from sim.core.clock import Steps, ns, seconds
from sim.meters.two_way import MODE, POWER_CDBM, SENSITIVITY_CDBM, TURNAROUND_S, TwoWay, TwoWayMeter
from sim.portal.meter_registry import MeterEntry
from sim.portal.store import fingerprint
from sim.recording.replayed_meters import enrol

if TYPE_CHECKING:
    from sim.world import World

_FIRST_S: Final = 20.0
_APART_S: Final = 6.1  # so that meters of one interval do not always speak at once


class Installed:
    """One of them. `receiver`: its number on the air. `frames`: what it said."""

    def __init__(self, world: World, spec: TwoWay, *, gateway: int, metres: float, first_s: float) -> None:
        self.meter = TwoWayMeter(spec)
        self.frames: list[bytes] = []
        self._world = world
        self._closes_ns = 0
        self._opened_ns = 0
        place = world.site.beside_gateway(gateway, metres)
        self._source = world.air.add_transmitter(place)
        self.receiver = world.air.add_receiver(f"meter {spec.address}", place, SENSITIVITY_CDBM, (MODE,), self._heard)
        world.air.receivers[self.receiver].awake = False
        world.clock.process(self._live(first_s))

    @property
    def name(self) -> str:
        return str(self.meter.spec.address)

    def _live(self, first_s: float) -> Steps:
        clock = self._world.clock
        yield clock.timeout(ns(first_s))
        while True:
            now_ns = clock.now_ns
            clock.process(self._say(self.meter.telegram(self._world.calendar.at(now_ns), seconds(now_ns))))
            yield clock.timeout(ns(self.meter.spec.interval_s))

    def _say(self, frame: bytes) -> Steps:
        world, meter = self._world, self.meter
        self._sleep()  # it does not hear itself
        world.truth.foreign.add(fingerprint(frame))
        emission = world.air.emit(self._source, len(self.frames), MODE, len(frame), POWER_CDBM, frame=frame)
        self.frames.append(frame)
        yield world.clock.timeout(emission.end_ns - world.now_ns)
        meter.sent(len(frame), MODE, seconds(world.now_ns))
        self._opened_ns = world.now_ns
        self._closes_ns = world.now_ns + ns(meter.spec.listens_s)
        world.air.receivers[self.receiver].awake = True
        yield world.clock.timeout(ns(meter.spec.listens_s))
        if world.now_ns >= self._closes_ns:
            self._sleep()

    def _sleep(self) -> None:
        if self._opened_ns:
            now_ns = self._world.now_ns
            self.meter.listened(seconds(now_ns - self._opened_ns), seconds(now_ns))
            self._opened_ns = 0
        self._world.air.receivers[self.receiver].awake = False

    def _heard(self, frame: bytes, end_ns: int, _level_cdbm: int) -> None:
        answer = self.meter.hear(frame, self._world.calendar.at(end_ns), seconds(end_ns))
        if answer:
            self._world.clock.process(self._answer(answer))

    def _answer(self, frame: bytes) -> Steps:
        self._closes_ns = 1 << 62  # the window does not close over its own answer
        yield self._world.clock.timeout(ns(TURNAROUND_S))
        yield from self._say(frame)


def install(world: World, meters: Iterable[TwoWay], *, gateway: int, metres: float) -> list[Installed]:
    """On the air, and with their keys in the portal's books. Raises AlreadyThere."""
    specs = list(meters)
    name = world.gateways[gateway].id
    enrol(
        world,
        [(MeterEntry(one.address, security=one.security, interval_s=one.interval_s, gateways=frozenset((name,)),
                     under_way_s=world.spec.window_s + max(g.bundle_age_s for g in world.spec.gateway)), one.key)
         for one in specs],
    )  # fmt: skip
    before = len(world.two_way)
    return [Installed(world, one, gateway=gateway, metres=metres, first_s=_FIRST_S + _APART_S * (before + at))
            for at, one in enumerate(specs)]  # fmt: skip
