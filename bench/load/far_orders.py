"""What passes between the controller and a generator's process on another machine, beside what load_orders says: the
files of its gateways' identities, questions about its clock, and what it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from bench import cluster
from bench.load.load_orders import GeneratorOrder

CODE: Final = (*cluster.SIMULATION, "bench")
WHAT_TIME: Final = "what time"
"""Asked of a generator's process; it answers with its monotonic clock's seconds."""


class Machine(NamedTuple):
    """`network`: which loopback it has; two processes with the same `boot` and `processes` see each other in /proc."""

    boot: str
    network: str
    processes: str

    @classmethod
    def this(cls) -> Machine:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return cls(boot, os.readlink("/proc/self/ns/net"), os.readlink("/proc/self/ns/pid"))


@dataclass(frozen=True, slots=True)
class Hello:
    """The first that such a process says. `code`: its digest of CODE."""

    code: str
    pid: int
    machine: Machine


@dataclass(frozen=True, slots=True)
class FarOrder:
    """`order` has no identities: `identities` is gateway -> client id, `files` the content of those not sent before,
    by name. `own`: a broker at a private address is its user's."""

    order: GeneratorOrder
    identities: dict[int, str]
    files: dict[str, bytes]
    own: bool
