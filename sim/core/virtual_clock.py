"""World time on SimPy: it jumps from event to event, as fast as the machine allows."""

from __future__ import annotations

from typing import cast

import simpy
from simpy.events import ProcessGenerator

from sim.core.clock import Occurrence, Steps


class PlannedEvents:
    """The verbs of clock.Clock that are SimPy's, whatever makes time pass. Begins at 0."""

    def __init__(self) -> None:
        self.env = simpy.Environment(initial_time=0)

    @property
    def now_ns(self) -> int:
        return int(self.env.now)

    def timeout(self, delay_ns: int) -> Occurrence:
        return self.env.timeout(delay_ns)

    def event(self) -> Occurrence:
        return self.env.event()

    def process(self, steps: Steps) -> Occurrence:
        return self.env.process(cast(ProcessGenerator, steps))  # what they yield, this clock made


class VirtualClock(PlannedEvents):
    """See clock.Clock."""

    def run_until(self, time_ns: int) -> None:
        self.env.run(until=time_ns)

    def close(self) -> None:
        """It holds nothing open."""
