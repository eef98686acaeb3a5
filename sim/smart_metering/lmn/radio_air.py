"""Radio meters of security profile C and their gateway's radio on a world's air.

A meter demands access by its interval and listens for a moment after each of its frames, as the other meters do that
can be told something (sim/two_way_air). Nothing heard: it says its last frame once more, every FAC_EVERY_S, until it
was silent for it FAC_MOST_S (EN 13757-4 calls that a frequent access cycle). Who sends does not hear.

The gateway has a radio for them beside the one for meters that only send: it answers at once, and so is played event by
event. Two answers at one time are one: the other meter asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sim.core.clock import NS_PER_S, Clock, Occurrence, Steps, ns
from sim.core.events import Fate
from sim.meters.two_way import MODE, POWER_CDBM, SENSITIVITY_CDBM, TURNAROUND_S
from sim.radio.air import Air
from sim.smart_metering.lmn.radio_frames import numbered
from sim.smart_metering.lmn.radio_meter import RadioMeter
from sim.smart_metering.lmn.radio_registers import Counted
from sim.smart_metering.lmn.radio_side import INTERVAL_S

if TYPE_CHECKING:
    from sim.radio.emissions import Emission
    from sim.radio.propagation import F64

LISTENS_S: Final = 0.05
FAC_EVERY_S: Final = 2.0
FAC_MOST_S: Final = 25.0
"""Ours, of the order that the standard has, which could not be opened."""


class Medium(NamedTuple):
    """What ends stand on. `genuine(frame)`: told to the truth, since it is no attacker's; `own(receiver)`: nobody's
    ear."""

    air: Air
    clock: Clock
    epoch_s: int
    genuine: Callable[[bytes], None]
    own: Callable[[int], None]


class _End:
    """A transmitter and a receiver at one place."""

    def __init__(self, medium: Medium, name: str, place: F64) -> None:
        self._medium = medium
        self._source = medium.air.add_transmitter(place)
        self.receiver = medium.air.add_receiver(name, place, SENSITIVITY_CDBM, (MODE,), self._heard)
        medium.own(self.receiver)
        self.sent = 0

    def _heard(self, frame: bytes, end_ns: int, _level_cdbm: int) -> None:
        raise NotImplementedError

    def _listen(self, awake: bool) -> None:
        self._medium.air.receivers[self.receiver].awake = awake

    def _say(self, frame: bytes) -> Steps:
        """Until it ends; its receiver is off meanwhile."""
        medium = self._medium
        self._listen(False)
        medium.genuine(frame)
        emission = medium.air.emit(self._source, self.sent, MODE, len(frame), POWER_CDBM, frame=frame)
        self.sent += 1
        yield medium.clock.timeout(emission.end_ns - medium.clock.now_ns)


class MeterOnAir(_End):
    """One meter."""

    def __init__(self, medium: Medium, meter: RadioMeter, place: F64, first_s: float) -> None:
        super().__init__(medium, f"meter {meter.address}", place)
        self.meter = meter
        self._window: Occurrence | None = None
        self._listen(False)
        medium.clock.process(self._live(first_s))

    @property
    def _now_s(self) -> int:
        return self._medium.epoch_s + self._medium.clock.now_ns // NS_PER_S

    def _live(self, first_s: float) -> Steps:
        clock = self._medium.clock
        yield clock.timeout(ns(first_s))
        while True:
            begun_ns = clock.now_ns
            yield from self._cycle()
            yield clock.timeout(max(0, begun_ns + ns(INTERVAL_S) - clock.now_ns))

    def _cycle(self) -> Steps:
        clock = self._medium.clock
        frame = self.meter.demand(self._now_s)
        heard_ns = clock.now_ns
        while clock.now_ns - heard_ns < ns(FAC_MOST_S):
            said_ns = clock.now_ns
            yield from self._say(frame)
            answer = self.meter.hear(got, self._now_s) if (got := (yield from self._hears())) else b""
            if answer is None:
                return
            if answer:
                heard_ns, frame = clock.now_ns, answer
                yield clock.timeout(ns(TURNAROUND_S))
            else:
                frame = self.meter.again()
                yield clock.timeout(max(0, said_ns + ns(FAC_EVERY_S) - clock.now_ns))

    def _hears(self) -> Generator[Occurrence, Any, bytes]:
        """The frame that it hears in its window; b"": none."""
        clock = self._medium.clock
        window = self._window = clock.event()
        self._listen(True)
        clock.process(self._close(window))
        got: bytes = yield window
        self._listen(False)
        return got

    def _close(self, window: Occurrence) -> Steps:
        yield self._medium.clock.timeout(ns(LISTENS_S))
        if not window.triggered:
            window.succeed(b"")

    def _heard(self, frame: bytes, end_ns: int, _level_cdbm: int) -> None:
        if self._window is not None and not self._window.triggered and self.meter.is_meant(frame):
            self._window.succeed(frame)


class GatewayOnAir(_End):
    """A gateway's radio for them. `hear(frame, now_ns)`: what it answers."""

    def __init__(self, medium: Medium, name: str, place: F64, hear: Callable[[bytes, int], bytes]) -> None:
        super().__init__(medium, name, place)
        self._hear = hear
        self._answering = False

    def _heard(self, frame: bytes, end_ns: int, _level_cdbm: int) -> None:
        answer = self._hear(frame, end_ns)
        if answer and not self._answering:
            self._answering = True
            self._medium.clock.process(self._answer(answer))

    def _answer(self, frame: bytes) -> Steps:
        yield self._medium.clock.timeout(ns(TURNAROUND_S))
        yield from self._say(frame)
        self._listen(True)
        self._answering = False


class Reached(NamedTuple):
    """Registers that a meter said, whose last frame reached the gateway's antenna at `end_ns`."""

    meter: str
    end_ns: int
    counted: Counted


@dataclass
class Account:
    """Of the air, and not of the gateway: which messages with values reached a gateway that had power. A tap of the
    air; `receiver`: the gateway's for these meters, `main`: the one that a power cut switches off."""

    air: Air
    receiver: int
    main: int
    meters: Sequence[RadioMeter]
    reached: list[Reached] = field(default_factory=list)
    _seen: set[tuple[str, int]] = field(default_factory=set)

    def __call__(self, emission: Emission, receiver: int, fate: Fate, _rssi_cdbm: int, /) -> None:
        if receiver != self.receiver or fate is not Fate.RECEIVED or not self.air.receivers[self.main].up:
            return
        frame = emission.frame
        if frame is None or len(frame) <= 12:
            return
        for meter in self.meters:
            for said in meter.said:
                key = str(meter.address), said.number
                if key not in self._seen and said.last == numbered(frame, 0):
                    self._seen.add(key)
                    self.reached.append(Reached(str(meter.address), emission.end_ns, said.counted))
