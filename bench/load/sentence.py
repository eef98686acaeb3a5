"""The service as a sentence about readings, and whether a trial kept it.

    99.5 % of readings are stored within 5 s, 0 are lost, 0 doubled, 0 publishes discarded

A reading's time runs from the instant at which its bundle was due, also where something was late after it: a generator
that waits for a slow broker hides nothing (no coordinated omission). Lost: not stored when the trial was over.
Discarded: publishes that a quota refused, where the endpoint reports them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Kept(Protocol):
    """What of a trial a sentence asks for."""

    due: int
    lost: int
    doubled: int
    discarded: int

    def timely(self, within_s: float) -> int:
        """Readings that were stored so soon after they were due."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """`share` of the readings within `within_s`; at most so many lost, doubled, discarded (None: it does not ask)."""

    share: float = 0.99
    within_s: float = 5.0
    lost: int | None = 0
    doubled: int | None = 0
    discarded: int | None = 0

    @property
    def words(self) -> str:
        counts = ((self.lost, "lost"), (self.doubled, "doubled"), (self.discarded, "discarded by a quota"))
        more = "".join(f", at most {most} {what}" for most, what in counts if most is not None)
        return f"{100 * self.share:g} % of readings are stored within {self.within_s:g} s{more}"

    def broken(self, kept: Kept) -> list[str]:
        """The clauses that do not hold, in words; empty where the sentence holds. A trial without a reading holds
        nothing."""
        if not kept.due:
            return ["no reading was due"]
        out = []
        timely = kept.timely(self.within_s)
        if timely < self.share * kept.due:
            out.append(f"{100 * timely / kept.due:.3f} % within {self.within_s:g} s, not {100 * self.share:g} %")
        for most, found, what in (
            (self.lost, kept.lost, "lost"),
            (self.doubled, kept.doubled, "doubled"),
            (self.discarded, kept.discarded, "publishes discarded by a quota"),
        ):
            if most is not None and found > most:
                out.append(f"{found} {what}, not at most {most}")
        return out
