"""Of a fan-in trial, what goes through the pipes to those who publish and those who take, and what comes back. Times
are the machine's monotonic clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.endpoint.port import Address, Identity

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
PAYLOAD_BYTES: Final = 16
"""As in the published comparison: the row's number as decimal digits."""
FILTER: Final = "$share/load/gw/+/up"


@dataclass(frozen=True, slots=True)
class PublishOrder:
    """`publisher[row]` of `identities` sends message `row` at `due_s[row]` from the begin on."""

    identities: list[Identity]
    address: Address
    publisher: I64
    due_s: F64


@dataclass(frozen=True, slots=True)
class TakeOrder:
    """Subscribers that share one subscription; `messages` are to come."""

    identities: list[Identity]
    address: Address
    messages: int


@dataclass(slots=True)
class Published:
    """By row: when its publisher came to it, and when its PUBACK was read (nan: never; clients in C do not tell).
    `endings`: reasons of connections that ended."""

    handled_s: F64
    accepted_s: F64
    endings: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Taken:
    """By row: when a subscriber had it (nan: never). `doubled`: messages that came again."""

    arrived_s: F64
    doubled: int = 0
    endings: Counter[str] = field(default_factory=Counter)


def payload_of(row: int) -> bytes:
    return b"%0*d" % (PAYLOAD_BYTES, row)
