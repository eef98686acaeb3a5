"""How late first bytes were handed over, and what the line itself takes: figures of one feeder, or of several."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sim.core.percentile import percentile

TORN_MOST: Final = 10_000
"""So many torn frames are kept by name; a gateway that nobody reads for days loses more, and they are counted."""


class Torn(NamedTuple):
    """A frame that a feeder took and the gateway got with a hole, or not at all. `ended_ns`: as it was fed. `late`: the
    bench was, and the gateway is not to be judged by it."""

    frame: bytes
    ended_ns: int
    why: str
    late: bool = False


@dataclass(slots=True)
class Handed:
    """`late_ns`: from the end of each frame on the air to its first byte at the interface. `line_ns`: what the line
    needs for each frame at its own rate, on top of that (0 for one without a rate). `lost`: frames that the line did
    not take. `cut`: frames of which it took a part only. `torn`: those of both that `feed` had taken, by name."""

    late_ns: array[int] = field(default_factory=lambda: array("q"))
    line_ns: array[int] = field(default_factory=lambda: array("q"))
    lost: int = 0
    cut: int = 0
    torn: list[Torn] = field(default_factory=list)

    @property
    def frames(self) -> int:
        return len(self.late_ns)

    def late_percentile_ns(self, percent: float) -> int:
        """Of nearest rank; 0 without frames."""
        return percentile(self.late_ns, percent)

    def tear(self, one: Torn, *, begun: bool) -> None:
        """A frame that was taken will not arrive whole. `begun`: its first samples did."""
        if begun:
            self.cut += 1
        else:
            self.lost += 1
        if len(self.torn) < TORN_MOST:
            self.torn.append(one)

    @classmethod
    def together(cls, every: Iterable[Handed]) -> Handed:
        """Of several feeders as of one."""
        total = cls()
        for one in every:
            total.late_ns.extend(one.late_ns)
            total.line_ns.extend(one.line_ns)
            total.lost += one.lost
            total.cut += one.cut
            total.torn.extend(one.torn)
        return total
