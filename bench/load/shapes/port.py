"""What a shape of load is: one file, which says when bundles are due.

SHAPE = Shape("steady", "Every gateway once a period, at its own phase", lambda load: numbered(*steady_times(load)))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bench.load.schedule import Load, Schedule
from sim.core.parts import Folder


@dataclass(frozen=True, slots=True)
class Shape:
    """`schedule`: pure. `by_c`: Mosquitto's C clients can offer it too; "" or the reason why they cannot.
    `takers`: who takes what arrives, the portal that opens and stores, or subscribers that share a subscription and
    store nothing."""

    id: str
    title: str
    schedule: Callable[[Load], Schedule]
    not_by_c: str = ""
    takers: Literal["portal", "shared"] = "portal"


SHAPES: Folder[Shape] = Folder("bench.load.shapes", "SHAPE", "load shape", Shape)
