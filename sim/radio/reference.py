"""The air, event by event: the oracle that everything faster is held against, and the part of the air that reacts.

One SimPy event a frame, at its end, and one more for a header that a receiver wants while the frame is on the air.
The rules kept here: the events of one instant are worked on in the order (ends before headers, start, source, k),
whatever emitted the frames; before any of them, listeners know of every frame that began earlier. What happens at a
receiver is in listener.py.

A deferred receiver's frames are settled here like any other's, and kept until `hand_over`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

from sim.core.events import Fate
from sim.core.history import FrameBatch
from sim.radio import receiver_profile
from sim.radio.emissions import END, HEADER, Batch, Emission
from sim.radio.fleet_frames import FleetFrames
from sim.radio.link_modes import Mode, header_ns
from sim.radio.links import Radios
from sim.radio.listener import Frame, Listener
from sim.radio.receiver_profile import ReceiverProfile

OnFrame = Callable[[bytes, int, int], None]
OnFrames = Callable[[list[bytes], list[int], list[int]], Iterator[int]]
OnHeader = Callable[[bytes, int, int, Mode, int], None]
Tap = Callable[[Emission, int, Fate, int], None]
_HEADER_BYTES = 10


class Receiver:
    """A radio that listens. Setting `up` switches its power at the present world time; a deferred one
    first catches up with what ended before."""

    def __init__(self, env: simpy.Environment, name: str, sensitivity_cdbm: int, links: frozenset[Mode],
                 on_frame: OnFrame, *, on_header: OnHeader | None, demodulators: int,
                 catch_up: Callable[[], None] | None = None,
                 profile: ReceiverProfile | None = None, on_frames: OnFrames | None = None) -> None:  # fmt: skip
        self._env = env
        self._catch_up = catch_up
        self._power = self._awake = True
        self.name = name
        self.sensitivity_cdbm = sensitivity_cdbm
        self.links = links
        self.profile = profile or receiver_profile.profile()
        self.on_frame = on_frame
        self.on_frames = on_frames
        self.on_header = on_header
        self.since_ns = int(env.now) + 1 if env.now else 0  # it takes part in frames that begin from here on
        self.listener = Listener(demodulators)

    @property
    def deferred(self) -> bool:
        return self._catch_up is not None

    @property
    def up(self) -> bool:
        return self._power

    @up.setter
    def up(self, up: bool) -> None:
        self._power = up
        self._switch()

    @property
    def awake(self) -> bool:
        """It listens while it has power. One that sleeps is down."""
        return self._awake

    @awake.setter
    def awake(self, awake: bool) -> None:
        self._awake = awake
        self._switch()

    def _switch(self) -> None:
        if self._catch_up is not None:
            self._catch_up()
        self.listener.switch(self._power and self._awake, int(self._env.now))


@dataclass(frozen=True, slots=True)
class Pair:
    """One frame at one receiver."""

    receiver: int
    level_cdbm: int
    limit: int
    readable: bool
    in_range: bool
    early: int = 0  # see links.Arrivals
    inside: int = 0
    early_ns: int = 0


@dataclass(slots=True)
class IntruderFrame:
    """A frame sent by a intruder: its pairs in order of receiver, and their fates once it has ended."""

    emission: Emission
    pairs: list[Pair]
    fates: list[Fate] = field(default_factory=list)


class Reference:
    """Plays batches and intruders to receivers (a list shared with the air, only ever appended to)."""

    def __init__(self, env: simpy.Environment, receivers: list[Receiver], taps: list[Tap]) -> None:
        self._env = env
        self._receivers = receivers
        self._taps = taps
        self.radios = Radios(*(np.zeros(0, dtype=np.int64) for _ in range(4)))
        self.frames = FleetFrames()
        self._batches: list[Batch] = []
        self._due: list[tuple[int, int, int, int, int, IntruderFrame]] = []  # heap: time, kind, start, source, k
        self._intruders: list[IntruderFrame] = []  # not yet reported
        self._kept: list[tuple[int, Receiver, bytes, int]] = []  # for deferred receivers: end, who, bytes, level
        self._wake_ns: int | None = None
        self._reported_ns = 0

    # --- what is sent -----------------------------------------------------------------------------------------------

    def add_batch(self, batch: Batch) -> None:
        """Play a fleet's frames."""
        self._batches.append(batch)
        self._arm()

    def cut(self, start_ns: int) -> None:
        """Take back all frames of batches that begin at or after `start_ns`."""
        self._admit(start_ns)
        for batch in self._batches:
            batch.cut(start_ns)

    def add_intruder(self, intruder: IntruderFrame) -> None:
        """A frame or burst that begins now."""
        emission = intruder.emission
        start_ns, source, k, end_ns = emission.start_ns, emission.source, emission.k, emission.end_ns
        self._intruders.append(intruder)
        heapq.heappush(self._due, (end_ns, END, start_ns, source, k, intruder))
        if not emission.jammer and any(p.readable and self._receivers[p.receiver].on_header for p in intruder.pairs):
            header = min(start_ns + header_ns(emission.mode), end_ns)
            heapq.heappush(self._due, (header, HEADER, start_ns, source, k, intruder))
        self._arm()

    # --- time passes ------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Be woken at the next event."""
        at_ns = self._due[0][0] if self._due else None
        for batch in self._batches:
            next_ns = batch.next_ns()
            if next_ns is not None and (at_ns is None or next_ns < at_ns):
                at_ns = next_ns
        if at_ns is not None and (self._wake_ns is None or at_ns < self._wake_ns):
            self._wake_ns = at_ns
            self._env.timeout(at_ns - self._env.now).callbacks.append(self._wake)

    def _wake(self, _: Any) -> None:
        now_ns = int(self._env.now)
        if self._wake_ns is not None and self._wake_ns <= now_ns:
            self._wake_ns = None
        work: list[tuple[int, int, int, int, Batch | None, Any]] = []
        for batch in self._batches:
            while batch.next_ns() == now_ns:
                row = batch.row[batch.next]
                first = batch.heard[batch.pairs[row]]
                work.append((batch.kind[batch.next], first[0], first[1], first[2], batch, row))
                batch.next += 1
        while self._due and self._due[0][0] == now_ns:
            _, kind, start_ns, source, k, intruder = heapq.heappop(self._due)
            work.append((kind, start_ns, source, k, None, intruder))
        if work:
            self._admit(now_ns)
            if len(work) > 1:
                work.sort(key=lambda item: item[:4])
            for kind, _, _, _, owner, what in work:
                self._event(kind, owner, what, now_ns)
        self._arm()

    def _admit(self, before_ns: int) -> None:
        """Tell the listeners of every frame of the fleet that began before this."""
        receivers = self._receivers
        for batch in self._batches:
            row, start, pairs, heard, receiver = batch.admitted, batch.start, batch.pairs, batch.heard, batch.receiver
            while row < batch.stop and start[row] < before_ns:
                for pair in range(pairs[row], pairs[row + 1]):
                    receivers[receiver[pair]].listener.hear(heard[pair])
                row += 1
            batch.admitted = row

    def _event(self, kind: int, owner: Batch | None, what: Any, now_ns: int) -> None:
        if kind == HEADER:
            if owner is None:
                self._header(what.emission, what.pairs, now_ns)
            else:
                self._header(owner.emission(what, self.frames), _pairs(owner, what), now_ns)
        elif owner is None:
            self._intruder_ends(what)
        else:
            self._fleet_ends(owner, what)

    def _fleet_ends(self, batch: Batch, row: int) -> None:
        emission = None
        for pair in range(batch.pairs[row], batch.pairs[row + 1]):
            if not batch.readable[pair]:
                continue
            number = batch.receiver[pair]
            receiver = self._receivers[number]
            start_ns, source, k, end_ns, _, channel = batch.heard[pair][:6]
            frame = Frame(start_ns, source, k, end_ns, channel, batch.limit[pair])
            fate = receiver.listener.settle(frame, batch.in_range[pair])
            batch.fate[pair] = fate
            if fate is Fate.RECEIVED:
                if emission is None:
                    emission = batch.emission(row, self.frames)
                self._tap(emission, number, fate, batch.level[pair])
                self._received(receiver, emission.telegram, end_ns, batch.level[pair])

    def _intruder_ends(self, intruder: IntruderFrame) -> None:
        emission = intruder.emission
        for pair in intruder.pairs:
            receiver = self._receivers[pair.receiver]
            fate = Fate.JAMMED
            if not emission.jammer:
                fate = receiver.listener.settle(
                    _frame(emission, pair), pair.in_range
                ) if pair.readable else Fate.OUT_OF_RANGE  # fmt: skip
            intruder.fates.append(fate)
            if pair.readable or emission.jammer:
                self._tap(emission, pair.receiver, fate, pair.level_cdbm)
            if fate is Fate.RECEIVED:
                self._received(receiver, emission.telegram, emission.end_ns, pair.level_cdbm)

    def _received(self, receiver: Receiver, telegram: bytes, end_ns: int, level_cdbm: int) -> None:
        if receiver.deferred:
            self._kept.append((end_ns, receiver, telegram, level_cdbm))
        else:
            receiver.on_frame(telegram, end_ns, level_cdbm)

    def hand_over(self) -> None:
        """Hand deferred receivers what ended before now, in the order of ends."""
        now_ns = int(self._env.now)
        due = [kept for kept in self._kept if kept[0] < now_ns]
        self._kept = self._kept[len(due) :]
        for end_ns, receiver, telegram, level_cdbm in due:
            receiver.on_frame(telegram, end_ns, level_cdbm)

    def _header(self, emission: Emission, pairs: list[Pair], now_ns: int) -> None:
        for pair in pairs:
            receiver = self._receivers[pair.receiver]
            if receiver.on_header is None or not pair.readable or not pair.in_range:
                continue
            if receiver.listener.readable_so_far(_frame(emission, pair), now_ns):
                header = emission.telegram[:_HEADER_BYTES]
                receiver.on_header(header, now_ns, pair.level_cdbm, emission.mode, emission.end_ns - now_ns)

    def _tap(self, emission: Emission, receiver: int, fate: Fate, level_cdbm: int) -> None:
        for tap in self._taps:
            tap(emission, receiver, fate, level_cdbm)

    # --- what became of it ------------------------------------------------------------------------------------------

    def report(self, receivers: int) -> FrameBatch:
        """What ended before now and was not reported, at the first so many receivers."""
        now_ns, since_ns = int(self._env.now), self._reported_ns
        parts = [batch.ended(since_ns, now_ns, receivers) for batch in self._batches]
        self._batches = [b for b in self._batches if b.stop and int(b.end_ns[: b.stop].max()) >= now_ns]
        rows = [
            (v.emission.start_ns, v.emission.source, v.emission.k, pair.receiver, int(fate), pair.level_cdbm,
             v.emission.length_bytes)
            for v in self._intruders if not v.emission.jammer and v.emission.end_ns < now_ns
            for pair, fate in zip(v.pairs, v.fates, strict=True) if pair.readable and pair.receiver < receivers
        ]  # fmt: skip
        self._intruders = [v for v in self._intruders if v.emission.end_ns >= now_ns]
        self._reported_ns = now_ns
        return FrameBatch.joined([*parts, FrameBatch.of(rows)])


def _frame(emission: Emission, pair: Pair) -> Frame:
    channel = emission.mode.channel
    return Frame(emission.start_ns, emission.source, emission.k, emission.end_ns, channel, pair.limit)


def _pairs(batch: Batch, row: int) -> list[Pair]:
    return [
        Pair(batch.receiver[p], batch.level[p], batch.limit[p], batch.readable[p], batch.in_range[p])
        for p in range(batch.pairs[row], batch.pairs[row + 1])
    ]
