"""What one trial found, and whether its generator was what limited it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from bench.load.accounts import Accounts
from bench.load.load_orders import Driver
from bench.load.processes import Used
from bench.load.resources import Resource, full_and_next

OWN_SHARE: Final = 0.1
"""Of the sentence's time, that the generator itself may be late (99 of 100 bundles)."""
BUSY: Final = 0.9
"""Of a core: a generator's process that takes more has no room to be punctual."""

STALLS: Final = 2
"""As long as its longest, that a generator is taken to have had in a trial."""
BURST_S: Final = 0.02
"""A quota counts by the second: a generator that was later than this sends two hundredths of a second's bundles at
once."""


@dataclass
class Outcome:
    """`broken`: the sentence's clauses that do not hold. `used`: by group of processes, while bundles were due. `up_s`:
    until the last gateway had its session again after a power cut."""

    per_s: float
    driver: Driver
    offered_per_s: float
    accounts: Accounts
    resources: list[Resource]
    used: dict[str, Used]
    died: str
    trouble: str
    endings: Counter[str]
    up_s: float
    publishes: int
    duplicates: int
    queued_most: int
    takes: int
    store_bytes: int
    readings: int
    broken: tuple[str, ...]
    spent_s: dict[str, float] = field(default_factory=dict)
    """Processor time by group of processes, until all was stored or the trial was over."""
    full_take_s: float | None = None
    """Processor time of the portal for a bundle where its takes are full; None where it was not seen."""
    stored: int = 0
    """Bundles of which that can be said."""
    clock_s: float = 0.0
    """What generators' clocks are known to; 0 where all have the controller's."""
    clocks_moved: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.broken

    def late_by_itself(self, within_s: float) -> str:
        """Why the generator could have been the limit here, from its own clock and processor; "" when nothing says
        so."""
        if self.clock_s > OWN_SHARE * within_s:
            return f"clocks of generators are known to {self.clock_s:.3f} s only"
        own_s = self.accounts.own.percentile_s(99)
        if own_s > OWN_SHARE * within_s:
            return f"1 of 100 bundles was published {own_s:.3f} s late by the generator itself"
        busy = max((one.core for id_, one in self.used.items() if id_.startswith("generator")), default=0.0)
        if busy > BUSY and self.driver == "ours":
            return f"a process of the generator took {busy:.2f} of a core"
        most_s = self.accounts.own.most_us / 1e6
        if most_s > BURST_S and 0 < self.accounts.discarded <= STALLS * most_s * self.per_s:
            return (
                f"the generator was {most_s:.3f} s late once, and the burst behind that may be what the quota refused"
            )
        if self.accounts.liars:
            return f"{self.accounts.liars} bundles arrived before the generator says that it published them"
        return ""

    def as_json(self, within_s: float) -> dict[str, Any]:
        found = self.accounts
        full, next_ = full_and_next(self.resources)
        return {
            "per_s": round(self.per_s, 4), "driver": self.driver, "offered_per_s": round(self.offered_per_s, 4),
            "readings_per_s": round(self.offered_per_s * found.telegrams, 2), "holds": self.holds,
            "broken": list(self.broken), "due": found.due, "timely": found.timely(within_s), "lost": found.lost,
            "doubled": found.doubled, "discarded": found.discarded, "stale": dict(found.stale),
            "reasons": dict(found.reasons), "latency": found.latencies.as_json(), "generator_late": found.own.as_json(),
            "stages_s": {stage: round(mean, 5) for stage, mean in found.stages_s.items()},
            "full": None if full is None else full.as_json(), "next": None if next_ is None else next_.as_json(),
            "resources": [one.as_json() for one in self.resources],
            "used": {id_: {"core": round(one.core, 4), "waited": round(one.waited, 4), "memory_bytes": one.memory_bytes}
                     for id_, one in self.used.items()},
            "devices_touched": found.devices_touched, "devices": found.devices, "died": self.died,
            "trouble": self.trouble, "connections_ended": dict(self.endings), "up_again_s": round(self.up_s, 4),
            "publishes": self.publishes, "duplicates": self.duplicates, "queued_most": self.queued_most,
            "spent_s": {id_: round(one, 3) for id_, one in self.spent_s.items()}, "bundles_stored": self.stored,
            "portal_s_a_bundle": None if self.full_take_s is None else round(self.full_take_s, 7),
            "clock_s": round(self.clock_s, 6), "clocks_moved": list(self.clocks_moved),
            "takes": self.takes, "store_bytes": self.store_bytes, "readings_stored": self.readings,
        }  # fmt: skip
