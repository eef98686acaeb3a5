"""Deferred receivers, played by the engine in whole windows.

A deferred receiver does nothing in the world at the instant at which a frame ends (a gateway puts it into a bundle that
closes by its own clock, whenever it gets it). A frame's fate at a receiver depends only on what that receiver hears, so
deferred receivers can be worked out apart from those that react: all of them at once, when the window ends or
`catch_up` is called. By then every intruder frame and every outage is known.

The rules kept here. `catch_up(t)` reports every frame that ended before t, in the order of (end, start, source, k,
receiver): all of them to the taps first, then to the receivers. Bursts are reported to taps alone. Receivers that join
later are an engine of their own: no state of the earlier ones has to move.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sim.core.events import Fate
from sim.core.history import FrameBatch
from sim.radio.emissions import Emission
from sim.radio.engine import FOREVER, MAX_WINDOW_NS, Engine
from sim.radio.fleet_frames import FleetFrames
from sim.radio.on_air import OnAir
from sim.radio.receiver_subset import only
from sim.radio.reference import IntruderFrame, Receiver, Tap
from sim.radio.sweep_arrays import Frames
from sim.radio.window_report import WindowReport

if TYPE_CHECKING:
    from sim.radio.links import Links, Radios, Receivers
    from sim.radio.propagation import Propagation

I64 = NDArray[np.int64]
_LONGEST_NS: Final = MAX_WINDOW_NS - 1
_FATES: Final = tuple(Fate)


@dataclass(frozen=True, slots=True)
class _Group:
    """Receivers that joined together, by their numbers in the world."""

    engine: Engine
    numbers: I64
    own: dict[int, int]  # number in the world -> number in the engine

    def window(
        self, until_ns: int, frames: Frames, intruders: list[IntruderFrame], receivers: list[Receiver]
    ) -> FrameBatch:
        engine, own = self.engine, self.own
        mine = [
            IntruderFrame(intruder.emission, pairs) for intruder in intruders
            if (pairs := [replace(p, receiver=own[p.receiver]) for p in intruder.pairs if p.receiver in own])
        ]  # fmt: skip
        outages = [
            [(down, min(up, FOREVER)) for down, up in receivers[number].listener.outages if up > engine.now_ns]
            for number in own
        ]
        batch = engine.window(until_ns, frames, mine, outages, detail=True).batch
        assert batch is not None
        return replace(batch, receiver=self.numbers[batch.receiver])


class DeferredReceivers:
    """`receivers` and `taps` are shared with the air, `on_air` says what the fleet sends. `windows` counts what the
    engine was asked for."""

    def __init__(self, receivers: list[Receiver], taps: list[Tap], on_air: OnAir, now_ns: int) -> None:
        self._receivers, self._taps, self._on_air = receivers, taps, on_air
        self.now_ns = now_ns
        self.windows = 0
        self.frames = FleetFrames()
        self._known = 0  # receivers looked at
        self._groups: list[_Group] = []
        self._intruders: list[IntruderFrame] = []  # begin at or after now_ns
        self._intruders_on_air: dict[tuple[int, int, int], Emission] = {}  # intruders' frames by (start, source, k)
        self._bursts: list[IntruderFrame] = []  # begun, not yet ended
        self._unreported: list[FrameBatch] = []

    def join(self, propagation: Propagation, receivers: Receivers, links: Links, radios: Radios) -> None:
        """Deferred receivers that came since the last call take part from here on; arguments: of all receivers."""
        known, self._known = self._known, len(self._receivers)
        numbers = [number for number in range(known, self._known) if self._receivers[number].deferred]
        if not numbers:
            return
        own = {number: i for i, number in enumerate(numbers)}
        names = np.array([own.get(number, -1) for number in range(self._known)])
        new, named = [self._receivers[number] for number in numbers], np.array(numbers)
        engine = Engine(
            propagation, receivers.only(named), only(links, names), radios, [r.listener.demodulators for r in new],
            since_ns=[r.since_ns for r in new], receiver_names=named,
        )  # fmt: skip
        engine.now_ns = self.now_ns
        self._groups.append(_Group(engine, named, own))

    def add_intruder(self, intruder: IntruderFrame) -> None:
        """An intruder's frame or burst that begins now, with its pairs at deferred receivers."""
        if intruder.pairs:
            self._intruders.append(intruder)

    def report(self, receivers: int) -> FrameBatch:
        """What ended since the last call, at the first so many receivers."""
        everything = FrameBatch.joined(self._unreported)
        self._unreported = []
        return everything.part(everything.receiver < receivers)

    # --- time passes ------------------------------------------------------------------------------------------------

    def catch_up(self, until_ns: int) -> None:
        while self.now_ns < until_ns:
            self._window(min(until_ns, self.now_ns + _LONGEST_NS))

    def _window(self, until_ns: int) -> None:
        begin_ns, self.now_ns = self.now_ns, until_ns
        if not self._groups:
            return
        intruders = [intruder for intruder in self._intruders if intruder.emission.start_ns < until_ns]
        self._intruders = [intruder for intruder in self._intruders if intruder.emission.start_ns >= until_ns]
        for intruder in intruders:
            one = intruder.emission
            if one.jammer:
                self._bursts.append(intruder)
            else:
                self._intruders_on_air[one.start_ns, one.source, one.k] = one
        schedule = self._on_air.between(begin_ns, until_ns)
        if not (len(schedule) or intruders or self._bursts) and all(group.engine.quiet for group in self._groups):
            for group in self._groups:
                group.engine.now_ns = until_ns
            return
        frames = Frames.of(schedule, self._groups[0].engine.meters)
        batch = FrameBatch.joined(
            [group.window(until_ns, frames, intruders, self._receivers) for group in self._groups]
        )
        self.windows += 1
        self._unreported.append(batch)
        self._report(batch, until_ns, self._groups[0].engine.radios)
        self._intruders_on_air = {key: one for key, one in self._intruders_on_air.items() if one.end_ns >= until_ns}

    def _burnt_out(self, until_ns: int) -> tuple[FrameBatch, dict[tuple[int, int, int], Emission]]:
        """The bursts that have ended, as rows for taps."""
        over = [intruder for intruder in self._bursts if intruder.emission.end_ns < until_ns]
        self._bursts = [intruder for intruder in self._bursts if intruder.emission.end_ns >= until_ns]
        named = {(v.emission.start_ns, v.emission.source, v.emission.k): v.emission for v in over}
        rows = [(*key, pair.receiver, int(Fate.JAMMED), pair.level_cdbm, 0)
                for key, intruder in zip(named, over, strict=True) for pair in intruder.pairs]  # fmt: skip
        return FrameBatch.of(rows), named

    # --- reporting --------------------------------------------------------------------------------------------------

    def _report(self, batch: FrameBatch, until_ns: int, radios: Radios) -> None:
        """To the taps what they are told (see air), frames received to their receivers."""
        over, bursts = self._burnt_out(until_ns)
        received = batch.fate == Fate.RECEIVED
        if self._taps:
            batch = FrameBatch.joined([batch.part(received | (batch.source >= len(radios.mode))), over])
        else:
            batch = batch.part(received)
        if not len(batch):
            return
        intruders = self._intruders_on_air | bursts
        end_ns = self._ends(batch, radios, intruders)
        order = np.lexsort((batch.receiver, batch.k, batch.source, batch.start_ns, end_ns))
        batch, end_ns = batch.part(order), end_ns[order]
        frames = np.stack([batch.start_ns, batch.source, batch.k])
        new = np.append(True, (frames[:, 1:] != frames[:, :-1]).any(axis=0))
        frame, first = np.cumsum(new) - 1, np.flatnonzero(new)
        data = self._bytes(batch, frame, first, len(radios.mode))
        report = WindowReport(batch, frame, first, end_ns, radios, intruders, data, self.frames.one)
        self._tell_taps(report)
        self._tell_receivers(report)

    def _tell_receivers(self, report: WindowReport) -> None:
        """Those that take many frames at once get theirs in one call each, and are let go on in the order of time."""
        received, receivers, telegrams = report.received, self._receivers, report.telegrams
        columns = [c[received] for c in (report.rows.receiver, report.frame, report.end_ns, report.rows.rssi_cdbm)]
        alone = np.ones(len(received), dtype=bool)
        taking: list[Iterator[int]] = []  # each gives the rows at which something may happen
        for number in np.unique(columns[0]).tolist():
            if (on_frames := receivers[number].on_frames) is not None:
                mine = columns[0] == number
                alone &= ~mine
                which, ended_ns, level_cdbm = (column[mine].tolist() for column in columns[1:])
                places = on_frames([telegrams[frame] for frame in which], ended_ns, level_cdbm)
                taking.append(map(np.flatnonzero(mine).tolist().__getitem__, places))

        def one_by_one() -> Iterator[int]:
            rows = np.flatnonzero(alone)
            for row, number, frame, ended, level in zip(
                rows.tolist(), *(column[rows].tolist() for column in columns), strict=True
            ):
                yield row
                receivers[number].on_frame(telegrams[frame], ended, level)

        for _ in heapq.merge(*taking, one_by_one()):
            pass

    def _tell_taps(self, report: WindowReport) -> None:
        one_by_one: list[Tap] = []
        for tap in self._taps:
            # Whether it is a WindowTap; isinstance takes longer than most windows' rows do.
            window: Callable[[WindowReport], None] | None = getattr(tap, "window", None)
            if window is None:
                one_by_one.append(tap)
            else:
                window(report)
        if not one_by_one:
            return
        emissions, rows = report.emissions, report.rows
        columns = (report.frame, rows.receiver, rows.fate, rows.rssi_cdbm)
        for which, number, fate, level_cdbm in zip(*(column.tolist() for column in columns), strict=True):
            for tap in one_by_one:
                tap(emissions[which], number, _FATES[fate], level_cdbm)

    def _ends(self, batch: FrameBatch, radios: Radios, intruders: dict[tuple[int, int, int], Emission]) -> I64:
        fleet = batch.source < len(radios.mode)
        end_ns = batch.start_ns.copy()
        end_ns[fleet] += radios.duration_ns[batch.source[fleet]]
        keys = zip(*(column[~fleet].tolist() for column in (batch.start_ns, batch.source, batch.k)), strict=True)
        end_ns[~fleet] = [intruders[key].end_ns for key in keys]
        return end_ns

    def _bytes(self, batch: FrameBatch, frame: I64, first: I64, meters: int) -> list[bytes | None]:
        """The bytes of the fleet's frames that were received."""
        data: list[bytes | None] = [None] * len(first)
        wanted = np.unique(frame[(batch.fate == Fate.RECEIVED) & (batch.source < meters)])
        if len(wanted):
            telegrams = self.frames.made(batch.source[first[wanted]], batch.k[first[wanted]])
            for which, telegram in zip(wanted.tolist(), telegrams, strict=True):
                data[which] = telegram
        return data
