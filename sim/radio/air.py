"""The air as the world sees it: receivers, transmitters, and a fleet's schedule played window by window.

    air = Air(env, Propagation.of(spec.site, seeds), history=history, gateways=3)
    air.add_fleet(site.meters, radios, frames)             meters are sources 0..n-1
    air.add_receiver("gw-0", place, ...)                   gateways first, then other receivers
    air.play(schedule)                                     before the window begins
    env.run(until=end_ns)
    counts = air.end_window()

The rules kept here. A receiver gets bytes, the time of the last chip and a level, never the sender. A frame is settled
when it ends. A receiver takes part from the instant after it was added. Taps get each frame that is received, and
every fate of intruders' frames. Bursts of jammers are no frames: taps see them (with the fate JAMMED and no bytes),
counts and history do not. A burst does not fade, since it lasts for many fades.

A receiver that reacts to a frame gets it at once and is played event by event (reference.py). A `deferred` receiver
gets its frames when the window ends or at `catch_up`, and is played by the engine in whole windows
(window_receivers.py). That is the only difference, and with engine="reference" all are played event by event, with the
same fates, bytes and order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import simpy

from sim.core.events import Fate
from sim.core.history import FrameBatch, History
from sim.radio.emissions import Batch, Emission, Schedule
from sim.radio.fleet_frames import FleetFrames
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.links import Links, Radios, Receivers, arrive, loss_cdb
from sim.radio.on_air import OnAir
from sim.radio.propagation import Propagation, centimetres
from sim.radio.receiver_profile import ReceiverProfile
from sim.radio.receiver_subset import FleetLinks, only
from sim.radio.reference import (
    IntruderFrame,
    OnFrame,
    OnFrames,
    OnHeader,
    Pair,
    Receiver,
    Reference,
    Tap,
)
from sim.radio.window_receivers import DeferredReceivers

if TYPE_CHECKING:
    from sim.radio.propagation import F64, I64

ARRAYS: Final = "arrays"
REFERENCE: Final = "reference"
ENGINES: Final = (ARRAYS, REFERENCE)

@dataclass(frozen=True, slots=True)
class WindowCounts:
    """What ended in a window. `fates` by label, over (frame, gateway in reach) pairs; `frames_heard`: at least one
    gateway received them."""

    frames_sent: int
    frames_heard: int
    fates: dict[str, int]
    batch: FrameBatch


class Air:
    """One site's medium. `gateways`: so many of the first receivers are gateways, and only they are counted; the others
    are intruders' (None: all are counted)."""

    def __init__(
        self, env: simpy.Environment, propagation: Propagation, *, history: History | None = None,
        gateways: int | None = None, engine: str = ARRAYS,
    ) -> None:  # fmt: skip
        if engine not in ENGINES:
            raise ValueError(f"there is no engine {engine!r}; there are {', '.join(ENGINES)}")
        self.env = env
        self.propagation = propagation
        self.history = history
        self.gateways = gateways
        self.receivers: list[Receiver] = []
        self.taps: list[Tap] = []
        self._on_air = OnAir()
        self._medium = Reference(env, self.receivers, self.taps)
        self._windowed = (
            DeferredReceivers(self.receivers, self.taps, self._on_air, self.now_ns) if engine == ARRAYS else None
        )
        self._places: list[I64] = []  # of receivers
        self._receiver_arrays: Receivers | None = None
        self._fleet_cm: I64 = np.zeros((0, 3), dtype=np.int64)
        self._fleet_links = FleetLinks(propagation, self._fleet_cm, self.radios)
        self._prompt_links: Links | None = None  # to receivers that are played event by event
        self._intruder_places: list[I64] = []  # places of the transmitters after the fleet
        self._losses: dict[int, I64] = {}  # source -> loss to each receiver, for emit

    # --- participants -----------------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        return int(self.env.now)

    @property
    def radios(self) -> Radios:
        return self._medium.radios

    def add_fleet(self, positions: F64, radios: Radios, frames: FleetFrames) -> None:
        """The meters: sources 0..n-1, before any other transmitter. `frames` is asked for telegrams when they are
        received, and for those that come next with them."""
        if self._intruder_places or len(self._fleet_cm):
            raise ValueError("the fleet must be the first transmitters, and there is only one")
        places = centimetres(positions)
        columns = [getattr(radios, column.name) for column in dataclasses.fields(radios)]
        if any(len(column) != len(places) for column in columns):
            raise ValueError("a fleet's radios need one entry a meter")
        if len(places) and int(radios.duration_ns.min()) < 1:
            raise ValueError("a frame takes at least a nanosecond")
        self._fleet_cm = places
        self._fleet_links = FleetLinks(self.propagation, places, radios)
        self._medium.radios = radios
        self._medium.frames = frames
        if self._windowed is not None:
            self._windowed.frames = frames

    def add_transmitter(self, position: F64) -> int:
        """An intruder's transmitter; returns its source index."""
        self._intruder_places.append(centimetres(position)[0])
        return len(self._fleet_cm) + len(self._intruder_places) - 1

    def add_receiver(
        self, name: str, position: F64, sensitivity_cdbm: int, links: Iterable[Mode], on_frame: OnFrame,
        on_header: OnHeader | None = None, demodulators: int = 1, *, deferred: bool = False,
        profile: ReceiverProfile | None = None, on_frames: OnFrames | None = None,
    ) -> int:  # fmt: skip
        """Returns the receiver's index. `sensitivity_cdbm`: the level from which it can receive a frame at all;
        `profile`: what it makes of noise and of other frames (None: the default). `on_frame(telegram, end_ns,
        level_cdbm)` for each frame received;
        `on_header(first 10 bytes, now_ns, level_cdbm, mode, remaining_ns)` while a readable frame is still on the air.
        `demodulators` 0: any number of frames at once. `deferred`: it can wait with `on_frame` until the window ends or
        `catch_up` is called. `on_frames`, of a deferred one: the same for many frames, as columns (see
        sim.gateway.port.ReceivesMany); either may be called."""
        if demodulators < 0:
            raise ValueError(f"{name}: a receiver cannot have {demodulators} demodulators")
        if deferred and on_header is not None:
            raise ValueError(f"{name}: a receiver that reacts to headers cannot be deferred")
        receiver = Receiver(
            self.env, name, sensitivity_cdbm, frozenset(links), on_frame, on_header=on_header,
            demodulators=demodulators, catch_up=self.catch_up if deferred else None, profile=profile,
            on_frames=on_frames,
        )  # fmt: skip
        self.receivers.append(receiver)
        self._places.append(centimetres(position)[0])
        self._receiver_arrays = self._prompt_links = None
        self._losses.clear()
        if not self._in_windows(receiver):
            self._medium.cut(receiver.since_ns)
            for schedule in self._on_air.since(receiver.since_ns):  # worked out again, with the new receiver
                self._add_batch(schedule)
        return len(self.receivers) - 1

    def _in_windows(self, receiver: Receiver) -> bool:
        """Played by the engine, not event by event."""
        return self._windowed is not None and receiver.deferred

    @property
    def receiver_arrays(self) -> Receivers:
        """All receivers as arrays, in the order of their numbers."""
        if self._receiver_arrays is None:
            self._receiver_arrays = Receivers.of(
                self._places, [r.sensitivity_cdbm for r in self.receivers], [r.links for r in self.receivers],
                [r.profile for r in self.receivers],
            )  # fmt: skip
        return self._receiver_arrays

    @property
    def links(self) -> Links:
        """The fleet's links."""
        return self._fleet_links.to(self.receiver_arrays)

    # --- sending ----------------------------------------------------------------------------------------------------

    def play(self, schedule: Schedule) -> None:
        """The fleet's frames of a window, before world time passes the first of them."""
        if not len(schedule):
            return
        if int(schedule.start_ns[0]) < self.now_ns:
            raise ValueError(f"a schedule that begins at {schedule.start_ns[0]} ns is too late at {self.now_ns} ns")
        if int(schedule.meter.min()) < 0 or int(schedule.meter.max()) >= len(self._fleet_cm):
            raise ValueError(f"a schedule names a meter outside the fleet of {len(self._fleet_cm)}")
        step = np.diff(schedule.start_ns)
        if (step < 0).any() or ((step == 0) & (np.diff(schedule.meter) < 0)).any():
            raise ValueError("a schedule must be sorted by start and meter")
        self._on_air.add(schedule, schedule.start_ns + self.radios.duration_ns[schedule.meter])
        self._add_batch(schedule)

    def _add_batch(self, schedule: Schedule) -> None:
        """To the receivers that are played event by event."""
        if self._prompt_links is None:
            windows = np.array([self._in_windows(receiver) for receiver in self.receivers], dtype=bool)
            self._prompt_links = only(self.links, np.where(windows, -1, np.arange(len(windows))))
        if self._windowed is not None:
            reaching = np.diff(self._prompt_links.offset)[schedule.meter] > 0
            schedule = Schedule(schedule.start_ns[reaching], schedule.meter[reaching], schedule.k[reaching])
            if not len(schedule):
                return
        meter, mode = schedule.meter, self.radios.mode[schedule.meter]
        arrivals = arrive(self.propagation, self._prompt_links, meter, meter, schedule.k, mode, self.receiver_arrays)
        curious = np.array([r.on_header is not None for r in self.receivers], dtype=bool)[arrivals.receiver]
        self._medium.add_batch(Batch(schedule, self.radios, arrivals, curious))

    def emit(
        self, source: int, k: int, mode: Mode, length_bytes: int, power_cdbm: int, *, frame: bytes | None = None,
        duration_ns: int | None = None, jammer: bool = False,
    ) -> Emission:  # fmt: skip
        """Send now. Without `frame` the bytes are asked of the fleet when it is received."""
        if frame is not None and len(frame) != length_bytes:
            raise ValueError(f"a frame of {len(frame)} bytes cannot have length {length_bytes}")
        if duration_ns is None:
            if jammer:
                raise ValueError("a jammer's burst needs a duration")
            duration_ns = air_time_ns(mode, length_bytes)
        if duration_ns < 1:
            raise ValueError(f"an emission of {duration_ns} ns is none")
        if source < len(self._fleet_cm) and any(receiver.deferred for receiver in self.receivers):
            raise ValueError(f"transmitter {source} is a meter: what it sends comes by `play`")
        now_ns = self.now_ns
        emission = Emission(
            source, k, mode, now_ns, now_ns + duration_ns, 0 if jammer else length_bytes, power_cdbm,
            self._medium.frames.one, frame, jammer,
        )  # fmt: skip
        prompt, deferred = self._spread(emission)
        self._medium.add_intruder(IntruderFrame(emission, prompt))
        if self._windowed is not None:
            self._windowed.add_intruder(IntruderFrame(emission, deferred))
        if not jammer:
            self._on_air.add_intruder(emission.end_ns)
        return emission

    def _spread(self, emission: Emission) -> tuple[list[Pair], list[Pair]]:
        """Work out an emission's arrivals and announce it to the listeners; (pairs played at once, in windows)."""
        air = dataclasses.replace(self.propagation, fading_cdb=0) if emission.jammer else self.propagation
        level = emission.power_cdbm - self._loss(emission.source)
        links = Links.reach(level, np.array([emission.mode]), self.receiver_arrays)
        first = np.zeros(1, dtype=np.int64)
        mode = first + emission.mode
        arrivals = arrive(air, links, first, first + emission.source, first + emission.k, mode, self.receiver_arrays)
        start_ns, end_ns, channel = emission.start_ns, emission.end_ns, emission.mode.channel
        columns = (arrivals.receiver, arrivals.level_cdbm, arrivals.power, arrivals.limit, arrivals.readable,
                   arrivals.in_range, arrivals.early, arrivals.inside, arrivals.early_ns)  # fmt: skip
        prompt, deferred = [], []
        for number, level, power, limit, readable, in_range, *over in zip(*(c.tolist() for c in columns), strict=True):
            receiver = self.receivers[number]
            if start_ns < receiver.since_ns:
                continue
            pair = Pair(number, level, limit, readable, in_range, *over)
            if self._in_windows(receiver):
                deferred.append(pair)
                continue
            prompt.append(pair)
            if emission.jammer:
                receiver.listener.burst((start_ns, end_ns, power, channel))
            else:
                locks = in_range and readable
                receiver.listener.hear((start_ns, emission.source, emission.k, end_ns, power, channel, locks, *over))
        return prompt, deferred

    def _loss(self, source: int) -> I64:
        """From one source to every receiver, (1, receivers)."""
        if source not in self._losses:
            fleet = len(self._fleet_cm)
            if not 0 <= source < fleet + len(self._intruder_places):
                raise ValueError(f"there is no transmitter {source}")
            place = self._fleet_cm[source] if source < fleet else self._intruder_places[source - fleet]
            self._losses[source] = loss_cdb(self.propagation, place[None], self.receiver_arrays)
        return self._losses[source]

    # --- catching up, the window's end ----------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Hand deferred receivers every frame that ended before now."""
        if self._windowed is None:
            self._medium.hand_over()
        else:
            self._windowed.join(self.propagation, self.receiver_arrays, self.links, self.radios)
            self._windowed.catch_up(self.now_ns)

    def end_window(self) -> WindowCounts:
        """Catch up, and hand what ended before now, and since the last call, to the history."""
        self.catch_up()
        counted = len(self.receivers) if self.gateways is None else self.gateways
        media: Sequence[Reference | DeferredReceivers] = [self._medium, *([self._windowed] if self._windowed else [])]
        batch = FrameBatch.joined([medium.report(counted) for medium in media])
        if self.history is not None:
            self.history.frames(batch)
        counts = np.bincount(batch.fate, minlength=len(Fate)).tolist()
        fates = {fate.label: counts[fate] for fate in Fate}
        return WindowCounts(self._on_air.ended(self.now_ns), batch.heard, fates, batch)
