"""The air as the world sees it: receivers, transmitters, and a fleet's schedule played window by window.

    air = Air(env, Propagation.of(spec.site, seeds), history=history, gateways=3)
    air.add_fleet(site.meters, radios, frame_of)           meters are sources 0..n-1
    air.add_receiver("gw-0", place, ...)                   gateways first, then whoever else listens
    air.play(schedule)                                     before the window begins
    env.run(until=end_ns)
    counts = air.end_window()

The rules kept here. A receiver gets bytes, the time of the last chip and a level, never who sent it. A frame is settled
when it ends. A receiver takes part from the instant after it was added. Bursts of jammers are no frames: taps see them
(with the fate JAMMED and no bytes), counts and history do not. A burst does not fade, since it lasts for many fades.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import simpy

from sim.events import Fate
from sim.history import FrameBatch, History
from sim.radio.capture import CAPTURE_CDB, capture_table
from sim.radio.links import Ears, Links, Radios, arrive, loss_cdb
from sim.radio.modes import Mode, air_time_ns
from sim.radio.propagation import Propagation, centimetres
from sim.radio.reference import FrameOf, OnFrame, OnHeader, Pair, Receiver, Reference, Tap, Visit
from sim.radio.schedule import Batch, Emission, Schedule

if TYPE_CHECKING:
    from sim.radio.propagation import F64, I64


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
    are visitors' ears (None: all are counted). `capture`: a threshold in 1/100 dB or a table, see capture.py."""

    def __init__(
        self, env: simpy.Environment, propagation: Propagation, *, history: History | None = None,
        gateways: int | None = None, capture: int | I64 = CAPTURE_CDB,
    ) -> None:  # fmt: skip
        self.env = env
        self.propagation = propagation
        self.history = history
        self.gateways = gateways
        self.capture = capture_table(capture)
        self.receivers: list[Receiver] = []
        self.taps: list[Tap] = []
        self._medium = Reference(env, self.receivers, self.taps)
        self._places: list[I64] = []  # of receivers
        self._ears: Ears | None = None
        self._fleet_cm: I64 = np.zeros((0, 3), dtype=np.int64)
        self._fleet_links: Links | None = None
        self._visitors: list[I64] = []  # places of the transmitters after the fleet
        self._losses: dict[int, I64] = {}  # source -> loss to each receiver, for emit

    # --- who takes part ---------------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        return int(self.env.now)

    @property
    def radios(self) -> Radios:
        return self._medium.radios

    def add_fleet(self, positions: F64, radios: Radios, frame_of: FrameOf) -> None:
        """The meters: sources 0..n-1, before any other transmitter. `frame_of(source, k)` is asked for a telegram when
        somebody receives it."""
        if self._visitors or len(self._fleet_cm):
            raise ValueError("the fleet must be the first transmitters, and there is only one")
        places = centimetres(positions)
        columns = [getattr(radios, column.name) for column in dataclasses.fields(radios)]
        if any(len(column) != len(places) for column in columns):
            raise ValueError("a fleet's radios need one entry a meter")
        if len(places) and int(radios.duration_ns.min()) < 1:
            raise ValueError("a frame takes at least a nanosecond")
        self._fleet_cm = places
        self._fleet_links = None
        self._medium.radios = radios
        self._medium.frame_of = frame_of

    def add_transmitter(self, position: F64) -> int:
        """A visitor's transmitter; returns its source index."""
        self._visitors.append(centimetres(position)[0])
        return len(self._fleet_cm) + len(self._visitors) - 1

    def add_receiver(
        self, name: str, position: F64, sensitivity_cdbm: int, links: Iterable[Mode], on_frame: OnFrame,
        on_header: OnHeader | None = None, demodulators: int = 1,
    ) -> int:  # fmt: skip
        """Returns the receiver's index. `on_frame(telegram, end_ns, level_cdbm)` for each frame received;
        `on_header(first 10 bytes, now_ns, level_cdbm, mode, remaining_ns)` while a readable frame is still on the air.
        `demodulators` 0: any number of frames at once."""
        if demodulators < 0:
            raise ValueError(f"{name}: a receiver cannot have {demodulators} demodulators")
        receiver = Receiver(self.env, name, sensitivity_cdbm, frozenset(links), on_frame, on_header, demodulators)
        rest = self._medium.cut(receiver.since_ns)
        self.receivers.append(receiver)
        self._places.append(centimetres(position)[0])
        self._ears = self._fleet_links = None
        self._losses.clear()
        for schedule in rest:  # worked out again, with the new receiver
            self._add_batch(schedule)
        return len(self.receivers) - 1

    @property
    def ears(self) -> Ears:
        if self._ears is None:
            self._ears = Ears.of(
                self._places, [r.sensitivity_cdbm for r in self.receivers], [r.links for r in self.receivers]
            )
        return self._ears

    @property
    def links(self) -> Links:
        """The fleet's links."""
        if self._fleet_links is None:
            self._fleet_links = Links.of(
                self.propagation, self._fleet_cm, self.radios.power_cdbm, self.radios.mode, self.ears
            )
        return self._fleet_links

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
        self._add_batch(schedule)

    def _add_batch(self, schedule: Schedule) -> None:
        arrivals = arrive(self.propagation, self.links, schedule.meter, schedule.meter, schedule.k, self.capture)
        in_range = arrivals.level_cdbm >= self.ears.sensitivity_cdbm[arrivals.receiver]
        curious = np.array([r.on_header is not None for r in self.receivers], dtype=bool)[arrivals.receiver]
        self._medium.add_batch(Batch(schedule, self.radios, arrivals, in_range, curious))

    def emit(
        self, source: int, k: int, mode: Mode, length_bytes: int, power_cdbm: int, frame: bytes | None = None,
        duration_ns: int | None = None, jammer: bool = False,
    ) -> Emission:  # fmt: skip
        """Send now. Without `frame` the bytes are asked of the fleet when somebody receives it."""
        if frame is not None and len(frame) != length_bytes:
            raise ValueError(f"a frame of {len(frame)} bytes cannot have length {length_bytes}")
        if duration_ns is None:
            if jammer:
                raise ValueError("a jammer's burst needs a duration")
            duration_ns = air_time_ns(mode, length_bytes)
        if duration_ns < 1:
            raise ValueError(f"an emission of {duration_ns} ns is none")
        now_ns = self.now_ns
        emission = Emission(
            source, k, mode, now_ns, now_ns + duration_ns, 0 if jammer else length_bytes, power_cdbm,
            self._medium.frame_of, frame, jammer,
        )  # fmt: skip
        self._medium.add_visit(Visit(emission, self._spread(emission)))
        return emission

    def _spread(self, emission: Emission) -> list[Pair]:
        """Work out an emission's arrivals and tell the listeners that it begins."""
        air = dataclasses.replace(self.propagation, fading_cdb=0) if emission.jammer else self.propagation
        links = Links.reach(emission.power_cdbm - self._loss(emission.source), np.array([emission.mode]), self.ears)
        first = np.zeros(1, dtype=np.int64)
        arrivals = arrive(air, links, first, first + emission.source, first + emission.k, self.capture)
        start_ns, end_ns, channel = emission.start_ns, emission.end_ns, emission.mode.channel
        columns = (arrivals.receiver, arrivals.level_cdbm, arrivals.units, arrivals.limit, arrivals.readable)
        pairs = []
        for number, level, units, limit, readable in zip(*(column.tolist() for column in columns), strict=True):
            receiver = self.receivers[number]
            if start_ns < receiver.since_ns:
                continue
            in_range = level >= receiver.sensitivity_cdbm
            pairs.append(Pair(number, level, limit, readable, in_range))
            if emission.jammer:
                receiver.listener.burst((start_ns, end_ns, units, channel))
            else:
                locks = in_range and readable
                receiver.listener.hear((start_ns, emission.source, emission.k, end_ns, units, channel, locks))
        return pairs

    def _loss(self, source: int) -> I64:
        """From one source to every receiver, (1, receivers)."""
        if source not in self._losses:
            fleet = len(self._fleet_cm)
            if not 0 <= source < fleet + len(self._visitors):
                raise ValueError(f"there is no transmitter {source}")
            place = self._fleet_cm[source] if source < fleet else self._visitors[source - fleet]
            self._losses[source] = loss_cdb(self.propagation, place[None], self.ears)
        return self._losses[source]

    # --- the window ends --------------------------------------------------------------------------------------------

    def end_window(self) -> WindowCounts:
        """Hand what ended before now, and since the last call, to the history."""
        batch, sent, heard = self._medium.report(self.gateways)
        if self.history is not None:
            self.history.frames(batch)
        counts = np.bincount(batch.fate, minlength=len(Fate)).tolist()
        return WindowCounts(sent, heard, {fate.label: counts[fate] for fate in Fate}, batch)
