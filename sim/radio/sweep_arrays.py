"""What the engine hands to its compiled sweep: named tuples of arrays, and the columns and flags of their tables.

Powers are int64 in 1e-16 mW, levels int64 or int32 in 1/100 dBm, times int64 in nanoseconds of world time. CSR offsets:
what belongs to row i is `offset[i]:offset[i + 1]`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.radio.emissions import Schedule
from sim.radio.receiver_profile import Curves

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U64 = NDArray[np.uint64]
U8 = NDArray[np.uint8]

# flags of a frame at a receiver
READABLE, IN_RANGE, JAMMER, SECOND_CHANNEL, BUSY, COMPACT = 1, 2, 4, 8, 16, 32  # READABLE: as a truth value
# columns of a frame that begins in the window
START, END, LEVEL, POWER, LIMIT, FLAGS, FRAME, EARLY, INSIDE = range(9)
COLUMNS: Final = 9
# columns of a frame on the air; so it is carried into the next window
C_RECEIVER, C_START, C_END, C_LEVEL, C_POWER, C_LIMIT, C_FLAGS, C_FRAME, C_PEAK, C_JAM, C_DOWN, C_LOCK = range(12)
CARRY_COLUMNS: Final = 12  # C_LOCK: 1 + the demodulator that follows it, or 0
# which frames are reported one by one
NOTHING, EVERYTHING, ONLY_RECEIVED = range(3)
# a key holds a time since the window's begin and, in its low bits, a row
ENTRY_BITS: Final = 24
ENTRY_MASK: Final = np.uint64((1 << ENTRY_BITS) - 1)
ENTRY_SHIFT: Final = np.uint64(ENTRY_BITS)
MOST_CELLS: Final = 1 << 16


class Frames(NamedTuple):
    """A fleet's frames that begin in a window, by (meter, k): those of meter m are `first[m]:first[m + 1]`."""

    first: I64
    start_ns: I64
    k: I64

    @classmethod
    def of(cls, schedule: Schedule, meters: int) -> Frames:
        """Raises ValueError where frames of a meter begin together."""
        order = np.lexsort((schedule.k, schedule.meter))
        meter, start_ns = schedule.meter[order], schedule.start_ns[order]
        if ((np.diff(meter) == 0) & (np.diff(start_ns) <= 0)).any():
            raise ValueError("a meter's frames must begin one after the other")
        first = np.searchsorted(meter, np.arange(meters + 1)).astype(np.int64)
        return cls(first, start_ns, schedule.k[order])

    def meter(self) -> I64:
        """The meter of each frame."""
        return np.repeat(np.arange(len(self.first) - 1, dtype=np.int64), np.diff(self.first))


def mode_of(flags: int) -> int:
    """The row of a mode in tables of receivers: 0 T1, 1 C1, 2 S1."""
    return (flags >> 2 & 2) | (flags >> 5 & 1)


mode_of_compiled = njit(inline="always")(mode_of)


class ReceiverLinks(NamedTuple):
    """Links by receiver (`offset`, CSR), meters ascending; `name`: the meter's number in the whole world.
    `draws_in_range`: so many of the 2**32 draws of fading, the strongest first, bring a frame into range, however
    unlucky it is with noise; where all do, `flags` say IN_RANGE."""

    offset: I64
    meter: I32
    name: NDArray[np.uint32]
    duration_ns: I32
    level_cdbm: I32
    flags: NDArray[np.int8]
    draws_in_range: NDArray[np.uint32]


class Listeners(NamedTuple):
    """One entry a receiver. `name`: its number in the whole world; `profile`: its curves; `locks[r, d]`: until
    when demodulator d follows a frame, changed by the sweep; outages that reach into the window by receiver (CSR), in
    order."""

    name: I64
    sensitivity_cdbm: I64
    profile: I64
    since_ns: I64
    demodulators: I64
    locks: I64
    outage_offset: I64
    down_ns: I64
    up_ns: I64


class Draws(NamedTuple):
    """What is drawn with, and the tables of powers and of receivers."""

    fading_cdb: int
    widest_cdb: int  # the most that fading gives
    key: np.uint64
    purpose: np.uint64
    knots: I64
    power: I64
    lowest_cdbm: int
    curves: Curves


class Others(NamedTuple):
    """Frames that are not the fleet's of this window, by receiver (CSR): intruders' that begin in it (rows: receiver,
    then the columns of a frame) and what is carried in (rows as they are carried)."""

    intruder_offset: I64
    intruders: I64
    carried_offset: I64
    carried: I64


class Setting(NamedTuple):
    """What stays from window to window."""

    links: ReceiverLinks
    listeners: Listeners
    draws: Draws


class Window(NamedTuple):
    """`gateways`: so many of the first receivers are counted; `report`: NOTHING, EVERYTHING or ONLY_RECEIVED."""

    begin_ns: int
    until_ns: int
    longest_ns: int
    gateways: int
    report: int


class Traffic(NamedTuple):
    """What there is to play in one window."""

    window: Window
    frames: Frames
    others: Others


class Outcome(NamedTuple):
    """Filled by the sweep: `heard[frame]`, `counts[receiver, fate]`, rows carried on, and rows reported one by one
    (frame, receiver, fate, level)."""

    heard: U8
    counts: I64
    carry: I64
    rows: I64


class Filled(NamedTuple):
    """How many rows of `Outcome.carry` and `Outcome.rows` are."""

    carried: int
    reported: int


class Scratch(NamedTuple):
    """Room for one receiver's share of a window, kept from window to window, and a cell of time for each frame."""

    frame: I32
    link: I32
    word: U64
    number: U64
    key: U64
    order: U64
    able: U8
    cell_at: NDArray[np.uint16]
    cells: U8
    table: I64
    rest: I32
    fill: I32
    air: I64
    cell: NDArray[np.uint16]

    @classmethod
    def of(cls, entries: int, frames: int) -> Scratch:
        """For at most so many entries at a receiver and frames of the fleet in a window."""
        u8, u16, i32, u64 = np.uint8, np.uint16, np.int32, np.uint64

        def room(dtype: Any, *shape: int) -> Any:
            return np.empty(shape, dtype=dtype)

        n = entries + 1
        return cls(
            room(i32, n), room(i32, n), room(u64, n), room(u64, n), room(u64, n), room(u64, n), room(u8, n),
            room(u16, n), room(u8, MOST_CELLS), room(np.int64, n, COLUMNS), room(i32, n), room(i32, 4 * n + 4),
            room(np.int64, n, CARRY_COLUMNS), room(u16, frames + 1),
        )  # fmt: skip
