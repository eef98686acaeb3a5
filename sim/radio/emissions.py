"""What a fleet sends in a window, and the frames that intruders send one by one.

A Schedule is arrays, sorted by (start, meter); a Batch is a Schedule with its arrivals worked out for all receivers at
once, and the events it causes in order of time. An Emission is one frame as taps and callbacks see it; a meter's bytes
are asked of the fleet only when they are wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.core.history import FrameBatch
from sim.radio.fleet_frames import FleetFrames, MadeAhead
from sim.radio.link_modes import CHANNELS, Mode, header_ns

if TYPE_CHECKING:
    from sim.radio.links import Arrivals, Radios
    from sim.radio.listener import Heard

I64 = NDArray[np.int64]

END, HEADER = 0, 1  # kinds of events; at one instant, ends come first


@dataclass(frozen=True, slots=True)
class Schedule:
    """Equal-length int64 arrays: frame `k` of `meter` begins at `start_ns`. Sorted by (start, meter)."""

    start_ns: I64
    meter: I64
    k: I64

    def __len__(self) -> int:
        return len(self.start_ns)

    def part(self, low: int, high: int) -> Schedule:
        """The rows from `low` to `high`."""
        return Schedule(self.start_ns[low:high], self.meter[low:high], self.k[low:high])


@dataclass(slots=True, eq=False)
class Emission:
    """One frame or burst on the air. `frame` holds its bytes, or None until `telegram` is read."""

    source: int
    k: int
    mode: Mode
    start_ns: int
    end_ns: int
    length_bytes: int
    power_cdbm: int
    frame_of: Callable[[int, int], bytes]
    frame: bytes | None = None
    jammer: bool = False

    @property
    def telegram(self) -> bytes:
        """From L, without CRCs; empty for a jammer's burst."""
        if self.frame is None:
            self.frame = b"" if self.jammer else self.frame_of(self.source, self.k)
        return self.frame


class Batch:
    """A schedule ready to be played. Everything stands in Python lists (`heard[p]` of pair p and so on), since the
    reference works pair by pair; the arrays stay for the history. `fate[p]` is UNSETTLED until the frame has ended."""

    UNSETTLED = 255

    def __init__(self, schedule: Schedule, radios: Radios, arrivals: Arrivals, want_header: NDArray[np.bool_]) -> None:
        self.schedule = schedule
        self.arrivals = arrivals
        meter = schedule.meter
        self.mode = radios.mode[meter]
        self.length_bytes = radios.length_bytes[meter]
        self.end_ns = schedule.start_ns + radios.duration_ns[meter]
        modes = {int(one): one for one in Mode}
        self._sent: list[tuple[int, int, Mode, int, int, int, int]] = list(  # as Emission has it
            zip(
                meter.tolist(), schedule.k.tolist(), map(modes.__getitem__, self.mode.tolist()),
                schedule.start_ns.tolist(), self.end_ns.tolist(), self.length_bytes.tolist(),
                radios.power_cdbm[meter].tolist(), strict=True,
            )
        )  # fmt: skip
        self.admitted = 0  # rows that listeners know of
        self.stop = len(schedule)  # rows from here on were handed to another batch
        row = arrivals.row
        rows = len(schedule)
        self.pairs: list[int] = np.searchsorted(row, np.arange(rows + 1)).tolist()
        channel = np.where(self.mode == Mode.S1, 1, 0)
        assert CHANNELS == 2
        self.start: list[int] = schedule.start_ns.tolist()
        self.receiver: list[int] = arrivals.receiver.tolist()
        self.level: list[int] = arrivals.level_cdbm.tolist()
        self.limit: list[int] = arrivals.limit.tolist()
        self.readable: list[bool] = arrivals.readable.tolist()
        self.in_range: list[bool] = arrivals.in_range.tolist()
        self.heard: list[Heard] = list(
            zip(
                schedule.start_ns[row].tolist(), meter[row].tolist(), schedule.k[row].tolist(),
                self.end_ns[row].tolist(), arrivals.power.tolist(), channel[row].tolist(),
                (arrivals.in_range & arrivals.readable).tolist(), arrivals.early.tolist(), arrivals.inside.tolist(),
                arrivals.early_ns.tolist(), strict=True,
            )
        )  # fmt: skip
        self.fate = bytearray([self.UNSETTLED]) * len(row)
        self._telegrams = MadeAhead(schedule, np.unique(row[arrivals.in_range & arrivals.readable]))
        self._order(want_header)

    def _order(self, want_header: NDArray[np.bool_]) -> None:
        """The events, by (time, kind, row): an end for each frame that reaches anyone, a header where one is wanted."""
        reaching = np.unique(self.arrivals.row)
        wanted = np.unique(self.arrivals.row[want_header & self.arrivals.readable])
        known = np.array([0, *(header_ns(mode) for mode in Mode)], dtype=np.int64)[self.mode[wanted]]
        header = np.minimum(self.schedule.start_ns[wanted] + known, self.end_ns[wanted])
        time = np.concatenate([self.end_ns[reaching], header])
        kind = np.repeat([END, HEADER], [len(reaching), len(wanted)])
        rows = np.concatenate([reaching, wanted])
        order = np.lexsort((rows, kind, time))
        self.at: list[int] = time[order].tolist()
        self.kind: list[int] = kind[order].tolist()
        self.row: list[int] = rows[order].tolist()
        self.next = 0

    def next_ns(self) -> int | None:
        """When the next event is due."""
        while self.next < len(self.at):
            if self.row[self.next] < self.stop:
                return self.at[self.next]
            self.next += 1
        return None

    def cut(self, start_ns: int) -> None:
        """Take the rows from `start_ns` on out of this batch."""
        self.stop = int(np.searchsorted(self.schedule.start_ns[: self.stop], start_ns))

    def emission(self, row: int, frames: FleetFrames) -> Emission:
        """Row `row`, which is in range of somebody, as an Emission."""
        return Emission(*self._sent[row], lambda _meter, _k: self._telegrams.telegram(row, frames))

    def ended(self, since_ns: int, until_ns: int, receivers: int) -> FrameBatch:
        """What ended in an interval, at the first so many receivers."""
        done = (self.end_ns >= since_ns) & (self.end_ns < until_ns)
        done[self.stop :] = False
        arrivals = self.arrivals
        pick = np.flatnonzero(done[arrivals.row] & arrivals.readable & (arrivals.receiver < receivers))
        row, fate = arrivals.row[pick], np.frombuffer(self.fate, dtype=np.uint8)[pick].astype(np.int64)
        schedule = self.schedule
        return FrameBatch(
            schedule.start_ns[row], schedule.meter[row], schedule.k[row], arrivals.receiver[pick], fate,
            arrivals.level_cdbm[pick], self.length_bytes[row],
        )  # fmt: skip
