"""[[fleet]] of a world: groups of meters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sim.core.settings import number
from sim.core.vocabulary import Link, Security
from sim.meters.meter_type import kinds


@dataclass(frozen=True, slots=True)
class FleetSpec:
    """A group of equal meters. `key = "shared"` gives the whole group one key (a known bad practice). `in_step_s`: all
    begin within so many seconds and count from the same access number, as a firmware does that sends by the clock;
    left out, each begins anywhere in its interval."""

    name: str
    type: str = field(metadata={"one name": kinds})
    count: int = field(metadata={"low": 1, "high": 10_000_000})
    security: Security = "mode5"
    interval_s: float = number(900.0, low=2.0, high=604_800.0)
    link: Link = "T1"
    key: Literal["own", "shared"] = "own"
    power_dbm: float = number(7.0, low=-30.0, high=20.0)
    drift_ppm: float = number(20.0, low=0.0, high=500.0)
    mask: Literal["always", "workdays 08-18"] = "always"
    in_step_s: float | None = number(None, low=0.001, high=604_800.0)
