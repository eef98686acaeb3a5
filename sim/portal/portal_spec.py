"""[portal] of a world: its defences, each switchable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sim.core.settings import number

Check = Literal["acc", "ts", "mcr", "age", "bind"]
Alarm = Literal["tamper", "gap", "freshness", "twin", "jam"]
CHECKS: tuple[Check, ...] = ("acc", "ts", "mcr", "age", "bind")
ALARMS: tuple[Alarm, ...] = ("tamper", "gap", "freshness", "twin", "jam")


@dataclass(frozen=True, slots=True)
class PortalSpec:
    """The portal's defences, each switchable. The defaults are all of them."""

    pin_profile: bool = True
    whole_address: bool = True
    strict: bool = True
    checks: tuple[Check, ...] = CHECKS
    alarms: tuple[Alarm, ...] = ALARMS
    ts_tolerance_s: float = number(300.0, low=1.0, high=86_400.0)
    age_max_s: float = number(1_800.0, low=1.0, high=31_536_000.0)
    gap_intervals: float = number(3.0, low=1.0, high=1_000.0)
    billing: Literal["set date record", "last reading"] = "set date record"
