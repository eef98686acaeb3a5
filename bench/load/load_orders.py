"""What the controller tells a generator and a portal of one trial, and what they tell it back. Plain data: it goes
through a pipe. All times are the controller's monotonic clock, which all processes of its machine share; for a
generator on another machine they are converted on the way (far_generators)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.load.fleet_bundles import Sent
from bench.load.processes import Used
from bench.load.schedule import Schedule
from sim.endpoint.port import Address, Identity

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Driver = Literal["ours", "c"]
"""Who publishes: our sessions, or one mosquitto_pub a gateway."""


@dataclass(frozen=True, slots=True)
class GeneratorOrder:
    """`rows`: which bundles of the schedule are this generator's; `identities`: of its gateways. `custody`: it is a
    gateway that keeps a bundle until the portal acknowledges it; without, a publisher that is content with PUBACKs, as
    `payload` then may say what it publishes instead of bundles."""

    sent: Sent
    schedule: Schedule
    rows: I64
    identities: dict[int, Identity]
    address: Address
    driver: Driver = "ours"
    reader: Identity | None = None
    custody: bool = True
    payload: bytes = b""
    verify: bool = True


@dataclass(slots=True)
class Generated:
    """`handled_s`: when it came to each of its rows; `sent_s`: when that was published first (nan: never). The first
    minus the due time is the generator's own lateness; the second may also wait for a session, or for room among what
    a gateway may have in flight. By gateway: `unaccepted` publishes without PUBACK on its last connection, `connects`.
    `endings`: reasons of connections that broke or were refused."""

    rows: I64
    handled_s: F64
    sent_s: F64
    unaccepted: dict[int, int] = field(default_factory=dict)
    connects: dict[int, int] = field(default_factory=dict)
    endings: Counter[str] = field(default_factory=Counter)
    up_s: float = 0.0
    """From the dial to the last session after a power cut; 0 where none was."""
    publishes: int = 0
    put_aside: list[int] = field(default_factory=list)
    """Rows that their gateways quarantined: published again and again, and never acknowledged, unlike later ones."""
    without_session: set[int] = field(default_factory=set)
    uncertain_s: float = 0.0
    """What its times may be wrong by; 0 where it has the controller's clock."""
    clock_moved: str = ""
    """In a sentence: by how much its clock moved against the controller's, where that is more than was measured."""
    used: Used | None = None
    """What its process took until its last bundle was due, where the controller cannot see that."""


@dataclass(frozen=True, slots=True)
class PortalOrder:
    """Where the portal keeps its store, how it reaches the broker."""

    sent: Sent
    schedule: Schedule
    identity: Identity
    address: Address
    directory: Path
    verify: bool = True


@dataclass(slots=True)
class Stored:
    """By row of the schedule: `arrived_s` when its bundle was read from the socket, `committed_s` when the commit that
    holds it was over (nan: never). By meter of the fleet: `distinct` readings, `doubled` ones, and refusals by reason.
    `took_s` and `processor_s` of the portal's takes, `queued_most` messages that waited for one; `bytes_`: of the
    store when all was over, beside those of an empty one."""

    arrived_s: F64
    committed_s: F64
    distinct: I64
    doubled: I64
    refused: dict[str, I64] = field(default_factory=dict)
    duplicates: int = 0
    bad: int = 0
    queued_most: int = 0
    took_s: float = 0.0
    processor_s: float = 0.0
    takes: int = 0
    each_take: list[tuple[int, float]] = field(default_factory=list)
    """(messages, seconds of a processor) of each."""
    read_s: float = 0.0
    """Of a processor, in turns of the event loop that brought messages."""
    bytes_: int = 0
    readings: int = 0
    trouble: str = ""
