"""Which transmitter reaches which receiver, at what level: what does not change from frame to frame.

A link is a (source, receiver) pair whose mean level (power minus loss, shadowing included) is not more than
REACH_MARGIN_CDB below the receiver's sensitivity, on a channel the receiver listens to. The rule kept here: what is
not a link takes part in nothing, neither as a loss to be counted nor as interference. With fading of 3 dB a frame from
beyond gets into range once in 3.5 million, and as an interferer it is 7 dB below what the weakest frame in range can
stand.

A transmitter and a receiver at one place are one device, which does not hear itself.

Fleet links are kept sparse, as rows of one array with offsets (CSR): those of meter m are `offset[m]:offset[m + 1]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.radio.capture_effect import INTERFERENCE_SHIFT, NEVER_CDB, NOISE_SHIFT
from sim.radio.link_modes import Mode
from sim.radio.propagation import Propagation, power_of
from sim.radio.receiver_profile import Curves, ReceiverProfile, profile

I64 = NDArray[np.int64]
BOOL = NDArray[np.bool_]

REACH_MARGIN_CDB: Final = 1_500
_INFINITE_CDB: Final = 1_000_000
_CHUNK = 1 << 20  # pairs worked on at once while links are made


@dataclass(frozen=True, slots=True)
class Radios:
    """What a fleet sends with: int64 arrays, one entry a meter, in fleet order."""

    mode: I64
    length_bytes: I64
    power_cdbm: I64
    duration_ns: I64


@dataclass(frozen=True, slots=True)
class Receivers:
    """What receivers hear with, one entry a receiver. `sensitivity_cdbm`: the level from which a frame can be received
    at all; `listens[r, mode]`: it can read that mode; `profile[r]`: which of the `curves` it has."""

    position_cm: I64
    sensitivity_cdbm: I64
    listens: BOOL
    profile: I64
    curves: Curves

    @classmethod
    def of(
        cls, position_cm: Sequence[I64], sensitivity_cdbm: Sequence[int], modes: Sequence[frozenset[Mode]],
        profiles: Sequence[ReceiverProfile] = (),
    ) -> Receivers:  # fmt: skip
        """From one entry a receiver: position (3,) in cm, sensitivity in 1/100 dBm, readable modes, and its profile
        (none given: the default for all)."""
        listens = np.array([[mode in own for mode in (0, *Mode)] for own in modes], dtype=bool).reshape(-1, 4)
        place = np.array(position_cm, dtype=np.int64).reshape(-1, 3)
        of_each = profiles or [profile()] * len(sensitivity_cdbm)
        kinds = list(dict.fromkeys(of_each))
        number = np.array([kinds.index(one) for one in of_each], dtype=np.int64)
        return cls(place, np.array(sensitivity_cdbm, dtype=np.int64), listens, number, Curves.of(kinds))

    def only(self, numbers: I64) -> Receivers:
        """Those with these numbers."""
        return replace(self, position_cm=self.position_cm[numbers], sensitivity_cdbm=self.sensitivity_cdbm[numbers],
                       listens=self.listens[numbers], profile=self.profile[numbers])  # fmt: skip

    def certain_cdbm(self) -> I64:
        """The level from which every frame that is received at all over noise is, whatever is drawn."""
        need = self.curves.need[self.profile]
        most: I64 = self.sensitivity_cdbm + np.where(need < NEVER_CDB, need, 0).max(axis=(1, 2), initial=0)
        return most

    def hears_channel(self, mode: I64) -> BOOL:
        """(n, receivers): frames of this mode are on a channel the receiver listens to, readable or not."""
        channel_0 = self.listens[:, Mode.T1] | self.listens[:, Mode.C1]
        same: BOOL = np.where((mode == Mode.S1)[:, None], self.listens[:, Mode.S1][None], channel_0[None])
        return same


@dataclass(frozen=True, slots=True)
class Links:
    """Sparse links of sources 0..n-1. `level_cdbm`: mean level; `readable`: the receiver can read the source's mode."""

    offset: I64
    receiver: I64
    level_cdbm: I64
    readable: BOOL

    @classmethod
    def of(cls, propagation: Propagation, place_cm: I64, power_cdbm: I64, mode: I64, receivers: Receivers) -> Links:
        """All links of sources at these places, ordered by source and receiver."""
        step = max(1, _CHUNK // max(1, len(receivers.sensitivity_cdbm)))
        parts = [
            cls.reach(
                power_cdbm[low : low + step, None] - loss_cdb(propagation, place_cm[low : low + step], receivers),
                mode[low : low + step], receivers,
            )
            for low in range(0, len(place_cm), step)
        ]  # fmt: skip
        none = np.zeros((0, len(receivers.sensitivity_cdbm)), dtype=np.int64)
        return cls.joined(parts or [cls.reach(none, mode, receivers)])

    @classmethod
    def joined(cls, parts: Sequence[Links]) -> Links:
        """The sources of all parts, one part after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([[0], np.cumsum(np.concatenate([np.diff(part.offset) for part in parts]))]).astype(np.int64),
            np.concatenate([part.receiver for part in parts]), np.concatenate([part.level_cdbm for part in parts]),
            np.concatenate([part.readable for part in parts]),
        )  # fmt: skip

    def of_sources(self, sources: I64) -> Links:
        """The links of these sources, in this order."""
        count = self.offset[sources + 1] - self.offset[sources]
        offset = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        link = np.arange(offset[-1]) + np.repeat(self.offset[sources] - offset[:-1], count)
        return Links(offset, self.receiver[link], self.level_cdbm[link], self.readable[link])

    @classmethod
    def reach(cls, level_cdbm: I64, mode: I64, receivers: Receivers) -> Links:
        """The links among mean levels (sources, receivers)."""
        near = (level_cdbm >= receivers.sensitivity_cdbm[None] - REACH_MARGIN_CDB) & receivers.hears_channel(mode)
        row, column = np.nonzero(near)
        offset = np.concatenate([[0], np.cumsum(near.sum(axis=1))]).astype(np.int64)
        return cls(offset, column, level_cdbm[row, column], receivers.listens[column, mode[row]])

    def __len__(self) -> int:
        return len(self.receiver)

    def expand(self, source: I64) -> tuple[I64, I64]:
        """For frames of these sources: (row, link) of every pair, in the order of rows and then receivers."""
        first, count = self.offset[source], self.offset[source + 1] - self.offset[source]
        row = np.repeat(np.arange(len(source), dtype=np.int64), count)
        begins = np.cumsum(count) - count
        return row, np.arange(len(row), dtype=np.int64) + np.repeat(first - begins, count)


def loss_cdb(propagation: Propagation, place_cm: I64, receivers: Receivers) -> I64:
    """Mean loss (sources, receivers); infinite between the two halves of one device."""
    loss = propagation.loss_cdb(place_cm, receivers.position_cm)
    loss[(place_cm[:, None] == receivers.position_cm[None]).all(axis=2)] = _INFINITE_CDB
    return loss


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Frames as they arrive: one entry a (frame, receiver) pair. Powers in 1e-16 mW. `limit`: interference it stands;
    `early`, `inside`: the followed frame from which it takes a demodulator over, one younger than `early_ns` or older.
    """

    row: I64
    receiver: I64
    level_cdbm: I64
    power: I64
    limit: I64
    early: I64
    inside: I64
    early_ns: I64
    in_range: BOOL
    readable: BOOL


def arrive(
    air: Propagation, links: Links, index: I64, source: I64, k: I64, mode: I64, receivers: Receivers
) -> Arrivals:
    """The arrivals of frames. `index`: the source's row in `links`; `source`: its index on the air; `mode`: of each
    frame."""
    row, link = links.expand(index)
    receiver = links.receiver[link]
    curves, which, column = receivers.curves, receivers.profile[receiver], mode[row] - 1
    fading, luck = air.drawn(source[row], k[row], receiver, bool(curves.drawn.any()))
    level = links.level_cdbm[link] + fading
    noise, other = luck >> NOISE_SHIFT & 0xFF, luck >> INTERFERENCE_SHIFT
    limit, early, inside = (
        power_of(level - table[which, column, other]) for table in (curves.capture, curves.early, curves.inside)
    )
    in_range = level >= receivers.sensitivity_cdbm[receiver] + curves.need[which, column, noise]
    return Arrivals(row, receiver, level, power_of(level), limit, early, inside, curves.early_ns[which, column],
                    in_range, links.readable[link])  # fmt: skip
