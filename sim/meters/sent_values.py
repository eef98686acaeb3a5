"""What really is: the values a telegram carries before any encoding, and what happened to a meter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

NEVER_MS: Final = 1 << 62
NEVER_NS: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Truth:
    """What telegram k of a meter says, before any encoding. `meter_time` is the meter's clock to the minute, also for
    a type that does not send it. `units` and `set_date_units` are None for a type that counts something else; `values`
    has every number of the telegram by its slot label."""

    meter: int
    k: int
    start_ns: int
    acc: int
    counter: int | None
    sts: int
    meter_time: datetime
    units: int | None
    set_date: date
    set_date_units: int | None
    tampered: bool
    low_power: bool
    values: dict[str, int]


@dataclass(frozen=True, slots=True)
class Tamper:
    """Something that happened to a meter at a world time, and lasts up to another (not including it)."""

    at_ns: int
    how: str
    end_ns: int = NEVER_NS

    def lasts(self, time_ns: int) -> bool:
        return self.at_ns <= time_ns < self.end_ns


@dataclass(frozen=True, slots=True)
class Leak:
    """Water that runs through a meter and nobody draws, from a world time on."""

    at_ns: int
    litres_an_hour: float


@dataclass(frozen=True, slots=True)
class State:
    """What has happened to a meter, as it shows: by its own clock when it stopped counting and when the first fault
    happened, its error flags, and what its status byte adds."""

    stop_ms: int
    fault_ms: int
    flags: int
    sts: int


WELL = State(NEVER_MS, NEVER_MS, 0, 0)
