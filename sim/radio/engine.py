"""The air for a fleet: a window's frames as arrays, with the same fates as the event-by-event reference.

    engine = Engine(propagation, receivers, links, radios, demodulators)
    result = engine.window(until_ns, frames, intruders, outages)

The rules kept here: the engine knows nothing that reference.py does not, and forgets nothing between windows that it
would need: what is still on the air is carried over with the peaks it has seen, and demodulators keep their locks. So
received sets and reasons are the same for any window, and the tests hold them against the reference. Frames come in the
order of meters (`Frames`), not of time: each receiver sorts its own share.

What the packed keys do not hold is refused at once: limits.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sim.core.events import Fate
from sim.core.history import FrameBatch
from sim.core.seeds import NORMAL_KNOTS, purpose_id
from sim.radio.detail_rows import ANY, identified
from sim.radio.limits import MAX_WINDOW_NS as MAX_WINDOW_NS
from sim.radio.limits import EngineLimit as EngineLimit
from sim.radio.limits import check_entries, check_size, check_window
from sim.radio.link_modes import Mode
from sim.radio.links import Links, Radios, Receivers
from sim.radio.propagation import FADING, LOWEST_CDBM, POWER, Propagation, one_power, scaled
from sim.radio.receiver_profile import Curves
from sim.radio.sweep import busiest, sweep
from sim.radio.sweep_arrays import (
    C_FRAME,
    CARRY_COLUMNS,
    COLUMNS,
    COMPACT,
    EVERYTHING,
    IN_RANGE,
    JAMMER,
    NOTHING,
    ONLY_RECEIVED,
    READABLE,
    SECOND_CHANNEL,
    Draws,
    Frames,
    Listeners,
    Others,
    Outcome,
    ReceiverLinks,
    Scratch,
    Setting,
    Traffic,
    Window,
)

if TYPE_CHECKING:
    from sim.radio.reference import IntruderFrame

I64 = NDArray[np.int64]

FOREVER: Final = 1 << 62
_MODE_FLAGS: Final[dict[int, int]] = {Mode.T1: 0, Mode.C1: COMPACT, Mode.S1: SECOND_CHANNEL}


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
        """Pairs of a frame and a receiver by fate, all receivers together."""
        total = self.counts.sum(axis=0).tolist()
        return {fate.label: total[fate] for fate in Fate}


@dataclass(slots=True)
class _Others:
    """Frames that are not the fleet's of this window: carried over, and intruders'. Columns of equal length."""

    source: list[int]
    k: list[int]
    start_ns: list[int]
    end_ns: list[int]
    length_bytes: list[int]  # 0: a burst


class Engine:
    """State between windows: what is on the air, and locks. `since_ns[r]`: receiver r hears what begins from then on.
    `meter_names`, `receiver_names`: their numbers in the whole world, ascending, where this engine is a part of one;
    what is drawn depends on these."""

    def __init__(
        self, propagation: Propagation, receivers: Receivers, links: Links, radios: Radios,
        demodulators: Sequence[int], *, since_ns: Sequence[int] | None = None, gateways: int | None = None,
        meter_names: I64 | None = None, receiver_names: I64 | None = None,
    ) -> None:  # fmt: skip
        self.meters, count = len(radios.mode), len(receivers.sensitivity_cdbm)
        self.radios, self.gateways = radios, count if gateways is None else gateways
        self.now_ns = 0
        self.longest_ns = int(radios.duration_ns.max(initial=1))
        names = np.arange(self.meters) if meter_names is None else meter_names
        self._draws = _draws(propagation, receivers.curves)
        places, none = np.array(demodulators, dtype=np.int64), np.zeros(0, dtype=np.int64)
        self.listeners = Listeners(
            np.arange(count) if receiver_names is None else receiver_names, receivers.sensitivity_cdbm,
            receivers.profile,
            np.array(since_ns if since_ns is not None else [0] * count, dtype=np.int64), places,
            np.zeros((count, max(1, int(places.max(initial=1)))), dtype=np.int64), none, none, none,
        )  # fmt: skip
        self.links = self._by_receiver(propagation, links, names.astype(np.uint32))
        self._links_a_meter = np.diff(links.offset)
        self._most_links = int(np.diff(self.links.offset).max(initial=0))
        self._carry: I64 = np.zeros((0, CARRY_COLUMNS), dtype=np.int64)
        self._others = _Others([], [], [], [], [])
        self._scratch = Scratch.of(0, 0)

    def _by_receiver(self, propagation: Propagation, links: Links, names: NDArray[np.uint32]) -> ReceiverLinks:
        """Links by receiver, meters ascending; with what does not change from frame to frame worked out."""
        receivers = len(self.listeners.name)
        count = np.bincount(links.receiver, minlength=receivers)
        check_size(self.meters, count, self.longest_ns)
        narrow = links.receiver if receivers > 1 << 16 else links.receiver.astype(np.uint16)  # sorted much faster
        order = np.argsort(narrow, kind="stable")
        meter = np.repeat(np.arange(self.meters, dtype=np.int32), np.diff(links.offset))[order]
        level = links.level_cdbm.astype(np.int32)[order]
        curves, which = self._draws.curves, self.listeners.profile
        mode_flags = np.array([_MODE_FLAGS.get(number, 0) for number in range(4)], dtype=np.int8)[self.radios.mode]
        flags = mode_flags[meter] | links.readable[order].astype(np.int8)
        missing = np.repeat(self.listeners.sensitivity_cdbm, count) - level
        if curves.curved.any():
            missing += curves.need.max(axis=2)[np.repeat(which, count), self.radios.mode[meter] - 1]
        draws, always = propagation.draws_needed(missing)
        flags |= always * np.int8(IN_RANGE)
        return ReceiverLinks(
            _offsets(count), meter, names[meter], self.radios.duration_ns.astype(np.int32)[meter], level, flags, draws
        )  # fmt: skip

    @property
    def open_frames(self) -> tuple[I64, I64]:
        """(source, k) of what is on the air now; the next window's `heard` has it after the fleet's frames."""
        return np.array(self._others.source, dtype=np.int64), np.array(self._others.k, dtype=np.int64)

    @property
    def quiet(self) -> bool:
        """Nothing is on the air now: a window in which nothing begins changes nothing."""
        return not self._others.source and not len(self._carry)

    # --- a window ---------------------------------------------------------------------------------------------------

    def window(
        self, until_ns: int, frames: Frames, intruders: Sequence[IntruderFrame] = (),
        outages: Sequence[Sequence[Sequence[int]]] = (), *, detail: bool = False, only: Fate | None = None,
    ) -> WindowResult:  # fmt: skip
        """Everything that begins in [now, until). `intruders` likewise; `outages[r]`: receiver r's (down, up) so far,
        in order, an open one up to FOREVER. `only`: detail of this fate alone. Moves `now_ns` to `until_ns`."""
        begin_ns, others, fleet = self.now_ns, self._others, len(frames.start_ns)
        check_window(until_ns - begin_ns, fleet)
        carried = self._carry.copy()
        carried[:, C_FRAME] += fleet
        begun = self._intruders(intruders, begin_ns, until_ns, fleet, others)
        heard = np.zeros(fleet + len(others.source), dtype=np.uint8)
        counts = np.zeros((len(self.listeners.name), len(Fate)), dtype=np.int64)
        outcome = Outcome(heard, counts, *self._rooms(frames, until_ns, begun, detail))
        report = NOTHING if not detail else ONLY_RECEIVED if only == Fate.RECEIVED else EVERYTHING
        window = Window(begin_ns, until_ns, self.longest_ns, self.gateways, report)
        down = self._outages(outages, begin_ns, until_ns)
        filled, reported = sweep(
            Setting(self.links, self.listeners._replace(outage_offset=down[0], down_ns=down[1], up_ns=down[2]),
                    self._draws),
            Traffic(window, frames, Others(self._rows_of(begun), begun, self._rows_of(carried), carried)),
            outcome, self._scratch,
        )  # fmt: skip
        if filled < 0:
            raise ValueError(f"frames begin outside the window from {begin_ns} to {until_ns} ns")
        rows = outcome.rows[:reported]
        batch = self._batch(frames, others, rows, only) if detail else None
        others_end = zip(others.end_ns, others.length_bytes, strict=True)
        done = sum(length > 0 and end_ns < until_ns for end_ns, length in others_end)
        sent = fleet + done - self._keep(frames, others, outcome.carry[:filled], until_ns)
        self.now_ns = until_ns
        return WindowResult(sent, int(np.count_nonzero(outcome.heard)), outcome.counts, outcome.heard, batch)

    def _rooms(self, frames: Frames, until_ns: int, begun: I64, detail: bool) -> tuple[I64, I64]:
        """Room for what is carried on and for what is reported; and scratch that is large enough."""
        other = len(self._carry) + len(begun)
        fleet = len(frames.k)
        most = min(fleet, self._most_links * busiest(frames.first)) + other
        check_entries(frames.first, self.links.meter, self.links.offset, np.diff(self._rows_of(begun)))
        if len(self._scratch.frame) <= most or len(self._scratch.cell) <= fleet:
            self._scratch = Scratch.of(most + most // 8, fleet + fleet // 8)
        carry = other + int(self._links_a_meter[self._late(frames, until_ns)[1]].sum())
        rows = int((np.diff(frames.first) * self._links_a_meter).sum()) + other if detail else 0
        return np.empty((carry, CARRY_COLUMNS), dtype=np.int64), np.empty((rows, 4), dtype=np.int64)

    def _rows_of(self, table: I64) -> I64:
        """By receiver, where its rows of a table stand that is sorted by it."""
        return np.searchsorted(table[:, 0], np.arange(len(self.listeners.name) + 1)).astype(np.int64)

    def _intruders(
        self, intruders: Sequence[IntruderFrame], begin_ns: int, until_ns: int, fleet: int, others: _Others
    ) -> I64:
        """Intruder frames at receivers as rows, in order: the receiver, and the columns of a frame that begins."""
        rows = []
        for one in sorted(intruders, key=lambda i: (i.emission.start_ns, i.emission.source, i.emission.k)):
            emission = one.emission
            if emission.source < self.meters:
                raise ValueError(f"intruders are sources from {self.meters} on, not {emission.source}")
            if not begin_ns <= emission.start_ns < until_ns:
                raise ValueError(f"an intruder's frame begins at {emission.start_ns} ns, outside the window")
            number = fleet + len(others.source)
            others.source.append(emission.source)
            others.k.append(emission.k)
            others.start_ns.append(emission.start_ns)
            others.end_ns.append(emission.end_ns)
            others.length_bytes.append(emission.length_bytes)
            channel = _MODE_FLAGS[emission.mode]
            for p in one.pairs:
                flags = channel + (JAMMER if emission.jammer else p.readable * READABLE + p.in_range * IN_RANGE)
                rows.append((p.receiver, emission.start_ns, emission.end_ns, p.level_cdbm, one_power(p.level_cdbm),
                             p.limit, flags, number, p.early, p.inside))  # fmt: skip
        table = np.array(rows, dtype=np.int64).reshape(-1, 1 + COLUMNS)
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
        offset = self._rows_of(flat)
        return offset, np.ascontiguousarray(flat[:, 1]), np.ascontiguousarray(np.minimum(flat[:, 2], FOREVER))

    def _late(self, frames: Frames, until_ns: int) -> tuple[I64, I64]:
        """Frames of the fleet that are still on the air at the window's end, and their meters."""
        near = np.flatnonzero(frames.start_ns >= until_ns - self.longest_ns)
        meter = np.searchsorted(frames.first, near, side="right") - 1
        keep = frames.start_ns[near] + self.radios.duration_ns[meter] >= until_ns
        return near[keep], meter[keep]

    # --- what is kept -----------------------------------------------------------------------------------------------

    def _keep(self, frames: Frames, others: _Others, carry: I64, until_ns: int) -> int:
        """Number anew what goes on into the next window; returns how many of the fleet's frames do."""
        late, meter = self._late(frames, until_ns)
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
        carry[:, C_FRAME] = np.searchsorted(kept, carry[:, C_FRAME])
        self._carry = carry
        return len(late)

    def _batch(self, frames: Frames, others: _Others, rows: I64, only: Fate | None) -> FrameBatch:
        """Detail rows (frame, receiver, fate, level) with what identifies their frames; gateways only."""
        beside = np.array([others.start_ns, others.source, others.k, others.length_bytes], dtype=np.int64)
        out = np.empty((7, len(rows)), dtype=np.int64)
        fate = ANY if only is None else int(only)
        count = identified(rows, self.gateways, fate, frames, self.radios.length_bytes, beside, out)
        return FrameBatch(*out[:, :count])


def _offsets(count: I64) -> I64:
    return np.concatenate([[0], np.cumsum(count)]).astype(np.int64)


def _draws(propagation: Propagation, curves: Curves) -> Draws:
    seeds = propagation.seeds
    return Draws(
        propagation.fading_cdb, scaled(propagation.fading_cdb, NORMAL_KNOTS.max()).item() + 1, np.uint64(seeds.seed),
        np.uint64(purpose_id(FADING)), NORMAL_KNOTS, POWER, LOWEST_CDBM,
        curves,
    )  # fmt: skip
