"""What a window of frames brought to deferred receivers, as columns: what `window_receivers` tells taps and receivers.

A row is a frame at a receiver, and rows are in the order of (end, start, source, k, receiver), so the rows of one frame
stand together. A tap that is a `WindowTap` gets all rows in one call; any other is called for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sim.core.events import Fate
from sim.core.history import FrameBatch
from sim.radio.emissions import Emission
from sim.radio.link_modes import Mode

if TYPE_CHECKING:
    from sim.radio.fleet_frames import FrameOf
    from sim.radio.links import Radios

I64 = NDArray[np.int64]


@dataclass(frozen=True)
class WindowReport:
    """`rows`: the frames at their receivers; `frame[row]`: the number of a row's frame, and `first[frame]` its first
    row; `end_ns` of each row. `data[frame]`: the bytes of the fleet's frames, as far as they are made. `intruders`: the
    emissions of others, by (start, source, k)."""

    rows: FrameBatch
    frame: I64
    first: I64
    end_ns: I64
    radios: Radios
    intruders: Mapping[tuple[int, int, int], Emission]
    data: list[bytes | None]
    frame_of: FrameOf

    @cached_property
    def telegrams(self) -> list[bytes]:
        """The bytes of each frame that somebody received; of another one nothing that counts."""
        wanted = np.zeros(len(self.first), dtype=bool)
        wanted[self.frame[self.received]] = True
        made, meters = self.data, len(self.radios.mode)
        for at in np.flatnonzero(wanted).tolist():
            if made[at] is None:
                start, source, k = self.key(at)
                fleet = source < meters
                made[at] = self.frame_of(source, k) if fleet else self.intruders[start, source, k].telegram
        return [raw or b"" for raw in made]

    @cached_property
    def received(self) -> I64:
        """Rows whose frame was received."""
        return np.flatnonzero(self.rows.fate == Fate.RECEIVED)

    def key(self, frame: int) -> tuple[int, int, int]:
        """(start, source, k) of a frame."""
        row, rows = self.first[frame], self.rows
        return int(rows.start_ns[row]), int(rows.source[row]), int(rows.k[row])

    @cached_property
    def emissions(self) -> Sequence[Emission]:
        """One a frame."""
        rows, first, radios, meters = self.rows, self.first, self.radios, len(self.radios.mode)
        columns = (rows.start_ns, rows.source, rows.k, self.end_ns)
        start, source, k, ends = (column[first].tolist() for column in columns)
        mode, length, power = (
            column[np.minimum(rows.source[first], meters - 1)].tolist() if meters else [0] * len(first)
            for column in (radios.mode, radios.length_bytes, radios.power_cdbm)
        )
        modes, data = {int(one): one for one in Mode}, self.data
        return [
            Emission(source[i], k[i], modes[mode[i]], start[i], ends[i], length[i], power[i], self.frame_of, data[i])
            if source[i] < meters else self.intruders[start[i], source[i], k[i]]
            for i in range(len(first))
        ]  # fmt: skip


@runtime_checkable
class WindowTap(Protocol):
    """A tap that takes a window's rows at once."""

    def __call__(self, emission: Emission, receiver: int, fate: Fate, level_cdbm: int, /) -> None:
        """One frame at one receiver, as any tap is told it."""

    def window(self, report: WindowReport, /) -> None:
        """The same for every row."""
