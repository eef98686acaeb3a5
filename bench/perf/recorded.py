"""The country's run, as it was recorded: it takes both cores of a small machine for minutes, so the bench does not
repeat it. Run the command for the figures of your own machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Recorded:
    """`peak_gb`: of all processes together, shared pages once."""

    command: str
    machine: str
    wall_s: float
    processor_s: float
    peak_gb: float
    digest: str

    @property
    def note(self) -> str:
        return f"recorded on {self.machine}, {self.processor_s:.0f} s of processor time: {self.command}"


COUNTRY: Final = Recorded(
    "./wmbench city country-60m --workers 2 --outages 0.05",
    "2 cores where nobody else was at work",
    411.3,
    802.5,
    1.75,
    "d72b4978d6cd1d30",
)
