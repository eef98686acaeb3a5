"""Receptions as gateways hand them to the portal: bytes, who heard them, when, how strong.

Rows stand in the order of gateways' names, then of sequence, then of place in the bundle: so ties in time are broken.
Bytes of several rows may lie in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.core.bundle import Bundle

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
LIMIT_NS: Final = 1 << 61


@dataclass(frozen=True, slots=True)
class Batch:
    """Telegram i is `data[offset[i]:offset[i] + length[i]]`; `gateway[i]` its gateway's place among the names in order;
    `received_ns` by the gateway's clock; `rssi_cdbm` 1/100 dBm."""

    data: U8
    offset: I64
    length: I64
    gateway: I64
    received_ns: I64
    rssi_cdbm: I64

    def __len__(self) -> int:
        return len(self.offset)

    def __getitem__(self, index: int) -> bytes:
        begin = int(self.offset[index])
        return self.data[begin : begin + int(self.length[index])].tobytes()

    @classmethod
    def of(cls, bundles: Iterable[Bundle], gateways: Sequence[str]) -> Batch:
        """From bundles of gateways of these names. Raises ValueError for a time that does not fit 62 bits, for signal
        strengths that are no numbers, and for a gateway that is not there."""
        place = {name: at for at, name in enumerate(sorted(gateways))}
        ordered = sorted(bundles, key=lambda one: (one.gateway, one.sequence))
        heard = [(place[one.gateway], row) for one in ordered if _known(one.gateway, place) for row in one.heard]
        length = np.array([len(row.telegram) for _, row in heard], dtype=np.int64)
        received = [row.received_ns for _, row in heard]
        if any(abs(time_ns) >= LIMIT_NS for time_ns in received):
            raise ValueError("a gateway's time is more than 73 years from the world's beginning")
        return cls(
            np.frombuffer(b"".join(row.telegram for _, row in heard), dtype=np.uint8), np.cumsum(length) - length,
            length, np.array([at for at, _ in heard], dtype=np.int64), np.array(received, dtype=np.int64),
            np.array([round(row.rssi_dbm * 100) for _, row in heard], dtype=np.int64),
        )  # fmt: skip


def _known(gateway: str, place: dict[str, int]) -> bool:
    if gateway not in place:
        raise ValueError(f"no gateway '{gateway}'; there are {', '.join(place)}")
    return True
