"""The air for a fleet: a window's frames as arrays, with the same fates as the event-by-event reference.

    engine = Engine(propagation, ears, links, radios, demodulators)
    result = engine.window(until_ns, frames, visits, outages)

The rules kept here: the engine knows nothing that reference.py does not, and forgets nothing between windows that it
would need: what is still on the air is carried over with the peaks it has seen, and demodulators keep their locks. So
received sets and reasons are the same for any window, with numba or without (`backend`), and the tests hold them
against the reference. Frames come in the order of meters (`Frames`), not of time: each receiver sorts its own share.

What the packed keys do not hold is refused at once: limits.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.core.events import Fate
from sim.core.history import FrameBatch
from sim.core.seeds import NORMAL_KNOTS, purpose_id
from sim.radio.capture import CAPTURE_CDB, capture_table, draw_shift
from sim.radio.emissions import Schedule
from sim.radio.limits import MAX_WINDOW_NS as MAX_WINDOW_NS
from sim.radio.limits import EngineLimit as EngineLimit
from sim.radio.limits import check_entries, check_size, check_window
from sim.radio.link_modes import Mode
from sim.radio.links import Ears, Links, Radios
from sim.radio.propagation import FADING, LOWEST_CDBM, POWER_UNITS, Propagation, one_power_units

if TYPE_CHECKING:
    from sim.radio.reference import Visit

sweep: Any
try:
    from sim.radio import sweep
except ImportError:  # numba is optional
    sweep = None

I64 = NDArray[np.int64]

READABLE, IN_RANGE, JAMMER, SECOND_CHANNEL = 1, 2, 4, 8  # READABLE: as a truth value
FOREVER: Final = 1 << 62
_CARRY_COLUMNS = 11
_FRAME = 7  # column of the frame's number in what is carried


@dataclass(frozen=True, slots=True)
class Frames:
    """A fleet's frames that begin in a window, by (meter, k): those of meter m are `first[m]:first[m + 1]`."""

    first: I64
    start_ns: I64
    k: I64

    @classmethod
    def of(cls, schedule: Schedule, meters: int) -> Frames:
        order = np.lexsort((schedule.k, schedule.meter))
        meter, start_ns = schedule.meter[order], schedule.start_ns[order]
        if ((np.diff(meter) == 0) & (np.diff(start_ns) <= 0)).any():
            raise ValueError("a meter's frames must begin one after the other")
        first = np.searchsorted(meter, np.arange(meters + 1)).astype(np.int64)
        return cls(first, start_ns, schedule.k[order])

    def meter(self) -> I64:
        return np.repeat(np.arange(len(self.first) - 1, dtype=np.int64), np.diff(self.first))


@dataclass(frozen=True, slots=True)
class WindowResult:
    """What ended in the window. `counts[receiver, fate]` over gateways; `heard[frame]` marks frames that at least one
    gateway received, the fleet's first, in the order of Frames, then others; `batch` only when detail was asked for."""

    frames_sent: int
    frames_heard: int
    counts: I64
    heard: NDArray[np.uint8]
    batch: FrameBatch | None

    @property
    def fates(self) -> dict[str, int]:
        total = self.counts.sum(axis=0).tolist()
        return {fate.label: total[fate] for fate in Fate}


@dataclass(slots=True)
class _Others:
    """Frames that are not the fleet's of this window: carried over, and visitors'. Columns of equal length."""

    source: list[int]
    k: list[int]
    start_ns: list[int]
    end_ns: list[int]
    length_bytes: list[int]  # 0: a burst


class Engine:
    """State between windows: what is on the air, and locks. `since[r]`: receiver r hears what begins from then on.
    `meter_names`, `receiver_names`: their numbers in the whole world, ascending, where this engine is a part of one."""

    def __init__(
        self, propagation: Propagation, ears: Ears, links: Links, radios: Radios, demodulators: Sequence[int], *,
        since_ns: Sequence[int] | None = None, capture: int | I64 = CAPTURE_CDB, gateways: int | None = None,
        backend: str | None = None, meter_names: I64 | None = None, receiver_names: I64 | None = None,
    ) -> None:  # fmt: skip
        self.meters, self.receivers = len(radios.mode), len(ears.sensitivity_cdbm)
        self.propagation, self.ears, self.radios, self.capture = propagation, ears, radios, capture_table(capture)
        self.gateways = self.receivers if gateways is None else gateways
        self.backend = backend or ("numba" if sweep is not None else "numpy")
        if self.backend not in ("numba", "numpy"):
            raise ValueError(f"backend {self.backend!r} is not 'numba' or 'numpy'")
        if self.backend == "numba" and sweep is None:
            raise ImportError("the engine's compiled backend needs numba: pip install numba, or backend='numpy'")
        self.demodulators = np.array(demodulators, dtype=np.int64)
        self.since = np.array(since_ns if since_ns is not None else [0] * self.receivers, dtype=np.int64)
        self.locks = np.zeros((self.receivers, max(1, int(self.demodulators.max(initial=1)))), dtype=np.int64)
        self.now_ns = 0
        # Luck hangs on who they are in the whole world, where this is a part of one.
        self.meter_names: I64 = np.arange(self.meters) if meter_names is None else meter_names
        self.receiver_names: I64 = np.arange(self.receivers) if receiver_names is None else receiver_names
        self.longest_ns = int(radios.duration_ns.max(initial=1))
        self._carry: I64 = np.zeros((0, _CARRY_COLUMNS), dtype=np.int64)
        self._others = _Others([], [], [], [], [])
        self._transpose(links)

    def _transpose(self, links: Links) -> None:
        """Links by receiver, meters ascending; with what does not change from frame to frame worked out."""
        count = np.bincount(links.receiver, minlength=self.receivers)
        check_size(self.meters, count, self.longest_ns)
        self.link_count = np.diff(links.offset)
        narrow = links.receiver if self.receivers > 1 << 16 else links.receiver.astype(np.uint16)  # sorted much faster
        order = np.argsort(narrow, kind="stable")
        self.link_offset = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        self.link_meter = np.repeat(np.arange(self.meters, dtype=np.int32), self.link_count)[order]
        self.link_level = links.level_cdbm.astype(np.int32)[order]
        # How lucky a frame must be to be in range; whom no luck can harm is in range.
        missing = np.repeat(self.ears.sensitivity_cdbm, count) - self.link_level
        self.link_luck, always = self.propagation.luck_needed(missing)
        second = (self.radios.mode == Mode.S1).astype(np.int8) * np.int8(SECOND_CHANNEL)
        self.link_flags = second[self.link_meter] | links.readable[order].astype(np.int8) | always * np.int8(IN_RANGE)
        self.link_duration = self.radios.duration_ns.astype(np.int32)[self.link_meter]

    @property
    def open_frames(self) -> tuple[I64, I64]:
        """(source, k) of what is on the air now; the next window's `heard` tells of it after the fleet's frames."""
        return np.array(self._others.source, dtype=np.int64), np.array(self._others.k, dtype=np.int64)

    # --- a window ---------------------------------------------------------------------------------------------------

    def window(
        self, until_ns: int, frames: Frames, visits: Sequence[Visit] = (),
        outages: Sequence[Sequence[Sequence[int]]] = (), *, detail: bool = False, only: Fate | None = None,
    ) -> WindowResult:  # fmt: skip
        """Everything that begins in [now, until). `visits` likewise; `outages[r]`: receiver r's (down, up) so far, in
        order, an open one up to FOREVER. `only`: detail of this fate alone. Moves `now_ns` to `until_ns`."""
        begin_ns = self.now_ns
        check_window(until_ns - begin_ns, len(frames.start_ns))
        others = self._others
        fleet = len(frames.start_ns)
        carried_in = self._carry.copy()
        carried_in[:, _FRAME] += fleet
        extra = self._extras(visits, begin_ns, until_ns, fleet, others)
        heard = np.zeros(fleet + len(others.source), dtype=np.uint8)
        counts = np.zeros((self.receivers, len(Fate)), dtype=np.int64)
        down = self._outages(outages, begin_ns, until_ns)
        late = self._late(frames, until_ns)
        if self.backend == "numba":
            # Who is told of received frames alone need not go through the whole sweep for the others.
            wanted = sweep.RECEIVED if only == Fate.RECEIVED else sweep.EVERYTHING
            carry, rows = self._compiled(
                begin_ns, until_ns, frames, late[1], extra, carried_in, down, heard, counts,
                wanted if detail else sweep.NOTHING,
            )  # fmt: skip
        else:
            from sim.radio import sweep_numpy

            carry, rows = sweep_numpy.sweep(
                self, begin_ns, until_ns, frames, extra, carried_in, down, heard, counts, detail
            )
        batch = self._batch(frames, others, rows if only is None else rows[rows[:, 2] == only]) if detail else None
        others_end = zip(others.end_ns, others.length_bytes, strict=True)
        done = sum(length > 0 and end_ns < until_ns for end_ns, length in others_end)
        sent = fleet + done - self._keep(frames, late, others, carry, until_ns)
        self.now_ns = until_ns
        return WindowResult(sent, int(np.count_nonzero(heard)), counts, heard, batch)

    def _extras(self, visits: Sequence[Visit], begin_ns: int, until_ns: int, fleet: int, others: _Others) -> I64:
        """Visitors' pairs as rows (receiver, start, end, level, units, limit, flags, frame), in order."""
        rows = []
        for visit in sorted(visits, key=lambda v: (v.emission.start_ns, v.emission.source, v.emission.k)):
            emission = visit.emission
            if emission.source < self.meters:
                raise ValueError(f"visitors are sources from {self.meters} on, not {emission.source}")
            if not begin_ns <= emission.start_ns < until_ns:
                raise ValueError(f"a visitor's frame begins at {emission.start_ns} ns, outside the window")
            number = fleet + len(others.source)
            others.source.append(emission.source)
            others.k.append(emission.k)
            others.start_ns.append(emission.start_ns)
            others.end_ns.append(emission.end_ns)
            others.length_bytes.append(emission.length_bytes)
            channel = SECOND_CHANNEL if emission.mode.channel else 0
            for pair in visit.pairs:
                flags = channel + (JAMMER if emission.jammer else pair.readable * READABLE + pair.in_range * IN_RANGE)
                rows.append((pair.receiver, emission.start_ns, emission.end_ns, pair.level_cdbm,
                             one_power_units(pair.level_cdbm), pair.limit, flags, number))  # fmt: skip
        table = np.array(rows, dtype=np.int64).reshape(-1, 8)
        return np.ascontiguousarray(table[np.argsort(table[:, 0], kind="stable")])

    def _outages(
        self, outages: Sequence[Sequence[Sequence[int]]], begin_ns: int, until_ns: int
    ) -> tuple[I64, I64, I64]:
        """(offsets by receiver, down, up) of those that reach into the window; what comes later is asked then."""
        kept = [
            (r, *pair) for r, own in enumerate(outages) if own for pair in own
            if pair[0] < until_ns and pair[1] > begin_ns
        ]  # fmt: skip
        flat = np.array(kept, dtype=np.int64).reshape(-1, 3)
        offset = np.searchsorted(flat[:, 0], np.arange(self.receivers + 1)).astype(np.int64)
        return offset, np.ascontiguousarray(flat[:, 1]), np.ascontiguousarray(np.minimum(flat[:, 2], FOREVER))

    def _compiled(
        self, begin_ns: int, until_ns: int, frames: Frames, late_meter: I64, extra: I64, carried_in: I64,
        down: tuple[I64, I64, I64], heard: NDArray[np.uint8], counts: I64, detail: int,
    ) -> tuple[I64, I64]:  # fmt: skip
        every = np.arange(self.receivers + 1)
        ex_offset = np.searchsorted(extra[:, 0], every).astype(np.int64)
        in_offset = np.searchsorted(carried_in[:, 0], every).astype(np.int64)
        check_entries(np.diff(frames.first), self.link_meter, self.link_offset, np.diff(ex_offset))
        carry_rows = len(carried_in) + len(extra) + int(self.link_count[late_meter].sum())
        carry = np.empty((carry_rows, _CARRY_COLUMNS), dtype=np.int64)
        pairs = int((np.diff(frames.first) * self.link_count).sum()) + len(carried_in) + len(extra) if detail else 0
        rows = np.empty((pairs, 4), dtype=np.int64)
        seeds = self.propagation.seeds
        filled, told = sweep.sweep(
            every[:-1], (frames.first, frames.start_ns, frames.k), self.link_offset,
            (self.link_meter, self.link_duration, self.link_level, self.link_flags), self.link_luck,
            self.meter_names, self.receiver_names, self.ears.sensitivity_cdbm, self.since,
            (self.propagation.fading_cdb, np.uint64(seeds.seed), np.uint64(purpose_id(FADING)), NORMAL_KNOTS,
             POWER_UNITS, LOWEST_CDBM, self.capture, np.uint64(draw_shift(self.capture))),
            ex_offset, extra, *down, self.demodulators, self.locks,
            begin_ns, until_ns, self.longest_ns, self.gateways, len(frames.k) + len(extra) + len(carried_in) + 1,
            in_offset, carried_in, heard, counts, carry, rows, detail,
        )  # fmt: skip
        if filled < 0:
            raise ValueError(f"frames begin outside the window from {begin_ns} to {until_ns} ns")
        return carry[:filled], rows[:told]

    def _late(self, frames: Frames, until_ns: int) -> tuple[I64, I64]:
        """Frames of the fleet that are still on the air at the window's end, and their meters."""
        near = np.flatnonzero(frames.start_ns >= until_ns - self.longest_ns)
        meter = np.searchsorted(frames.first, near, side="right") - 1
        keep = frames.start_ns[near] + self.radios.duration_ns[meter] >= until_ns
        return near[keep], meter[keep]

    # --- what is kept -----------------------------------------------------------------------------------------------

    def _keep(self, frames: Frames, late_rows: tuple[I64, I64], others: _Others, carry: I64, until_ns: int) -> int:
        """Number anew what goes on into the next window; returns how many of the fleet's frames do."""
        late, meter = late_rows
        fleet = len(frames.start_ns)
        open_ = [i for i, end_ns in enumerate(others.end_ns) if end_ns >= until_ns]
        kept = np.concatenate([late, np.array(open_, dtype=np.int64) + fleet])
        columns = zip(others.source, others.k, others.start_ns, others.end_ns, others.length_bytes, strict=True)
        rows = list(columns)
        start_ns = frames.start_ns[late]
        fresh = zip(meter.tolist(), frames.k[late].tolist(), start_ns.tolist(),
                    (start_ns + self.radios.duration_ns[meter]).tolist(),
                    self.radios.length_bytes[meter].tolist(), strict=True)  # fmt: skip
        everything = [*fresh, *(rows[i] for i in open_)]
        self._others = _Others(*([row[i] for row in everything] for i in range(5)))
        carry = carry[np.argsort(carry[:, 0], kind="stable")]
        carry[:, _FRAME] = np.searchsorted(kept, carry[:, _FRAME])
        self._carry = carry
        return len(late)

    def _batch(self, frames: Frames, others: _Others, rows: I64) -> FrameBatch:
        """Detail rows (frame, receiver, fate, level) with what identifies their frames; gateways only."""
        rows = rows[rows[:, 1] < self.gateways]
        meter = frames.meter()
        columns = [
            np.concatenate([own, np.array(other, dtype=np.int64)])[rows[:, 0]]
            for own, other in (
                (frames.start_ns, others.start_ns), (meter, others.source), (frames.k, others.k),
                (self.radios.length_bytes[meter], others.length_bytes),
            )
        ]  # fmt: skip
        return FrameBatch(columns[0], columns[1], columns[2], rows[:, 1].copy(), rows[:, 2].copy(), rows[:, 3].copy(),
                          columns[3])  # fmt: skip
