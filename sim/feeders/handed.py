"""How late first bytes were handed over, and what the line itself takes: figures of one feeder, or of several."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from sim.core.percentile import percentile


@dataclass(slots=True)
class Handed:
    """`late_ns`: from the end of each frame on the air to its first byte at the interface. `line_ns`: what the line
    needs for each frame at its own rate, on top of that (0 for one without a rate). `lost`: frames that the line did
    not take. `cut`: frames of which it took a part only."""

    late_ns: array[int] = field(default_factory=lambda: array("q"))
    line_ns: array[int] = field(default_factory=lambda: array("q"))
    lost: int = 0
    cut: int = 0

    @property
    def frames(self) -> int:
        return len(self.late_ns)

    def late_percentile_ns(self, percent: float) -> int:
        """Of nearest rank; 0 without frames."""
        return percentile(self.late_ns, percent)

    @classmethod
    def together(cls, every: Iterable[Handed]) -> Handed:
        """Of several feeders as of one."""
        total = cls()
        for one in every:
            total.late_ns.extend(one.late_ns)
            total.line_ns.extend(one.line_ns)
            total.lost += one.lost
            total.cut += one.cut
        return total
