"""What attackers with a radio can do: see attack.Can."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attacks.attack import Record
from attacks.reach_base import Base, Place, position_of
from sim.core.bundle import Heard
from sim.core.clock import Occurrence, Steps, ns
from sim.radio.link_modes import Mode
from sim.truth.ground_truth import Spoken

if TYPE_CHECKING:
    from sim.world import World


class Hear(Base):
    def __init__(self, world: World, record: Record, place: Place) -> None:
        super().__init__(world, record, place)
        self._waiting: list[Occurrence] = []
        self._watchers: list[Callable[[Heard], object]] = []
        ear = place.ear or place
        world.air.add_receiver(
            f"{record.id} ear",
            position_of(world, ear),
            round(ear.sensitivity_dbm * 100),
            (Mode.T1, Mode.C1, Mode.S1),
            self._on_frame,
        )

    def _on_frame(self, telegram: bytes, end_ns: int, rssi_cdbm: int) -> None:
        heard = Heard(telegram, end_ns, rssi_cdbm / 100)
        for watcher in self._watchers:
            watcher(heard)
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for event in waiting:
                event.succeed(heard)

    def hear(self) -> Occurrence:
        """The next telegram this receiver gets, a `Heard`. Never comes when nothing is in range."""
        event = self._world.clock.event()
        self._waiting.append(event)
        return event

    def listen(self, watcher: Callable[[Heard], object]) -> None:
        """Every telegram from now on, as it ends."""
        self._watchers.append(watcher)


class Speak(Base):
    def __init__(self, world: World, record: Record, place: Place) -> None:
        super().__init__(world, record, place)
        self._mouth = place.mouth or place
        self._mouth_position = position_of(world, self._mouth)
        self._source: int | None = None
        self._count = 0

    def speak(self, telegram: bytes, *, mode: str = "T1") -> Spoken:
        """Send a frame now. Returns the receipt by which the truth finds it again."""
        if self._source is None:
            self._source = self._world.air.add_transmitter(self._mouth_position)
        spoken = Spoken(self._source, self._count, self.now_ns, telegram)
        self._count += 1
        emission = self._world.air.emit(
            self._source, spoken.k, Mode[mode], len(telegram), round(self._mouth.power_dbm * 100), frame=telegram
        )
        self._world.truth.note_spoken(spoken, emission.end_ns)
        return spoken


class Shape(Base):
    def __init__(self, world: World, record: Record, place: Place) -> None:
        super().__init__(world, record, place)
        self._jammer: int | None = None
        self._bursts = 0

    def jam(self, seconds: float, *, mode: str = "T1", power_dbm: float | None = None) -> None:
        """Noise on the channel of `mode`, from now."""
        self._burst(ns(seconds), mode, power_dbm)

    def _burst(self, duration_ns: int, mode: str, power_dbm: float | None) -> None:
        if self._jammer is None:
            self._jammer = self._world.air.add_transmitter(self._position)
        power = self._place.power_dbm if power_dbm is None else power_dbm
        self._world.air.emit(
            self._jammer, self._bursts, Mode[mode], 0, round(power * 100), duration_ns=duration_ns, jammer=True
        )
        self._bursts += 1

    @property
    def bursts(self) -> int:
        """How often it jammed."""
        return self._bursts

    def on_header(self, decide: Callable[[bytes], bool], *, reaction_s: float = 0.0005) -> None:
        """While a frame is still on the air: when `decide(first 10 bytes)` is true, jam the rest of it."""

        def heard(header: bytes, end_ns: int, _rssi_cdbm: int, mode: Mode, remaining_ns: int) -> None:
            reaction_ns = ns(reaction_s)
            if remaining_ns > reaction_ns and decide(header):
                self._world.clock.process(self._react(reaction_ns, remaining_ns - reaction_ns, mode))

        self._world.air.add_receiver(
            f"{self._record.id} trigger",
            self._position,
            round(self._place.sensitivity_dbm * 100),
            (Mode.T1, Mode.C1, Mode.S1),
            lambda *_: None,
            on_header=heard,
            demodulators=0,
        )

    def _react(self, reaction_ns: int, rest_ns: int, mode: Mode) -> Steps:
        yield self._world.clock.timeout(reaction_ns)
        self._burst(rest_ns, mode.name, None)
