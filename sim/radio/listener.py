"""What happens to a frame at one receiver, worked out frame by frame from the definition.

The rules; which reason a loss has where several apply is loss.py:

    GATEWAY_DOWN   the receiver was down at any moment of the frame
    OUT_OF_RANGE   its level, fading included, is below the receiver's sensitivity
    RECEIVER_BUSY  no demodulator followed it to its end. A demodulator takes the first frame in range that finds it
                   free, and stays with it to its end, whatever becomes of that frame; a power cut frees it. A frame
                   that finds none free takes over the first whose frame is on its channel and no stronger than it can
                   overtake (receiver_profile.py): `early` where that frame began less than early_ns ago, `inside` later
    JAMMED         the peak of the jammers' power alone, over the frame, is above its limit (level - capture threshold)
    COLLISION      the peak of the power of all others together is

Intervals are half open: a frame that begins in the nanosecond another ends does not meet it. Frames that begin together
are taken in the order of source and number. A fate is settled when the frame ends; by then everything that could
touch it is known, so it does not matter in which order emissions, outages and ends of one instant were worked on.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import NamedTuple

from sim.core.events import Fate
from sim.radio.loss import RECEIVED, judge

_PRUNE_AT = 64
_FOREVER = 1 << 63
_FATES = tuple(Fate)

# (start_ns, source, k, end_ns, power, channel, can lock a demodulator, early, inside, early_ns)
Heard = tuple[int, int, int, int, int, int, bool, int, int, int]
Burst = tuple[int, int, int, int]  # (start_ns, end_ns, power, channel)


class Frame(NamedTuple):
    """A frame that is to be judged: what it is, and the power above which others break it."""

    start_ns: int
    source: int
    k: int
    end_ns: int
    channel: int
    limit: int


@dataclass(slots=True)
class Lock:
    """A demodulator that is taken, and by which frame."""

    start_ns: int
    source: int
    k: int
    until_ns: int
    power: int
    channel: int


class Listener:
    """One receiver's view of the air. `demodulators` 0: as many as it takes."""

    __slots__ = ("_bursts", "_busy", "_locks", "_next", "_on_air", "demodulators", "longest_ns", "outages")

    def __init__(self, demodulators: int) -> None:
        self.demodulators = demodulators
        self.longest_ns = 1  # of all frames (not bursts) so far
        self.outages: list[list[int]] = []  # [down_ns, up_ns], the last one perhaps open
        self._on_air: list[Heard] = []  # sorted
        self._bursts: list[Burst] = []
        self._locks: list[Lock | None] = [None] * demodulators
        self._next = 0  # first entry of _on_air that has not asked for a demodulator
        self._busy: set[tuple[int, int]] = set()

    def hear(self, heard: Heard) -> None:
        """A frame begins (it may be announced ahead of time, never late)."""
        on_air = self._on_air
        if heard[3] - heard[0] > self.longest_ns:
            self.longest_ns = heard[3] - heard[0]
        if not on_air or on_air[-1] < heard:
            on_air.append(heard)
        else:
            insort(on_air, heard)

    def burst(self, burst: Burst) -> None:
        """A jammer begins."""
        self._bursts.append(burst)

    # --- power ----------------------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        return not self.outages or self.outages[-1][1] < _FOREVER

    def switch(self, up: bool, now_ns: int) -> None:
        """Power on or off at `now_ns`."""
        if up and not self.up:
            self.outages[-1][1] = now_ns
            if self.outages[-1][0] == now_ns:
                self.outages.pop()  # down for no time at all
        elif not up and self.up:
            self.outages.append([now_ns, _FOREVER])

    def down_within(self, start_ns: int, end_ns: int) -> bool:
        """Down at any moment of the interval."""
        for down_ns, up_ns in reversed(self.outages):
            if up_ns <= start_ns:
                return False
            if down_ns < end_ns:
                return True
        return False

    # --- the fate of a frame ----------------------------------------------------------------------------------------

    def settle(self, frame: Frame, in_range: bool) -> Fate:
        """The fate of a frame that can be read here and has just ended. Each frame that could lock must be settled."""
        self._lock_until(frame.end_ns)
        busy, which = False, (frame.source, frame.k)
        if self._busy and which in self._busy:
            self._busy.discard(which)
            busy = True
        return self._judge(frame, in_range, busy)

    def readable_so_far(self, frame: Frame, until_ns: int) -> bool:
        """For a frame in range that is still on the air: everything up to `until_ns` came through."""
        self._lock_until(until_ns)
        busy = (frame.source, frame.k) in self._busy
        return self._judge(frame._replace(end_ns=until_ns), True, busy) is Fate.RECEIVED

    def _judge(self, frame: Frame, in_range: bool, busy: bool) -> Fate:
        start_ns, source, k, end_ns, channel, limit = frame
        down = bool(self.outages) and self.down_within(start_ns, end_ns)
        fate = judge(down, in_range, busy, 0, 0, limit)
        if fate != RECEIVED:
            return _FATES[fate]  # whatever else is on the air (loss.py)
        bursts = [
            (begin, end, power) for begin, end, power, ch in self._bursts
            if ch == channel and begin < end_ns and end > start_ns
        ]  # fmt: skip
        others = bursts.copy()
        earliest_ns = start_ns - self.longest_ns
        for begin, other, number, end, power, ch, *_ in reversed(self._on_air):
            if begin <= earliest_ns:
                break
            if end > start_ns and begin < end_ns and ch == channel and not (other == source and number == k):
                others.append((begin, end, power))
        if not others:
            return Fate.RECEIVED
        return _FATES[judge(down, in_range, busy, _peak(bursts, start_ns), _peak(others, start_ns), limit)]

    def _lock_until(self, time_ns: int) -> None:
        """Let every frame that began before `time_ns` ask for a demodulator, in order."""
        on_air, i = self._on_air, self._next
        if self.demodulators:
            while i < len(on_air) and on_air[i][0] < time_ns:
                start_ns, source, k, end_ns, power, channel, can_lock, *_ = heard = on_air[i]
                i += 1
                if not can_lock or (self.outages and self.down_within(start_ns, start_ns + 1)):
                    continue
                taken = self._take(heard)
                if taken is None:
                    self._busy.add((source, k))
                    continue
                old = self._locks[taken]
                if old is not None and self._follows(old, start_ns):
                    self._busy.add((old.source, old.k))
                self._locks[taken] = Lock(start_ns, source, k, end_ns, power, channel)
            self._next = i
        if len(on_air) > _PRUNE_AT:
            self._prune(time_ns)

    def _follows(self, lock: Lock, now_ns: int) -> bool:
        return lock.until_ns > now_ns and not (self.outages and self.down_within(lock.start_ns, now_ns + 1))

    def _take(self, heard: Heard) -> int | None:
        """The demodulator that a frame gets: the first free one, else the first that it can take over."""
        start_ns, channel, early, inside, early_ns = heard[0], heard[5], *heard[7:]
        overtaken = None
        for number, lock in enumerate(self._locks):
            if lock is None or not self._follows(lock, start_ns):
                return number
            most = early if start_ns - lock.start_ns < early_ns else inside
            if overtaken is None and lock.channel == channel and lock.power <= most:
                overtaken = number
        return overtaken

    def _prune(self, time_ns: int) -> None:
        """Forget what has ended before the beginning of any frame that is still on the air."""
        keep = bisect_left(self._on_air, (time_ns - 2 * self.longest_ns,))
        if keep > _PRUNE_AT // 2:
            del self._on_air[:keep]
            self._next = max(0, self._next - keep)
        if self._bursts:
            self._bursts = [burst for burst in self._bursts if burst[1] > time_ns - self.longest_ns]


def _peak(others: list[tuple[int, int, int]], start_ns: int) -> int:
    """The highest sum of powers over a frame that began at `start_ns`, of others that overlap it. The sum can only
    rise where a frame begins."""
    if len(others) == 1:
        return others[0][2]
    peak = 0
    for begin, _, _ in others:
        at = begin if begin > start_ns else start_ns
        total = 0
        for b, e, power in others:
            if b <= at < e:
                total += power
        if total > peak:
            peak = total
    return peak
